"""A failure inside Rasa is logged with its place; what the customer wrote stays out, whoever logs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORDS = "my-secret-words"
FAILS = f"""
import logging, structlog
from bot.__main__ import _quieten

_quieten(verbose=False)

def fails(text):
    words = text
    raise ValueError("cannot read " + text)

try:
    fails("{WORDS}")
except ValueError:
    LOGS
"""


@pytest.mark.parametrize(
    "logs",
    [
        'logging.getLogger("rasa").exception("failed")',
        'logging.getLogger("rasa").error("failed", exc_info=True)',
        'structlog.get_logger().error("failed", exc_info=True)',
        'structlog.get_logger().exception("failed")',
    ],
)
def test_a_failure_is_logged_by_its_place_alone(logs: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAILS.replace("LOGS", logs)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = done.stdout + done.stderr
    assert "error=ValueError at <string>:" in said
    assert WORDS not in said
