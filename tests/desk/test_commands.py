"""Every command as it is typed, mistakes included."""

import csv
import json
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.product import ROOT, run_desk, settings_for

PRODUCTS = "sku,title,price\nT1,Jasmine Pearls 茉莉龙珠,18.00\nT2,Smoky Lapsang 烟熏正山小种,16.00\n"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return settings_for(tmp_path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_every_command_has_help(env: dict[str, str]) -> None:
    status, out, _ = run_desk("--help", env=env)
    assert status == 0
    for command in ("up", "import", "chat", "parse", "doctor", "train", "version"):
        assert command in out
        assert run_desk(command, "--help", env=env)[0] == 0


def test_version(env: dict[str, str]) -> None:
    status, out, _ = run_desk("version", env=env)
    assert (status, out.split()[0]) == (0, "solodesk")


def test_an_import_adds_and_a_second_one_changes_nothing(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    status, out, _ = run_desk("import", "csv", "--products", str(tmp_path / "products.csv"), env=env)
    assert status == 0
    assert "2 added, 0 updated, 0 unchanged, 0 rows refused" in out
    status, out, _ = run_desk("import", "csv", "--products", str(tmp_path / "products.csv"), env=env)
    assert status == 0
    assert "0 added, 0 updated, 2 unchanged, 0 rows refused" in out


def test_refused_rows_are_told_listed_and_make_the_status_1(env: dict[str, str], tmp_path: Path) -> None:
    bad = "".join(f"B{number},Cup {number},cheap\n" for number in range(30))
    (tmp_path / "products.csv").write_text(PRODUCTS + bad, encoding="utf-8")
    status, out, errors = run_desk("import", "csv", "--products", str(tmp_path / "products.csv"), env=env)
    assert status == 1
    assert "2 added" in out
    assert errors.count("  refused: products.csv line ") == 20
    assert "30 rows were refused (and 10 more)" in errors
    listed = next(tmp_path.glob("import-refused-*.csv"))
    rows = list(csv.DictReader(listed.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 30
    assert rows[0]["line"] == "4"
    assert rows[0]["column"]
    assert rows[0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "csv"], "Name at least one file"),
        (["import", "csv", "--products", "nowhere.csv"], "nowhere.csv"),
        (["import", "knowledge", "nowhere"], "nowhere"),
        (["import", "shopify", "--orders", str(ROOT / "demo" / "people.csv")], "no column"),
        (["import", "shopify", "--products", str(ROOT / "uv.lock")], "uv.lock"),
        (["up", "--only", "database"], "choose from gateway, rasa, actions"),
        (["chat"], "start it with `desk up`"),
        (["nothing"], "nothing"),
    ],
)
def test_a_mistake_ends_with_status_2_and_one_sentence(env: dict[str, str], arguments: list[str], said: str) -> None:
    status, _, errors = run_desk(*arguments, env=env)
    assert status == 2
    assert said in errors
    assert "Traceback" not in errors


def test_a_wrong_setting_is_named(env: dict[str, str]) -> None:
    status, _, errors = run_desk("up", env=env | {"DESK_PORT": "eight"})
    assert status == 2
    assert "DESK_PORT" in errors


def test_a_taken_port_is_told_with_who_has_it(env: dict[str, str], taken_port: int) -> None:
    status, _, errors = run_desk("up", env=env | {"DESK_PORT": str(taken_port)})
    assert status == 2
    assert f"Port {taken_port} is in use by process {os.getpid()}" in errors
    status, _, errors = run_desk("up", env=env | {"DESK_RASA_URL": f"http://127.0.0.1:{taken_port}"})
    assert status == 2
    assert f"Port {taken_port}, which Rasa needs," in errors
    assert "DESK_RASA_URL" in errors


def test_a_mistake_in_the_shops_file_stops_the_start(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text('name = "Tea"\ncurrncy = "SGD"\n', encoding="utf-8")
    env["DESK_SHOP"] = str(tmp_path / "shop.toml")
    status, out, _ = run_desk("up", "--only", "actions", env=env)
    assert status == 2
    assert "line 2" in out
    assert "currncy" in out


@pytest.mark.product
def test_every_line_is_parsed_into_exactly_one_line(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    run_desk("import", "csv", "--products", str(tmp_path / "products.csv"), env=env)
    said = "我的订单 1384 到哪了\n\n  \r\nHow much are the Jasmine Pearls?\none\u2028line\x0b\x85still\n/restart\n\xff"
    status, out, errors = run_desk("parse", env=env, said=said.encode() + b"\xff\xfe\nlast without a line end")
    assert status == 0, errors
    found = [json.loads(line) for line in out.split("\n")[:-1]]
    assert len(found) == 8
    assert all({"intent", "confidence", "entities", "language"} <= set(line) for line in found)
    assert found[0]["intent"] == "track_order"
    assert found[0]["language"] == "zh"
    assert [e["value"] for e in found[0]["entities"] if e["entity"] == "order_number"] == ["1384"]
    assert [e["value"] for e in found[3]["entities"] if e["entity"] == "product"] == ["Jasmine Pearls 茉莉龙珠"]


@pytest.mark.product
def test_parse_works_without_a_store(env: dict[str, str], tmp_path: Path) -> None:
    env["DESK_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    status, out, _ = run_desk("parse", env=env, said="hello")
    assert status == 0
    assert json.loads(out)["intent"] == "greet"


def test_the_doctor_says_what_to_mend(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text("name = 3\n", encoding="utf-8")
    env |= {
        "DESK_SHOP": str(tmp_path / "shop.toml"),
        "DESK_REDIS_URL": "redis://127.0.0.1:1",
        "DESK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "DESK_BOT_PYTHON": str(tmp_path / "python"),
    }
    status, out, _ = run_desk("doctor", env=env)
    assert status == 1
    failed = [line for line in out.splitlines() if line.startswith("fail")]
    for part in ("make setup", "shop.toml", "DESK_DATABASE_URL", "DESK_REDIS_URL"):
        assert any(part in line for line in failed), (part, out)


def test_the_doctor_notices_an_open_env_file(env: dict[str, str], tmp_path: Path) -> None:
    # The command works in the project's folder, so this one is a copy of what it needs to recognise one.
    project = tmp_path / "project"
    project.mkdir()
    shutil.copytree(ROOT / "desk", project / "desk", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "domain.yml").touch()
    (project / ".env").touch(mode=0o644)
    (project / ".env").chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH)
    status, out, _ = run_desk("doctor", env=env | {"PYTHONPATH": str(project)}, cwd=project)
    assert status == 1
    assert "chmod 600 .env" in out
