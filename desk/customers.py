"""``desk customer`` and ``desk privacy``: a person's own data, and what is kept of everybody."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import crm
from crm import privacy
from crm.database import engine, scrub
from crm.models import CustomerMerge
from crm.privacy import tracker
from crm.settings import Settings
from crm.shop import load_shop
from crm.types import now
from desk import erasures
from desk.places import state_dir
from desk.store import open_store

REFUSED_ROWS = "import-refused-*.csv"


def export_customer(text: str) -> int:
    """Prints all that the store holds about a person, as JSON. Raises CrmError if that is nobody or several."""
    open_store()
    with crm.reading() as session:
        found = privacy.export(session, privacy.find(session, text), now=now())
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    print()
    return 0


def erase_customer(text: str, *, confirmed: bool) -> int:
    """Forgets a person and prints the receipt as JSON. Raises CrmError if that is nobody or several."""
    settings = open_store()
    with crm.reading() as session:
        subject = privacy.find(session, text, strict=True)
    if not confirmed and not _is_sure(text):
        print("Nothing was erased.", file=sys.stderr)
        return 1
    with crm.session() as session:
        receipt = privacy.erase(session, subject, asked_by="owner", now=now())
    folder = state_dir(settings.database_url)
    trackers = tracker.forget(tracker_url(settings), receipt.conversations)
    reports = _clean_reports(folder, receipt)
    erasures.remember(settings)
    scrub(engine())
    answer = {
        **receipt.as_dict(),
        "bot_memories_deleted": trackers,
        "import_reports_cleaned": reports,
        "kept": "orders, amounts and counts, without a name, an address or a word that was written",
        "backups": "Backups made before now still hold the data until the rotation replaces them. Restoring one erases "
        "the person again.",
    }
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    print()
    return 0


def tracker_url(settings: Settings) -> str:
    """Where Rasa keeps its working memory."""
    return settings.tracker_url or f"sqlite:///{state_dir(settings.database_url) / 'rasa.db'}"


def _is_sure(text: str) -> bool:
    if not sys.stdin.isatty():
        return True  # a script has decided already
    print(f"Erase {text} for good? Orders stay, without the person. Type yes: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("yes", "y")


def _clean_reports(folder: Path, receipt: privacy.Receipt) -> int:
    """Takes the person out of the lists of refused rows; returns how many lists were changed."""
    changed = 0
    for file in folder.glob(REFUSED_ROWS):
        text = file.read_text(encoding="utf-8-sig")
        if receipt.traces.are_in(text):
            file.write_text(receipt.traces.cleaned(text), encoding="utf-8-sig")
            changed += 1
    return changed


def prune(*, dry_run: bool, days: int | None = None) -> int:
    """Deletes what is older than the shop keeps it, and prints how much as JSON."""
    settings = open_store()
    kept_for = days if days is not None else load_shop(settings.shop_file).privacy.retention_days
    pruned = run_retention(settings, retention_days=kept_for, dry_run=dry_run)
    print(json.dumps({"retention_days": kept_for, "dry_run": dry_run, **pruned.as_dict()}))
    return 0


def run_retention(settings: Settings, *, retention_days: int, dry_run: bool = False) -> privacy.Pruned:
    """One run over the open store: the schedule calls it daily."""
    moment = now()
    with crm.session() as session:
        pruned = privacy.prune(session, retention_days=retention_days, now=moment, dry_run=dry_run)
    if not dry_run:
        tracker.forget(tracker_url(settings), pruned.forgotten)
        oldest = moment.timestamp() - retention_days * 86_400
        for file in state_dir(settings.database_url).glob(REFUSED_ROWS):
            if file.stat().st_mtime < oldest:
                file.unlink()
        erasures.remember(settings)
        scrub(engine())
    return pruned


def list_merges() -> int:
    """One line per merge that stands or was undone, the newest first."""
    from crm import merging

    open_store()
    with crm.reading() as session:
        _print_merges(merging.merges(session))
    return 0


def _print_merges(merges: Sequence[CustomerMerge]) -> None:
    for merge in merges:
        when = f"{merge.id:>5}  {merge.merged_at:%Y-%m-%d %H:%M}"
        undone = f"  undone {merge.undone_at:%Y-%m-%d %H:%M}" if merge.undone_at else ""
        print(f"{when}  {merge.merged_id} into {merge.kept_id}  {merge.proof}{undone}")


def merge_customers(kept: str, merged: str) -> int:
    """Makes one customer of two, because the owner knows that they are one person. Raises CrmError."""
    from crm import merging
    from crm.models import MergeProof

    open_store()
    with crm.session() as session:
        both = [privacy.find(session, text, strict=True).customer for text in (kept, merged)]
        assert both[0] is not None
        assert both[1] is not None
        done = merging.merge(session, both[0], both[1], proof=MergeProof.OWNER, now=now())
        _print_merges([done])
    return 0


def unmerge(merge_id: int) -> int:
    """Makes two customers of one again. Raises CrmError."""
    from crm import merging

    open_store()
    with crm.session() as session:
        _print_merges([merging.unmerge(session, merge_id, now=now())])
    return 0
