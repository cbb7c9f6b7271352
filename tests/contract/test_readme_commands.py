"""The README's `desk` commands do what they say when they are typed as they stand there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DESK = Path(sys.executable).with_name("desk")
COMMAND = re.compile(r"^uv run desk (.+)$", re.MULTILINE)


def commands() -> list[str]:
    found = [
        line for name in ("README.md", "README.zh.md") for line in COMMAND.findall((ROOT / name).read_text("utf-8"))
    ]
    return list(dict.fromkeys(found))


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    """A folder with the files that the commands name."""
    for kind in ("products", "customers", "orders"):
        shutil.copy(ROOT / "demo" / f"{kind}_export.csv", tmp_path)
    shutil.copytree(ROOT / "demo" / "knowledge", tmp_path / "articles")
    (tmp_path / "products.csv").write_text("sku,title,price\nMUG-1,Mist Mug,18.00\n", "utf-8")
    (tmp_path / "customers.csv").write_text("customer_id,name,email\n7,Ms Park,park@example.com\n", "utf-8")
    (tmp_path / "orders.csv").write_text("customer_id,date,amount,sku\n7,2026-10-01,18.00,MUG-1\n", "utf-8")
    return tmp_path


def test_both_languages_name_the_same_commands() -> None:
    english, chinese = (COMMAND.findall((ROOT / name).read_text("utf-8")) for name in ("README.md", "README.zh.md"))
    assert english == chinese
    assert len(english) >= 4


@pytest.mark.parametrize("command", commands())
def test_a_command_runs_as_it_stands(command: str, shop_folder: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DESK_")},
        "DESK_DATABASE_URL": f"sqlite:///{shop_folder}/desk.db",
        "DESK_SHOP": str(ROOT / "demo" / "shop.toml"),
        "DESK_SECRET_KEY": "s" * 40,
        "DESK_DATA_KEY": os.environ["DESK_DATA_KEY"],
        "DESK_PORT": "1",
    }

    def typed(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(DESK), *shlex.split(line)],
            cwd=shop_folder, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    if command.startswith("backup"):
        # The README comes to it when the shop has been brought in.
        assert typed("import csv --products products.csv").returncode == 0
    done = typed(command)
    # The examination may find something to mend on the machine at hand; everything else has to succeed.
    assert done.returncode in ((0, 1) if command == "doctor" else (0,)), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
