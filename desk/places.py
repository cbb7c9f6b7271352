"""Where things lie: the project's folder, the bot's Python, the folder for what a running desk writes."""

import os
from pathlib import Path
from urllib.parse import urlsplit


def root() -> Path:
    """The project's folder: the checkout this file is in, or for an installed package the current folder."""
    here = Path(__file__).resolve().parents[1]
    return here if (here / "domain.yml").is_file() else Path.cwd()


def enter_root() -> None:
    """Settings such as sqlite:///var/desk.db and Rasa's own files are relative to the project's folder."""
    os.chdir(root())


def bot_python() -> Path:
    """The interpreter of Rasa's own environment; DESK_BOT_PYTHON names another one."""
    named = os.environ.get("DESK_BOT_PYTHON")
    return Path(named) if named else root() / "bot" / ".venv" / "bin" / "python"


def state_dir(database_url: str) -> Path:
    """Where logs and Rasa's working memory go: beside an SQLite database, else var/."""
    scheme, _, path = database_url.partition(":///")
    if scheme.startswith("sqlite") and path and path != ":memory:":
        return (root() / path.partition("?")[0]).parent
    return root() / "var"


def is_local(url: str) -> bool:
    """Whether the URL names this machine, so that its server is ours to start."""
    return (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104


def gateway_url(host: str, port: int) -> str:
    """Where this machine reaches a gateway that listens on ``host``."""
    reached = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{reached}:{port}"
