"""What the store needs before anybody uses it: this version's schema and, if wanted, the demo shop."""

import os
import sys

from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import crm
from crm import migrate
from crm.errors import ConfigError, CrmError
from crm.models import Customer, KnowledgeArticle, Order, Product
from crm.settings import Settings, load_settings
from crm.shop import load_shop
from desk.console import tell


def prepare(settings: Settings) -> None:
    """Raises CrmError."""
    load_shop(settings.shop_file)  # a mistake in it is better said now than by three processes
    engine = crm.bind(settings.database_url)
    _upgrade(engine)
    if settings.demo and is_empty():
        from desk.importing import load_demo

        load_demo(settings)


def _upgrade(engine: Engine) -> None:
    try:
        migrate.upgrade(engine)
    except OperationalError as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise ConfigError(f"The database {shown} cannot be opened: {str(error.orig).splitlines()[0]}.") from error


def is_empty() -> bool:
    """Whether nothing of a shop is in the store yet."""
    with crm.reading() as session:
        return not any(_has_one(session, table) for table in (Product, Customer, Order, KnowledgeArticle))


def _has_one(session: Session, table: type) -> bool:
    return session.execute(select(table).limit(1)).first() is not None


def main() -> int:
    try:
        prepare(load_settings())
    except CrmError as error:
        if os.environ.get("DESK_DEBUG") == "1":
            raise
        tell("store", str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
