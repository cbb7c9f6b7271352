"""Bringing a database to this version's schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from crm.database import scrub
from crm.errors import SchemaOutdated
from crm.sealing import belonging


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings for this project, bound to a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine) -> None:
    """Runs every migration that is missing, in one transaction: a failed one leaves the old state.

    Raises DataKeyMissing, WrongDataKey, RotationUnfinished: nothing is changed then.
    """
    with engine.begin() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        command.upgrade(config(connection), "head")
        belonging.check(connection)
        changed = MigrationContext.configure(connection).get_current_revision() != before
    if changed:
        scrub(engine)  # what a migration encrypted must not stay readable in the write-ahead log


def new_revision(engine: Engine, message: str) -> None:
    """Writes a migration from the difference between the models and the database."""
    with engine.begin() as connection:
        command.revision(config(connection), message, autogenerate=True)


def revisions() -> set[str]:
    """Every schema there ever was."""
    return {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


def check(engine: Engine) -> None:
    """Raises SchemaOutdated unless the database has exactly this version's schema, and if its key is another one."""
    wanted = ScriptDirectory.from_config(config()).get_current_head() or ""
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        belonging.check(connection)
    if found != wanted:
        raise SchemaOutdated(found, wanted)
