"""`python -m bot …` as scripts and people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bot(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=ROOT,
        input=stdin,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_parse_gives_one_line_for_every_line(model: Path) -> None:
    result = bot("parse", "--model", str(model), stdin="where is order 2003\n\n你好\n/restart\n   \n")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 0
    assert len(lines) == 5
    assert lines[0]["entities"] == [{"entity": "order_number", "value": "2003", "start": 15, "end": 19}]
    assert len(lines[0]["ranking"]) == 3
    assert (lines[1]["intent"], lines[1]["confidence"]) == ("out_of_scope", 0.0)
    assert (lines[2]["intent"], lines[2]["language"]) == ("greet", "zh")
    assert lines[3]["intent"] != "restart"
    assert lines[4]["intent"] == "out_of_scope"


def test_parse_and_serve_without_a_model_say_what_to_do(tmp_path: Path) -> None:
    assert "python -m bot train" in bot("parse", "--model", str(tmp_path)).stderr
    result = bot("serve", "--model", str(tmp_path), DESK_INTERNAL_SECRET="x")
    assert result.returncode == 1
    assert "python -m bot train" in result.stderr


def test_serve_without_a_secret_does_not_start(model: Path) -> None:
    result = bot("serve", "--model", str(model), DESK_INTERNAL_SECRET="")
    assert result.returncode == 2
    assert "DESK_INTERNAL_SECRET" in result.stderr


def test_training_says_what_is_missing_or_wrong(sources: Path, tmp_path: Path) -> None:
    nothing = bot("train", "--domain", str(tmp_path / "domain.yml"), "--out", str(tmp_path))
    assert nothing.returncode == 1
    assert "domain.yml" in nothing.stderr
    rules = tmp_path / "data" / "rules.yml"
    rules.parent.mkdir()
    rules.write_text(
        'version: "3.1"\nrules:\n- rule: x\n  steps: [{intent: greet}, {action: utter_nowhere}]\n', "utf-8"
    )
    (rules.parent / "nlu.yml").write_text((sources / "data" / "nlu.yml").read_text("utf-8"), "utf-8")
    wrong = bot(
        "train", "--config", str(sources / "config.yml"), "--domain", str(sources / "domain.yml"),
        "--data", str(rules.parent), "--out", str(tmp_path),
    )  # fmt: skip
    assert wrong.returncode == 1
    assert "utter_nowhere" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert not list(tmp_path.glob("*.tar.gz"))


def test_a_log_of_training_has_no_progress_bars(sources: Path, tmp_path: Path) -> None:
    result = bot(
        "train", "--config", str(sources / "config.yml"), "--domain", str(sources / "domain.yml"),
        "--data", str(sources / "data"), "--out", str(tmp_path),
    )  # fmt: skip
    assert result.returncode == 0
    assert "\r" not in result.stdout + result.stderr
    assert len(list(tmp_path.glob("solodesk-*.tar.gz"))) == 1
