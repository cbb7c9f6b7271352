"""``desk backup`` and ``desk restore``."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path

import httpx
from sqlalchemy import Engine, MetaData, inspect, make_url
from sqlalchemy.engine import URL

import crm
from crm import backup
from crm.backup import BadBackup, Manifest
from crm.database import make_engine, unbind
from crm.errors import ConfigError
from crm.settings import Settings, load_settings
from crm.types import now
from desk import erasures
from desk.console import tell
from desk.customers import tracker_url
from desk.places import enter_root, gateway_url, state_dir

PASSPHRASE = "DESK_BACKUP_PASSPHRASE"  # noqa: S105 - a name
DAILY = "desk-%Y%m%d-%H%M%S.backup"
ASK_SECONDS = 2.0


def back_up(file: Path, *, encrypt: bool) -> int:
    """Writes one backup; an existing file is replaced only by a whole new one."""
    target = file.absolute()
    enter_root()
    settings = load_settings()
    passphrase = _passphrase(twice=True) if encrypt else None
    manifest = _write(settings, target, passphrase)
    tell("backup", f"{manifest.rows} rows of {len(manifest.tables)} tables, checked: {target}")
    if not encrypt:
        tell("backup", "Keep .env too, in another place: without its DESK_DATA_KEY nobody can read the names in it.")
    return 0


def back_up_daily(folder: Path, *, keep: int) -> int:
    """Adds a backup to the folder and keeps the newest ``keep``; encrypted if a passphrase is set."""
    place = folder.absolute()
    enter_root()
    settings = load_settings()
    target = place / now().strftime(DAILY)
    manifest = _write(settings, target, os.environ.get(PASSPHRASE))
    tell("backup", f"{manifest.rows} rows, checked: {target}")
    for old in sorted(place.glob("desk-*.backup"))[:-keep]:
        old.unlink()
        tell("backup", f"removed {old.name}, the newest {keep} are kept")
    return 0


def _write(settings: Settings, target: Path, passphrase: str | None) -> Manifest:
    engine = crm.bind(settings.database_url)
    try:
        if passphrase is None:
            return backup.write(engine, target, now=now())
        with _scratch(target.parent) as plain:
            manifest = backup.write(engine, plain, now=now())
            sealed = plain.with_suffix(".sealed")
            backup.seal(plain, sealed, passphrase)
            sealed.replace(target)
            return manifest
    finally:
        unbind()


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A file's place beside the target, gone afterwards, in a folder that only we can read."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".desk-backup-", dir=folder) as place:
        yield Path(place) / "plain"


def _passphrase(*, twice: bool) -> str:
    """From the environment, or asked for. Raises ConfigError."""
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise ConfigError(f"Set {PASSPHRASE} to the passphrase of the backup.")
    given = getpass("Passphrase of the backup: ")
    if not given:
        raise ConfigError("An encrypted backup needs a passphrase.")
    if twice and getpass("Once more: ") != given:
        raise ConfigError("The two passphrases differ; nothing was written.")
    return given


def put_back(file: Path, *, force: bool) -> int:
    """Replaces the store by a backup. Raises BadBackup, WrongPassphrase, ConfigError; nothing is changed then."""
    source = file.absolute()
    enter_root()
    settings = load_settings()
    refuse_while_serving(settings)
    url = make_url(settings.database_url)
    put = _into_file if url.get_backend_name() == "sqlite" else _into_server
    if not backup.is_sealed(source):
        manifest = put(settings, url, source, force)
    else:
        with tempfile.TemporaryDirectory(prefix="desk-restore-") as place:
            plain = Path(place) / "plain"
            backup.unseal(source, plain, _passphrase(twice=False))
            manifest = put(settings, url, plain, force)
    tell("restore", f"{manifest.rows} rows as of {manifest.made_at} are back")
    if again := erasures.reapply(settings, tracker_url(settings)):
        tell("restore", f"{again} records of people who were erased since were erased again")
    return 0


def refuse_while_serving(settings: Settings) -> None:
    """Raises ConfigError if this machine's gateway answers."""
    address = gateway_url(settings.host, settings.port)
    try:
        answer = httpx.get(f"{address}/healthz", timeout=ASK_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return
    if answer.is_success:
        raise ConfigError(f"The desk is running at {address}; stop it first.")


def _into_file(settings: Settings, url: URL, source: Path, force: bool) -> Manifest:
    """Builds the store beside the old one and swaps them; the old one is kept."""
    target = Path(url.database or "")
    if target.exists() and not force and _holds_rows(settings.database_url):
        raise BadBackup(f"{target} holds a store already; --force puts the backup in its place and keeps the old one.")
    fresh = target.with_name(f"{target.name}.restoring")
    _remove(fresh)
    try:
        manifest = _filled(f"sqlite:///{fresh}", source)
    except BaseException:
        _remove(fresh)
        raise
    if target.exists():
        kept = target.with_name(f"{target.name}.before-restore-{now():%Y%m%d-%H%M%S}")
        _settle(settings.database_url)
        target.replace(kept)
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        tell("restore", f"the old store is kept as {kept}")
    fresh.replace(target)
    return manifest


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _filled(url: str, source: Path) -> Manifest:
    engine = make_engine(url)
    try:
        manifest = backup.restore(engine, source)
        _checkpoint(engine)
        return manifest
    finally:
        engine.dispose()


def _settle(url: str) -> None:
    """Brings what still lies in SQLite's log into the file itself, so that the file alone is the store."""
    engine = make_engine(url)
    try:
        _checkpoint(engine)
    finally:
        engine.dispose()


def _checkpoint(engine: Engine) -> None:
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def _into_server(settings: Settings, url: URL, source: Path, force: bool) -> Manifest:
    """Fills the database; one that holds rows is backed up beside the product and emptied first, with --force."""
    engine = make_engine(settings.database_url)
    try:
        if inspect(engine).get_table_names():
            if not force and _holds_rows(settings.database_url):
                raise BadBackup("The database holds a store already; --force puts the backup in its place.")
            kept = state_dir(settings.database_url) / "backups" / f"before-restore-{now():%Y%m%d-%H%M%S}.backup"
            backup.write(engine, kept, now=now())
            tell("restore", f"the old store is kept as {kept}")
            backup.verify(source)
            _drop_all(engine)
        return backup.restore(engine, source)
    finally:
        engine.dispose()


def _drop_all(engine: Engine) -> None:
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection)
        tables.drop_all(connection)


def _holds_rows(url: str) -> bool:
    """Whether anybody would miss what is in there."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            tables = MetaData()
            tables.reflect(connection)
            return any(
                connection.execute(table.select().limit(1)).first() is not None
                for table in tables.sorted_tables
                if table.name != "alembic_version"
            )
    finally:
        engine.dispose()
