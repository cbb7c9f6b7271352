"""Secrets that were not given are made at the first start and kept in .env, readable by its owner only."""

import base64
import fcntl
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from crm.errors import ConfigError
from crm.settings import Settings
from desk.words import WORDS

OWNER_PASSWORD = "DESK_OWNER_PASSWORD"  # noqa: S105 - a name
_WORDS_IN_A_PASSWORD = 6


def _password() -> str:
    return "-".join(secrets.choice(WORDS) for _ in range(_WORDS_IN_A_PASSWORD))


def _data_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


# The internal secret is not among them: it follows from DESK_SECRET_KEY (crm/settings.py).
MAKERS: dict[str, Callable[[], str]] = {
    "DESK_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "DESK_DATA_KEY": _data_key,
    OWNER_PASSWORD: _password,
}


def missing(settings: Settings) -> list[str]:
    """Names of the secrets that are neither in the environment nor in .env."""
    held = {
        "DESK_SECRET_KEY": settings.secret_key,
        "DESK_DATA_KEY": settings.data_key,
        OWNER_PASSWORD: settings.owner_password,
    }
    return [name for name, value in held.items() if value is None or not value.get_secret_value()]


def make_missing(settings: Settings, file: Path, *, only: Collection[str] = tuple(MAKERS)) -> dict[str, str]:
    """Makes what is missing and writes it into ``file``; returns what was made, usually nothing."""
    names = [name for name in missing(settings) if name in only]
    if not names:
        return {}
    with _alone(file):
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        # Another start may just have made them: what has a value is never replaced.
        made = {name: MAKERS[name]() for name in names if not _has_value(text, name)}
        if made:
            _replace(file, _with(text, made))
    return made


def replace(file: Path, name: str, *, kept_as: str) -> None:
    """Makes a new value for ``name`` and keeps the old one beside it. Raises ConfigError if it is not in the file."""
    with _alone(file):
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        old = next((found[1].strip().strip("'\"") for found in _assignment(name).finditer(text)), "")
        if not old or os.environ.get(name, old) != old:
            raise ConfigError(
                f"{name} is not kept in .env but in the environment. Set {name} to the new key and {kept_as} to the "
                "old one, and run this again."
            )
        _replace(file, _with(text, {name: MAKERS[name](), kept_as: old}))


def drop(file: Path, name: str) -> None:
    """Takes a line out of the file, if there is one."""
    with _alone(file):
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        shorter = _assignment(name).sub("", text)
        if shorter != text:
            _replace(file, re.sub(r"\n{2,}$", "\n", shorter))


def _assignment(name: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=[ \t]*(.*)$", re.MULTILINE)


def _has_value(text: str, name: str) -> bool:
    return any(found[1].strip().strip("'\"") for found in _assignment(name).finditer(text))


def _with(text: str, made: dict[str, str]) -> str:
    for name, value in made.items():
        line = f"{name}={value}"
        if _assignment(name).search(text):
            text = _assignment(name).sub(line, text)
        else:
            text += ("" if not text or text.endswith("\n") else "\n") + line + "\n"
    return text


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    folder = os.open(file.absolute().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(file: Path, text: str) -> None:
    """All or nothing: a full disk or a crash leaves the old file."""
    target = file.resolve()
    number, name = tempfile.mkstemp(prefix=".env-", dir=target.parent)  # mode 600 from the start
    try:
        with os.fdopen(number, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
