"""Rasa's working memory lies in a database of its own; what it remembers of a conversation is removed here."""

from collections.abc import Sequence

from sqlalchemy import NullPool, column, create_engine, delete, inspect, make_url, table

from crm.database import BUSY_TIMEOUT_MS
from crm.parts import in_parts

_TRACKERS = table("trackers", column("sender_id"))


def forget(url: str, conversations: Sequence[str]) -> int:
    """Removes the conversations, given by their public ids; returns how many Rasa still knew. Other tables stay."""
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    is_file = parsed.get_backend_name() == "sqlite"
    arguments = {"timeout": BUSY_TIMEOUT_MS / 1000} if is_file else {}
    engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
    if not conversations or not inspect(engine).has_table(_TRACKERS.name):
        return 0
    known = 0
    with engine.connect() as connection:
        if is_file:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
        for part in in_parts(conversations):
            known += connection.execute(delete(_TRACKERS).where(_TRACKERS.c.sender_id.in_(part))).rowcount
        connection.commit()
        if is_file:
            # What was written stays readable in the log until that is emptied too.
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return known
