"""Opening the store for a command: its keys, its schema, one sentence when that does not go."""

import sys
from pathlib import Path

from sqlalchemy.exc import OperationalError, SQLAlchemyError

import crm
from crm import migrate
from crm.database import make_engine
from crm.errors import ConfigError
from crm.sealing import DataKeyMissing, belonging
from crm.settings import Settings, load_settings
from desk import keys
from desk.places import enter_root

DATA_KEY = "DESK_DATA_KEY"


def open_store() -> Settings:
    """Binds this process to the store and brings it up to date; a new store gets its key. Raises CrmError."""
    enter_root()
    settings = load_settings()
    if DATA_KEY in keys.missing(settings):
        refuse_a_second_key(settings)
        if keys.make_missing(settings, Path(".env"), only=(DATA_KEY,)):
            print(f"Made {DATA_KEY}, which encrypts personal data; kept in .env. Back it up.", file=sys.stderr)
        settings = load_settings()
    bring_up_to_date(settings)
    return settings


def bring_up_to_date(settings: Settings) -> None:
    """Raises ConfigError if the database cannot be opened, and what ``migrate.upgrade`` raises."""
    engine = crm.bind(settings.database_url)
    try:
        migrate.upgrade(engine)
    except OperationalError as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise ConfigError(f"The database {shown} cannot be opened: {str(error.orig).splitlines()[0]}.") from error


def refuse_a_second_key(settings: Settings) -> None:
    """A new key would not open a store that is encrypted already. Raises DataKeyMissing."""
    engine = make_engine(settings.database_url)
    try:
        encrypted = belonging.needs_a_key(engine)
    except SQLAlchemyError:
        return  # whoever opens it in earnest says what is wrong with it
    finally:
        engine.dispose()
    if encrypted:
        raise DataKeyMissing
