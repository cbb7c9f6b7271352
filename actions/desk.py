"""What the process answers from besides the store: shop.toml and the wording, each read again when its file changes."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from actions.wording import Responses, load_responses
from crm.errors import ConfigError
from crm.shop import Shop, load_shop

log = logging.getLogger(__name__)
T = TypeVar("T")


class Watched(Generic[T]):
    """A file's content, parsed; parsed again when the file was changed."""

    def __init__(self, path: Path, load: Callable[[Path], T]) -> None:
        self._path, self._load = path, load
        self._changed = path.stat().st_mtime_ns if path.exists() else 0
        self._content = load(path)

    def now(self) -> T:
        """What the file says now; the last good content while it is wrong."""
        changed = self._path.stat().st_mtime_ns if self._path.exists() else self._changed
        if changed != self._changed:
            self._changed = changed
            try:
                self._content = self._load(self._path)
            except ConfigError as error:
                log.error("%s; going on with what it said before", error)
        return self._content


_shop: Watched[Shop] | None = None
_responses: Watched[Responses] | None = None
_base_url = ""


def open_desk(shop_file: Path, domain_file: Path = Path("domain.yml"), *, base_url: str = "") -> None:
    """Names the files to answer from and where customers reach the desk. Raises ConfigError for a wrong shop.toml."""
    global _shop, _responses, _base_url
    _base_url = base_url
    _shop = Watched(shop_file, load_shop)
    _responses = Watched(domain_file, load_responses)


def shop() -> Shop:
    """The shop's facts as its file says now."""
    if _shop is None:
        raise RuntimeError("open_desk(shop_file) comes first")
    return _shop.now()


def link(path: str) -> str:
    """A page of the desk's as customers reach it."""
    return f"{_base_url}/{path}"


def responses() -> Responses:
    """The wording as its file says now."""
    if _responses is None:
        raise RuntimeError("open_desk(shop_file) comes first")
    return _responses.now()
