"""Prepares both Python environments. Runs before anything is installed: any Python 3.8, standard library only.

    python3 desk/environments.py [--dev]

Finds or installs uv, finds or installs Python 3.10 for Rasa, and brings .venv and bot/.venv to what the two lock files
say. Does nothing, quickly, when nothing changed.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
BOT = ROOT / "bot"
OWN_CODE = ("actions", "analytics", "crm", "desk", "gateway")
OLDEST_UV = (0, 5)
# What a Python must be able to import; those built without some system library cannot.
NEEDED_MODULES = "bz2, ctypes, lzma, sqlite3, ssl, zlib"


class Missing(Exception):
    """Something cannot be prepared; the message says what to do."""


def say(text: str) -> None:
    print(f"setup    {text}", flush=True)


def run(command: list[str], *, what: str) -> None:
    """Raises Missing with ``what`` in the message; what the command itself says is on the screen already."""
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment(), check=False)
    except OSError as error:
        raise Missing(f"{what} failed: {error}.") from None
    if done.returncode != 0:
        raise Missing(f"{what} failed; the lines above say why. Is the network there?")


def output(command: list[str]) -> str | None:
    """What the command prints, or None if it is not there or fails, as a shim for a missing version does."""
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")}
    return {**env, "UV_COMPILE_BYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


# ----------------------------------------------------------------------------------------------------------- finding


def find_uv() -> str:
    """A uv that works: on the PATH, installed here earlier, or installed here now."""
    for candidate in (shutil.which("uv"), str(TOOLS / "bin" / "uv")):
        if candidate and _is_new_enough(output([candidate, "--version"])):
            return candidate
    say("installing uv into .tools/")
    run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(TOOLS), "uv"], what="Installing uv with pip"
    )
    return str(TOOLS / "bin" / "uv")


def _is_new_enough(version: str | None) -> bool:
    try:
        numbers = tuple(int(part) for part in (version or "").split()[1].split(".")[:2])
    except (IndexError, ValueError):
        return False
    return numbers >= OLDEST_UV


def find_python(uv: str, environment_folder: Path, candidates: Iterator[str], test: str, install: str) -> str:
    """The environment's own interpreter if it is good, else the first candidate that passes, else installed by uv."""
    own = environment_folder / "bin" / "python"
    for candidate in (str(own), *candidates):
        found = _passes(candidate, test)
        if found:
            return str(own) if candidate == str(own) else found
    say(f"installing Python {install}")
    run([uv, "python", "install", install], what=f"Installing Python {install}")
    found = output([uv, "python", "find", "--managed-python", install])
    if not found:
        raise Missing(f"Python {install} was not found, nor could uv install it; put python{install} on the PATH.")
    return found


def _passes(python: str, test: str) -> str | None:
    """The interpreter's real path if it is of the right version and complete."""
    code = f"import sys, {NEEDED_MODULES}; assert {test}; print(sys.executable)"
    return output([python, "-I", "-c", code]) if python else None


def candidates_for(uv: str, *versions: str) -> Iterator[str]:
    """Interpreters of these versions, best first: on the PATH, known to uv, installed by pyenv."""
    for version in versions:
        yield shutil.which(f"python{version}") or ""
        yield output([uv, "python", "find", "--no-python-downloads", "--no-project", version]) or ""
        pyenv = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
        yield from sorted(glob.glob(f"{pyenv}/versions/{version}.*/bin/python{version}"), reverse=True)


# ----------------------------------------------------------------------------------------------------------- syncing


def is_ready(project: Path, *, dev: bool) -> bool:
    """Whether the project's .venv is what its lock file says, by the note that the last sync left in it."""
    have = _noted(project)
    return have[:1] == [_digest(project)] and (not dev or "dev" in have) and _python(project).exists()


def _python(project: Path) -> Path:
    return project / ".venv" / "bin" / "python"


def _note(project: Path) -> Path:
    return project / ".venv" / ".solodesk-ready"


def _noted(project: Path) -> list[str]:
    return _note(project).read_text(encoding="utf-8").split() if _note(project).is_file() else []


def sync(uv: str, project: Path, python: str, *, dev: bool) -> None:
    """Brings the project's .venv to its lock file, unless it is there already."""
    if is_ready(project, dev=dev):
        return
    began = time.monotonic()
    # Packages for development stay once they are there: `make run` after `make test` takes nothing away.
    dev = dev or "dev" in _noted(project)
    name = (project / ".venv").relative_to(ROOT)
    say(f"preparing {name}")
    command = [uv, "sync", "--frozen", "--inexact", "--project", str(project), "--python", python]
    command += ["--group", "dev"] if dev else ["--no-dev"]
    command += [] if sys.stderr.isatty() else ["--quiet"]  # progress is for people, not for logs
    run(command, what=f"Preparing {name}")
    _note(project).write_text(f"{_digest(project)} {'dev' if dev else ''}\n", encoding="utf-8")
    say(f"{name} is ready ({time.monotonic() - began:.0f} s)")


def _digest(project: Path) -> str:
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "uv.lock"):
        digest.update((project / name).read_bytes())
    return digest.hexdigest()


def compile_own_code() -> None:
    """So that every start finds compiled modules, also where Python is told not to write them itself."""
    for project, folders in ((ROOT, OWN_CODE), (BOT, ("bot",))):
        command = [str(_python(project)), "-m", "compileall", "-q", "-x", r"\.venv", *folders]
        subprocess.run(command, cwd=ROOT, env=environment(), check=False)


def prepare(*, dev: bool) -> None:
    """Raises Missing."""
    uv = find_uv()
    modern = candidates_for(uv, "3.12", "3.11", "3.13")
    python = find_python(uv, ROOT / ".venv", _first(sys.executable, modern), "sys.version_info >= (3, 11)", "3.12")
    sync(uv, ROOT, python, dev=dev)
    old = candidates_for(uv, "3.10")
    python = find_python(uv, BOT / ".venv", old, "sys.version_info[:2] == (3, 10)", "3.10")
    sync(uv, BOT, python, dev=dev)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="with what tests and checks need")
    dev = parser.parse_args().dev
    try:
        if not (is_ready(ROOT, dev=dev) and is_ready(BOT, dev=dev)):
            prepare(dev=dev)
    except Missing as missing:
        print(f"setup: {missing}", file=sys.stderr)
        return 1
    compile_own_code()
    return 0


def _first(one: str, others: Iterator[str]) -> Iterator[str]:
    yield one
    yield from others


if __name__ == "__main__":
    sys.exit(main())
