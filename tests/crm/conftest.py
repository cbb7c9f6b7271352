"""A real store for every test: SQLite, and PostgreSQL as well where one is offered."""

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

import crm
from crm import migrate
from crm.database import unbind
from crm.importers import Context
from crm.shop import Shop

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/desk.db"
        return
    server = os.environ.get("DESK_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("DESK_TEST_POSTGRES_URL names no PostgreSQL server to test on")
    url = make_url(server).set(drivername="postgresql+psycopg")
    name = f"desk_{uuid.uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def store(database_url: str) -> Iterator[Engine]:
    engine = crm.bind(database_url)
    migrate.upgrade(engine)
    yield engine
    unbind()


@pytest.fixture
def context() -> Context:
    """A tea shop in Singapore, at noon UTC of 22 November 2026."""
    return Context(Shop(currency="SGD", timezone="Asia/Singapore"), NOW)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file with that content and gives its path."""

    def write(content: str | bytes, name: str = "file.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write
