"""The trained model: whether it is what its sources say, and training it when it is not."""

import fcntl
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crm.errors import ConfigError
from desk.console import tell
from desk.places import bot_python, root
from desk.processes import tied_to_parent

KEPT_MODELS = 3
SHOWN_LOG_LINES = 20
# What of bot/ only serves a model: a change to it changes no model. Whatever is not named here counts as a source.
_SERVES_ONLY = frozenset(
    "__main__ action_endpoint channel evaluate lock_store parsing processor server settings tracker_store".split()
)


class TrainingFailed(ConfigError):
    """The sources cannot be trained on; what is wrong was printed by the training itself."""


def fingerprint(folder: Path) -> str:
    """Changes when a file that the model is made from changes, and only then."""
    digest = hashlib.sha256()
    for file in _sources(folder):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for name in ("config.yml", "domain.yml", "bot/uv.lock"):
        if (folder / name).is_file():
            yield folder / name
    yield from sorted(file for file in (folder / "data").rglob("*") if file.suffix in (".yml", ".yaml"))
    yield from sorted(file for file in (folder / "bot").glob("*.py") if file.stem not in _SERVES_ONLY)


def wanted(folder: Path | None = None) -> Path:
    """Where the model of the present sources is, or has to be."""
    folder = folder or root()
    return folder / "models" / f"solodesk-{fingerprint(folder)[:12]}.tar.gz"


def require_bot() -> Path:
    """The bot's interpreter. Raises ConfigError while its environment is not there."""
    python = bot_python()
    if not python.exists():
        raise ConfigError(f"The bot's own Python environment is missing ({python}); run `make setup`.")
    return python


def trained() -> Path:
    """The model to use. Raises ConfigError when there is none for the present sources."""
    model = wanted()
    if not model.is_file():
        raise ConfigError("There is no trained model for the present sources; run `make train`.")
    return model


def train(*, force: bool = False) -> Path:
    """The model of the present sources, trained if it is not there yet. Raises ConfigError, TrainingFailed."""
    python, folder = require_bot(), root()
    with _alone(folder / "models"):
        model = wanted(folder)
        if model.is_file() and not force:
            return model
        tell("model", "training; this takes about a minute …")
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=".training-", dir=model.parent) as out:
            made = _train_into(Path(out), model.name, python)
            made.replace(model)  # whoever looks meanwhile sees no model or a whole one
        _forget_old_models(model)
        tell("model", f"trained in {time.monotonic() - began:.0f} s")
    return model


def _train_into(out: Path, name: str, python: Path) -> Path:
    """Raises TrainingFailed, after showing what Rasa said last; all it said is in the log."""
    log = out.parent / "training.log"
    command = [str(python), "-m", "bot", "train", "--out", str(out), "--name", name.removesuffix(".tar.gz")]
    with log.open("wb") as file:
        done = subprocess.run(
            command,
            cwd=root(),
            env=bot_environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=tied_to_parent(),  # a training that nobody waits for any more ends too
        )
    if done.returncode != 0 or not (out / name).is_file():
        print(*log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LOG_LINES:], sep="\n", flush=True)
        raise TrainingFailed(f"The model could not be trained; the lines above and {log} say why.")
    return out / name


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two starts at once train once."""
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _forget_old_models(newest: Path) -> None:
    models = sorted(newest.parent.glob("solodesk-*.tar.gz"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in models[KEPT_MODELS:]:
        old.unlink(missing_ok=True)


# What the bot's environment must not inherit: another environment's Python, and secrets that are not its business.
_NOT_FOR_THE_BOT = (
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "DESK_TELEGRAM_TOKEN",
    "DESK_SMTP_URL",
    "DESK_SECRET_KEY",
    "DESK_DATA_KEY",
    "DESK_DATA_KEY_OLD",
    "DESK_OWNER_PASSWORD",
    "DESK_IDENTITY_SECRET",
    "DESK_DATABASE_URL",
)


def bot_environment(**settings: str) -> dict[str, str]:
    """The environment for a command of the bot's."""
    env = {name: value for name, value in child_environment().items() if name not in _NOT_FOR_THE_BOT}
    # One short sentence at a time: more threads than one only cost memory and get into each other's way.
    env.setdefault("OMP_NUM_THREADS", "1")
    env.setdefault("OPENBLAS_NUM_THREADS", "1")
    return env | settings


def child_environment() -> dict[str, str]:
    """Our own environment for a child that runs long: compiled modules are kept, output is not held back."""
    env = dict(os.environ)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PYTHONUNBUFFERED"] = "1"
    env.setdefault("MALLOC_ARENA_MAX", "2")  # threads that share two heaps instead of eight keep the memory small
    return env
