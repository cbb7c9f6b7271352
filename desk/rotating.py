"""``desk rotate-key``: another key for the personal data, all of it or nothing."""

from pathlib import Path

from pydantic import SecretStr

import crm
from crm import sealing
from crm.database import engine, scrub
from crm.errors import ConfigError
from crm.sealing import Keyring, belonging
from crm.settings import load_settings
from crm.types import now
from desk import keys
from desk.backing_up import refuse_while_serving
from desk.console import tell
from desk.places import enter_root

NEW, OLD = "DESK_DATA_KEY", "DESK_DATA_KEY_OLD"


def rotate_key() -> int:
    """Makes a new key, encrypts everything with it, and drops the old one.

    With DESK_DATA_KEY_OLD set it takes DESK_DATA_KEY as the new key: that is how an interrupted run is finished, and
    how keys are changed that are not kept in .env. Raises CrmError; the store then still has its old key.
    """
    enter_root()
    settings = load_settings()
    refuse_while_serving(settings)
    file = Path(".env")
    if not _secret(settings.data_key_old):
        keys.replace(file, NEW, kept_as=OLD)
        settings = load_settings()
    ring = Keyring([_secret(settings.data_key), _secret(settings.data_key_old)], messages=settings.encrypt_messages)
    bound = crm.bind(settings.database_url)
    with bound.begin() as connection:
        if (needed := belonging.key_of(connection)) is None:
            raise ConfigError("There is no encrypted store yet; `desk up` makes one.")
        if needed not in ring.ids:
            raise sealing.WrongDataKey(needed, ring.active)
        count = belonging.rotate(connection, ring, now=now())
    scrub(engine())
    keys.drop(file, OLD)
    tell("desk", f"{count} values are encrypted with the key {ring.active} now; it is in .env. Back it up.")
    tell("desk", "Backups made before still need the old key.")
    return 0


def _secret(given: SecretStr | None) -> str:
    return given.get_secret_value() if given is not None else ""
