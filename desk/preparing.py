"""What the store needs before anybody uses it: this version's schema and, if wanted, the demo shop."""

import os
import sys

from sqlalchemy import select
from sqlalchemy.orm import Session

import crm
from crm.errors import CrmError
from crm.models import Customer, KnowledgeArticle, Order, Product
from crm.settings import Settings, load_settings
from crm.shop import load_shop
from desk.console import tell
from desk.store import bring_up_to_date


def prepare(settings: Settings) -> None:
    """Raises CrmError."""
    load_shop(settings.shop_file)  # a mistake in it is better said now than by three processes
    bring_up_to_date(settings)
    if settings.demo and is_empty():
        from desk.importing import load_demo

        load_demo(settings)


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
