"""``desk backup`` and ``desk restore`` as the owner types them."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.product import run_desk, settings_for

CUSTOMERS = "customer_id,name,email\n1,Lin,lin@example.org\n2,Ms Park,park@example.com\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return settings_for(tmp_path)


@pytest.fixture
def a_shop(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    assert run_desk("import", "csv", "--customers", str(tmp_path / "customers.csv"), env=env)[0] == 0


def _database(env: dict[str, str]) -> Path:
    return Path(env["DESK_DATABASE_URL"].removeprefix("sqlite:///"))


def _customers(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        found: int = connection.execute("SELECT count(*) FROM customers").fetchone()[0]
    connection.close()
    return found


@pytest.mark.usefixtures("a_shop")
def test_a_lost_store_comes_back_from_its_backup(env: dict[str, str], tmp_path: Path) -> None:
    status, out, _ = run_desk("backup", str(tmp_path / "desk.backup"), env=env)
    assert status == 0
    assert "checked" in out
    for file in _database(env).parent.glob(f"{_database(env).name}*"):
        file.unlink()

    status, _, _ = run_desk("restore", str(tmp_path / "desk.backup"), env=env)

    assert status == 0
    assert _customers(_database(env)) == 2


@pytest.mark.usefixtures("a_shop")
def test_a_store_is_only_replaced_on_demand_and_then_kept_aside(env: dict[str, str], tmp_path: Path) -> None:
    run_desk("backup", str(tmp_path / "desk.backup"), env=env)
    (tmp_path / "customers.csv").write_text(CUSTOMERS + "3,Chen,chen@example.net\n", encoding="utf-8")
    run_desk("import", "csv", "--customers", str(tmp_path / "customers.csv"), env=env)

    status, _, errors = run_desk("restore", str(tmp_path / "desk.backup"), env=env)
    assert status == 2
    assert "--force" in errors
    assert _customers(_database(env)) == 3

    status, _, _ = run_desk("restore", str(tmp_path / "desk.backup"), "--force", env=env)
    assert status == 0
    assert _customers(_database(env)) == 2
    (kept,) = _database(env).parent.glob("*.before-restore-*")
    assert _customers(kept) == 3


@pytest.mark.usefixtures("a_shop")
def test_an_encrypted_backup_needs_its_passphrase(env: dict[str, str], tmp_path: Path) -> None:
    sealed = tmp_path / "desk.backup"
    right, wrong = {**env, "DESK_BACKUP_PASSPHRASE": "correct horse"}, {**env, "DESK_BACKUP_PASSPHRASE": "no"}
    assert run_desk("backup", str(sealed), "--encrypt", env=right)[0] == 0
    assert b"lin@example.org" not in sealed.read_bytes()

    status, _, errors = run_desk("restore", str(sealed), "--force", env=wrong)
    assert status == 2
    assert "passphrase" in errors
    assert run_desk("restore", str(sealed), "--force", env=right)[0] == 0
    assert _customers(_database(env)) == 2


@pytest.mark.usefixtures("a_shop")
def test_daily_backups_make_room_for_newer_ones(env: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 9):
        (folder / f"desk-202601{day:02d}-030000.backup").write_bytes(b"old")
    (folder / "holiday.jpg").write_bytes(b"not ours")

    assert run_desk("backup", str(folder), "--daily", "--keep", "3", env=env)[0] == 0

    names = sorted(file.name for file in folder.iterdir())
    assert names[:2] == ["desk-20260107-030000.backup", "desk-20260108-030000.backup"]
    assert len(names) == 4
    assert "holiday.jpg" in names


@pytest.mark.usefixtures("a_shop")
def test_a_file_that_is_no_backup_changes_nothing(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"not a backup")

    status, _, errors = run_desk("restore", str(tmp_path / "holiday.jpg"), "--force", env=env)

    assert status == 2
    assert "holiday.jpg" in errors
    assert _customers(_database(env)) == 2
