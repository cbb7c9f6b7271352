"""Tests on MariaDB: a folder whose conftest.py imports ``on_every_database`` runs there too."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from crm.database import make_engine
from crm.models import DataKey
from tests.support.databases import new_database

WHAT_TO_DO = "install mariadb-server, start it and set DESK_TEST_MARIADB_URL, such as mariadb://root@127.0.0.1:3306"
_KEPT = ("alembic_version", DataKey.__tablename__)
_TABLES = text("SELECT table_name, auto_increment FROM information_schema.tables WHERE table_schema = database()")


def mariadb_server() -> str:
    """The URL of a server in which databases may be made. Skips the test, saying why, where there is none."""
    offered = os.environ.get("DESK_TEST_MARIADB_URL")
    if not offered:
        pytest.skip(WHAT_TO_DO)
    return offered


@pytest.fixture(name="database_url", params=["sqlite", "postgresql", "mariadb"])
def on_every_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a row of an earlier test."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/desk.db"
    elif request.param == "postgresql":
        with new_database(request.getfixturevalue("postgres_url")) as url:
            yield url
    elif getattr(request.module, "CHANGES_THE_KEY", False):
        pytest.skip("it changes the key of its store, and all tests on MariaDB share one")
    else:
        url = request.getfixturevalue("mariadb_url")
        yield url
        _empty(url)


def _empty(url: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET foreign_key_checks = 0"))
        for table, next_number in connection.execute(_TABLES).all():
            if next_number is not None and next_number > 1:
                connection.execute(text(f"TRUNCATE TABLE {table}"))
            elif next_number is None and table not in _KEPT:
                connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
