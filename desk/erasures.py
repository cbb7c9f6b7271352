"""The list of erasures beside the store: it outlives a restored backup. It holds one-way marks, no names."""

import json
from pathlib import Path

import crm
from crm import privacy
from crm.database import bind, scrub, unbind
from crm.privacy import ErasureRecord, tracker
from crm.settings import Settings
from desk.places import state_dir

FILE = "erasures.jsonl"


def remember(settings: Settings) -> None:
    """Adds what the open store knows of erasures to the list."""
    with crm.reading() as session:
        records = privacy.erasure_records(session)
    file = state_dir(settings.database_url) / FILE
    known = _listed(file)
    missing = [record for record in records if record not in known]
    if missing:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(record.as_dict()) + "\n" for record in missing)


def reapply(settings: Settings, tracker_url: str) -> int:
    """Erases again whoever a restored backup brought back; returns how many records that were."""
    engine = bind(settings.database_url)
    try:
        with crm.session() as session:
            receipts = privacy.reapply_erasures(session, _listed(state_dir(settings.database_url) / FILE))
        for receipt in receipts:
            tracker.forget(tracker_url, receipt.conversations)
        scrub(engine)
    finally:
        unbind()
    return len(receipts)


def _listed(file: Path) -> list[ErasureRecord]:
    if not file.exists():
        return []
    return [ErasureRecord.of(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line]
