"""What tests of several folders share: a store on both databases, and the whole product running."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

import crm
from crm import migrate
from crm.database import unbind
from tests.support.databases import new_database, postgres_server
from tests.support.mariadb import mariadb_server
from tests.support.product import KEYS, RunningDesk, running_desk

os.environ.setdefault("DESK_DATA_KEY", KEYS["DESK_DATA_KEY"])


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    # Not in pytest's own folder: another run closes that to everybody but root, and the server does not run as root.
    with (
        tempfile.TemporaryDirectory(prefix="desk-postgres-", ignore_cleanup_errors=True) as folder,
        postgres_server(Path(folder)) as url,
    ):
        yield url


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """A database for all tests together: each makes and leaves it empty, for making its tables takes seconds."""
    with new_database(mariadb_server()) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/desk.db"
        return
    with new_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def store(database_url: str) -> Iterator[Engine]:
    """The store, open and with this version's schema."""
    engine = crm.bind(database_url)
    migrate.upgrade(engine)
    yield engine
    unbind()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """Gateway, Rasa and action server with the demo shop. One for all tests: leave it as you found it."""
    with running_desk(tmp_path_factory.mktemp("desk"), DESK_DEMO="1") as running:
        yield running
