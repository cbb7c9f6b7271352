"""What is written down is what is there."""

import re

import pytest

from crm.settings import Settings
from tests.support.product import ROOT

VARIABLE = re.compile(r"\bDESK_[A-Z_]+[A-Z]\b")
SETTINGS = sorted(f"DESK_{name.upper()}" for name in Settings.model_fields)
# Read outside crm/settings.py, and documented all the same.
SWITCHES = {"DESK_DEBUG", "DESK_BOT_PYTHON"}
TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)(.*)$", re.MULTILINE)


@pytest.mark.parametrize("file", ["docs/configuration.md", ".env.example"])
def test_every_setting_is_documented(file: str) -> None:
    written = set(VARIABLE.findall((ROOT / file).read_text(encoding="utf-8")))
    assert not set(SETTINGS) - written


def test_nothing_else_is_documented() -> None:
    for file in ("docs/configuration.md", ".env.example"):
        written = set(VARIABLE.findall((ROOT / file).read_text(encoding="utf-8")))
        assert not written - set(SETTINGS) - SWITCHES, file


def test_the_documented_defaults_are_the_real_ones() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        row = re.search(rf"^\| `DESK_{name.upper()}` \| ([^|]*) \|", text, re.MULTILINE)
        assert row, f"DESK_{name.upper()} has no row"
        default = field.default
        shown = {None: "", False: "`0`", True: "`1`", "": ""}.get(default, f"`{default}`")
        if isinstance(default, float) and default.is_integer():
            shown = f"`{int(default)}`"
        assert row[1].strip() == shown, f"DESK_{name.upper()}: documented {row[1]!r}, is {default!r}"


def test_the_example_sets_nothing() -> None:
    """So that a copy of it changes nothing until a line is uncommented."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.strip() and not line.startswith("#")]


def test_every_make_target_has_help() -> None:
    targets = TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert {"setup", "run", "test", "train", "lint", "help", "clean"} <= {name for name, _ in targets}
    assert not [name for name, rest in targets if "## " not in rest]


def test_the_readme_names_the_commands_that_exist() -> None:
    targets = {name for name, _ in TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))}
    for file in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        named = set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)) | set(re.findall(r"`make ([a-z-]+)", text))
        assert named <= targets, file


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    assert re.search(r"^make test$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
