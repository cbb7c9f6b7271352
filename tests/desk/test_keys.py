"""Secrets that were not given are made once, kept safely, and never replaced."""

import base64
import stat
from pathlib import Path

import pytest

from crm.settings import Settings
from desk import keys


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SECRET_KEY", "DATA_KEY", "OWNER_PASSWORD", "INTERNAL_SECRET"):
        monkeypatch.delenv(f"DESK_{name}", raising=False)


def test_all_missing_keys_are_made(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    made = keys.make_missing(Settings(), file)
    assert set(made) == {"DESK_SECRET_KEY", "DESK_DATA_KEY", "DESK_OWNER_PASSWORD"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(made["DESK_DATA_KEY"])) == 32
    assert len(made["DESK_OWNER_PASSWORD"].split("-")) == 6
    assert keys.missing(Settings()) == []


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nDESK_SECRET_KEY='given by me'\nDESK_DATA_KEY=\nDESK_PORT=8100", encoding="utf-8")
    made = keys.make_missing(Settings(), file)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# mine", "DESK_SECRET_KEY='given by me'"]
    assert lines[2] == f"DESK_DATA_KEY={made['DESK_DATA_KEY']}"
    assert lines[3] == "DESK_PORT=8100"
    assert "DESK_SECRET_KEY" not in made
    text = file.read_text(encoding="utf-8")
    assert keys.make_missing(Settings(), file) == {}
    assert file.read_text(encoding="utf-8") == text


def test_nothing_is_written_when_all_keys_are_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in keys.MAKERS:
        monkeypatch.setenv(name, "given")
    assert keys.make_missing(Settings(), tmp_path / ".env") == {}
    assert not (tmp_path / ".env").exists()


def test_a_file_that_others_could_read_is_closed_when_keys_are_added(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.touch(mode=0o644)
    keys.make_missing(Settings(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_internal_secret_follows_from_the_secret_key() -> None:
    one, other = Settings(secret_key="one"), Settings(secret_key="other")
    assert one.require("internal_secret") == Settings(secret_key="one").require("internal_secret")
    assert one.require("internal_secret") != other.require("internal_secret")
    assert "one" not in one.require("internal_secret")
    assert Settings(secret_key="one", internal_secret="given").require("internal_secret") == "given"
