"""Which key a store is encrypted with: it is noted there, by an id that tells nothing of the key."""

from datetime import datetime

from sqlalchemy import Connection, Engine, insert, inspect, select, update

from crm.errors import CrmError
from crm.models import Base
from crm.models.privacy import DataKey
from crm.sealing import rewriting
from crm.sealing.keyring import Keyring, keyring
from crm.sealing.keys import WrongDataKey


class RotationUnfinished(CrmError):
    def __init__(self) -> None:
        super().__init__(
            "The change of DESK_DATA_KEY was interrupted; nothing is lost. Run `desk rotate-key` to finish it."
        )


def key_of(connection: Connection) -> str | None:
    """The id of the key that the store needs; None of a store from before, and of none at all."""
    if not inspect(connection).has_table(DataKey.__tablename__):
        return None
    return connection.scalar(select(DataKey.key_id))


def needs_a_key(engine: Engine) -> bool:
    """Whether there is a store that was encrypted before: a new key would not open it."""
    with engine.connect() as connection:
        return key_of(connection) is not None


def check(connection: Connection) -> None:
    """Raises DataKeyMissing, WrongDataKey, RotationUnfinished unless DESK_DATA_KEY is the store's."""
    ring, needed = keyring(), key_of(connection)
    if needed is None or needed == ring.active:
        return
    if needed in ring.ids:
        raise RotationUnfinished
    raise WrongDataKey(needed, ring.active)


def rotate(connection: Connection, ring: Keyring, *, now: datetime) -> int:
    """Encrypts everything with the ring's first key, within the caller's transaction; returns how many values.

    Raises WrongDataKey if some of it is under a key that is not in the ring.
    """
    count = rewriting.seal(connection, rewriting.sealed_columns(Base.metadata), ring)
    if connection.execute(update(DataKey).values(key_id=ring.active, since=now)).rowcount == 0:
        connection.execute(insert(DataKey).values(key_id=ring.active, since=now))
    return count
