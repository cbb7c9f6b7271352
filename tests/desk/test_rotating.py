"""``desk rotate-key`` and the key of a store, as the owner meets them."""

import base64
import sqlite3
from pathlib import Path

import pytest

from crm.errors import ConfigError
from desk import keys
from tests.support.product import KEYS, run_desk, settings_for

OLD = KEYS["DESK_DATA_KEY"]
NEW = base64.urlsafe_b64encode(bytes([7]) * 32).decode()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A store with one customer in it."""
    env = settings_for(tmp_path)
    (tmp_path / "customers.csv").write_text("customer_id,name,email\n1,Anna,anna@example.com\n", encoding="utf-8")
    assert run_desk("import", "csv", "--customers", str(tmp_path / "customers.csv"), env=env)[0] == 0
    return env


def stored_email(folder: Path) -> str:
    with sqlite3.connect(folder / "desk.db") as connection:
        return str(connection.execute("SELECT email FROM customers").fetchone()[0])


def test_a_key_from_the_environment_is_changed_by_naming_both(env: dict[str, str], tmp_path: Path) -> None:
    before = stored_email(tmp_path)
    both = env | {"DESK_DATA_KEY": NEW, "DESK_DATA_KEY_OLD": OLD}
    status, _, errors = run_desk("customer", "export", "anna@example.com", env=both)
    assert (status, "desk rotate-key" in errors) == (2, True)
    status, out, errors = run_desk("rotate-key", env=both)
    assert (status, errors) == (0, "")
    assert "values are encrypted with the key" in out
    assert stored_email(tmp_path) != before
    status, out, _ = run_desk("customer", "export", "anna@example.com", env=env | {"DESK_DATA_KEY": NEW})
    assert (status, '"name": "Anna"' in out) == (0, True)


def test_the_old_key_does_not_open_it_any_more_and_says_what_to_do(env: dict[str, str], tmp_path: Path) -> None:
    wrong = env | {"DESK_DATA_KEY": NEW}
    status, out, errors = run_desk("customer", "export", "anna@example.com", env=wrong)
    assert (status, out) == (2, "")
    assert "Put the key that belongs to the store into .env" in errors
    status, out, _ = run_desk("customer", "export", "anna@example.com", env=env)
    assert (status, '"name": "Anna"' in out) == (0, True)


def test_a_store_whose_key_is_gone_does_not_get_a_second_one(env: dict[str, str]) -> None:
    status, _, errors = run_desk("customer", "export", "anna@example.com", env=env | {"DESK_DATA_KEY": ""})
    assert status == 2
    assert "put back the .env that belongs to it" in errors


def test_a_key_that_is_not_in_env_is_not_replaced_there(env: dict[str, str], tmp_path: Path) -> None:
    before = stored_email(tmp_path)
    status, _, errors = run_desk("rotate-key", env=env)
    assert status == 2
    assert "Set DESK_DATA_KEY to the new key and DESK_DATA_KEY_OLD to the old one" in errors
    assert stored_email(tmp_path) == before


def test_a_new_key_stands_beside_the_old_one_until_that_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESK_DATA_KEY", raising=False)
    file = tmp_path / ".env"
    file.write_text(f"DESK_PORT=8100\nDESK_DATA_KEY='{OLD}'\n", encoding="utf-8")
    keys.replace(file, "DESK_DATA_KEY", kept_as="DESK_DATA_KEY_OLD")
    port, new, old = file.read_text(encoding="utf-8").splitlines()
    assert (port, old) == ("DESK_PORT=8100", f"DESK_DATA_KEY_OLD={OLD}")
    assert len(base64.urlsafe_b64decode(new.removeprefix("DESK_DATA_KEY="))) == 32
    assert new != f"DESK_DATA_KEY={OLD}"
    keys.drop(file, "DESK_DATA_KEY_OLD")
    assert file.read_text(encoding="utf-8") == f"{port}\n{new}\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_in_the_environment_wins_over_the_file_and_is_not_replaced_behind_its_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_DATA_KEY", NEW)
    file = tmp_path / ".env"
    file.write_text(f"DESK_DATA_KEY={OLD}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="in the environment"):
        keys.replace(file, "DESK_DATA_KEY", kept_as="DESK_DATA_KEY_OLD")
    assert file.read_text(encoding="utf-8") == f"DESK_DATA_KEY={OLD}\n"
