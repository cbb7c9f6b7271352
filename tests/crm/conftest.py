"""What tests of the store start from."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crm.importers import Context
from crm.shop import Shop
from tests.support.mariadb import on_every_database

__all__ = ["on_every_database"]

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


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
