"""Who may import whom. docs/decisions says why the border is where it is."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.product import ROOT

# Measures Rasa's own pipeline, in an environment of its own.
MEASURES_RASA = "benchmarks/nlu_diet.py"
OURS = {"actions", "analytics", "crm", "desk", "gateway", "bot"}


def modules_of(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (file for file in (ROOT / folder).rglob("*.py") if ".venv" not in file.parts)


def imported_by(file: Path) -> set[str]:
    """The top-level packages that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_the_edges_keep_apart_and_the_store_knows_none_of_them() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rasa_is_imported_under_bot_only() -> None:
    others = modules_of("actions", "analytics", "crm", "desk", "gateway", "demo", "benchmarks")
    guilty = [str(file.relative_to(ROOT)) for file in others if "rasa" in imported_by(file)]
    guilty = [file for file in guilty if file != MEASURES_RASA]
    assert not guilty, f"{guilty} import Rasa, which lives in bot/'s own Python (docs/decisions)"


def test_bot_imports_none_of_the_other_folders() -> None:
    for file in modules_of("bot"):
        foreign = imported_by(file) & (OURS - {"bot"})
        assert not foreign, f"{file.relative_to(ROOT)} imports {foreign}: only HTTP crosses that border"


def test_only_actions_know_the_sdk() -> None:
    guilty = [str(f.relative_to(ROOT)) for f in modules_of("crm", "desk", "gateway") if "rasa_sdk" in imported_by(f)]
    assert not guilty


def test_settings_are_read_in_one_place() -> None:
    """``os.environ`` belongs to crm/settings.py, and to those who start other programs with an environment."""
    allowed = {"crm/settings.py"} | {str(file.relative_to(ROOT)) for file in modules_of("desk")}
    guilty = [
        str(file.relative_to(ROOT))
        for file in modules_of("actions", "crm", "gateway")
        if "os.environ" in file.read_text(encoding="utf-8") and str(file.relative_to(ROOT)) not in allowed
    ]
    assert not guilty
