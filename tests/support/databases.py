"""A PostgreSQL server to test on, offered or one of our own for this run; a MariaDB server, if one is offered."""

import os
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

WHAT_TO_DO = "set DESK_TEST_POSTGRES_URL, or install the development packages (`make setup-dev`), to test on PostgreSQL"


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """The URL of a server in which databases may be made. Skips the test, saying why, where there is none."""
    offered = os.environ.get("DESK_TEST_POSTGRES_URL")
    if offered:
        yield offered
        return
    with warnings.catch_warnings():
        # Where there is no desktop session one of its libraries warns about the folder that it takes instead.
        warnings.simplefilter("ignore")
        try:
            import pgserver
        except ImportError:
            pytest.skip(WHAT_TO_DO)
    try:
        server = pgserver.get_server(folder, cleanup_mode="stop")
    except Exception as error:
        # It runs programs of its own that fail in ways it does not name; whichever it is, there is no server.
        pytest.skip(f"no PostgreSQL server could be started ({type(error).__name__}): {WHAT_TO_DO}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL of a fresh, empty database on the server; it is dropped at the end."""
    url = make_url(server)
    is_mariadb = url.get_backend_name() == "mariadb"
    url = url.set(drivername="mariadb+pymysql" if is_mariadb else "postgresql+psycopg")
    name = f"desk_{uuid.uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield url.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}" + ("" if is_mariadb else " WITH (FORCE)")))
    finally:
        admin.dispose()
