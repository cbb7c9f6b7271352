"""A model is trained when, and only when, its sources changed."""

from pathlib import Path

import pytest

from desk import model


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("config.yml", "domain.yml", "data/nlu/en/orders.yml", "bot/tokenizer.py", "bot/channel.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("changed", ["config.yml", "domain.yml", "data/nlu/en/orders.yml", "bot/tokenizer.py"])
def test_a_changed_source_wants_another_model(project: Path, changed: str) -> None:
    before = model.wanted(project)
    (project / changed).write_text("something else", encoding="utf-8")
    assert model.wanted(project) != before


def test_a_moved_example_wants_another_model(project: Path) -> None:
    before = model.wanted(project)
    (project / "data/nlu/en/orders.yml").rename(project / "data/nlu/en/returns.yml")
    assert model.wanted(project) != before


@pytest.mark.parametrize("changed", ["bot/channel.py", "README.md", "data/notes.txt"])
def test_what_makes_no_difference_to_the_model_wants_no_other(project: Path, changed: str) -> None:
    before = model.wanted(project)
    (project / changed).write_text("something else", encoding="utf-8")
    assert model.wanted(project) == before


def test_the_bot_gets_no_secrets_that_are_not_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TELEGRAM_TOKEN", "123:abc")
    monkeypatch.setenv("DESK_DATA_KEY", "key")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    env = model.bot_environment(DESK_INTERNAL_SECRET="shared")
    assert "123:abc" not in env.values()
    assert "DESK_DATA_KEY" not in env
    assert "PYTHONDONTWRITEBYTECODE" not in env
    assert env["DESK_INTERNAL_SECRET"] == "shared"
