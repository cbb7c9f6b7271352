"""``desk customer`` as the owner calls it, and a restore that brings nobody back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.product import ROOT

CUSTOMERS = "customer_id,name,email\n7,Ms Park,park@example.com\n8,Lin,lin@example.org\n"
ORDERS = (
    "customer_id,date,amount,order_number,email\n"
    "7,2026-01-05,18,A1,park@example.com\n8,2026-01-06,9,A2,lin@example.org\n"
)


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "DESK_DATABASE_URL": f"sqlite:///{folder}/desk.db",
            "DESK_PORT": "1",
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(Path(sys.executable).with_name("desk")), *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip


@pytest.fixture
def desk_with_two(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    (tmp_path / "customers.csv").write_text(CUSTOMERS)
    (tmp_path / "orders.csv").write_text(ORDERS)
    done = desk.run("import", "csv", "--customers", f"{tmp_path}/customers.csv", "--orders", f"{tmp_path}/orders.csv")
    assert done.returncode == 0, done.stderr
    return desk


def test_export_erase_and_a_restored_backup(desk_with_two: Desk) -> None:
    desk, folder = desk_with_two, desk_with_two.folder
    exported = json.loads(desk.run("customer", "export", "park@example.com").stdout)
    assert (exported["customer"]["external_id"], exported["orders"][0]["number"]) == ("7", "A1")
    assert desk.run("backup", f"{folder}/before.backup").returncode == 0

    receipt = json.loads(desk.run("customer", "erase", "7").stdout)
    assert receipt["emptied"]["customers"] == 1
    again = desk.run("customer", "export", "park@example.com")
    assert (again.returncode, again.stdout) == (2, "")
    assert b"park@example.com" not in b"".join(file.read_bytes() for file in folder.glob("desk.db*"))
    assert json.loads(desk.run("customer", "export", "A2").stdout)["customer"]["name"] == "Lin"

    restored = desk.run("restore", f"{folder}/before.backup", "--force")
    assert restored.returncode == 0, restored.stderr
    assert desk.run("customer", "export", "park@example.com").returncode == 2
    assert desk.run("customer", "export", "8").returncode == 0
    assert b"park@example.com" not in (folder / "desk.db").read_bytes()


def numbers(desk: Desk) -> list[str]:
    return sorted(order["number"] for order in json.loads(desk.run("customer", "export", "7").stdout)["orders"])


def test_merge_list_and_unmerge(desk_with_two: Desk) -> None:
    desk = desk_with_two
    assert desk.run("customer", "merge", "7", "8").returncode == 0
    assert numbers(desk) == ["A1", "A2"]
    assert "owner" in desk.run("customer", "merges").stdout
    assert desk.run("customer", "unmerge", "1").returncode == 0
    assert numbers(desk) == ["A1"]
    refused = desk.run("customer", "unmerge", "1")
    assert (refused.returncode, "no merge 1" in refused.stderr) == (2, True)


def test_retention_is_counted_before_it_is_done(desk_with_two: Desk) -> None:
    counted = json.loads(desk_with_two.run("privacy", "prune", "--dry-run", "--days", "30").stdout)
    assert (counted["dry_run"], counted["messages"], counted["retention_days"]) == (True, 0, 30)
