"""Opening the store: one engine per process, one visible transaction per message, action or job."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from crm import mariadb, sealing
from crm.errors import StoreNotBound

BUSY_TIMEOUT_MS = 15_000
_USUAL_CACHE_KB, _USUAL_LOG_PAGES = 2_000, 1_000  # what SQLite takes by itself
_LARGE_CACHE_KB, _LARGE_LOG_PAGES = 65_536, 16_000
_engine: Engine | None = None


def make_engine(database_url: str) -> Engine:
    """An engine for SQLite (WAL, foreign keys on), PostgreSQL (psycopg 3) or MariaDB with this project's settings."""
    url = make_url(database_url)
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == mariadb.NAME:
        return mariadb.make_engine(url)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # Parameters are what customers wrote: they never belong into an error's text.
    pool = {"pool_size": 10, "max_overflow": 20} if url.database else {}
    engine = create_engine(url, hide_parameters=True, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN would be a deferred one
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted leaves no bytes behind
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once with "database is locked" if somebody else wrote
    # meanwhile; taking the write lock at the start waits for it instead.
    reads = connection.get_execution_options().get("desk_reading", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def expect_many_rows(session: Session, *, expected: bool = True) -> None:
    """Call in the transactions of a long import: sealed keys fall on pages all over an SQLite file, which are kept."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_LARGE_CACHE_KB if expected else _USUAL_CACHE_KB}")
        pages = _LARGE_LOG_PAGES if expected else _USUAL_LOG_PAGES
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {pages}")


def scrub(engine: Engine) -> None:
    """After personal data was deleted from an SQLite file: no copy of it stays in the write-ahead log."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")


def bind(database_url: str) -> Engine:
    """Opens the store for this process; a second call replaces the first."""
    global _engine
    unbind()
    sealing.forget()
    _engine = make_engine(database_url)
    return _engine


def unbind() -> None:
    """Closes all connections; for tests and clean ends."""
    global _engine
    if _engine is not None:
        _engine.dispose()
    _engine = None


def engine() -> Engine:
    if _engine is None:
        raise StoreNotBound
    return _engine


@contextmanager
def session() -> Iterator[Session]:
    """One transaction: commits at the end, rolls back on any error. Send to the outside only after it."""
    with Session(engine(), expire_on_commit=False) as opened, opened.begin():
        yield opened


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading only: never waits for a writer. Writing through it is a mistake."""
    bound = engine().execution_options(desk_reading=True)
    with Session(bound, expire_on_commit=False) as opened, opened.begin():
        yield opened
