"""What the process was started with: the shop's facts, read again when their file changes."""

from pathlib import Path

from crm.shop import Shop, load_shop

_path: Path | None = None
_loaded: tuple[float, Shop] | None = None


def open_shop(path: Path) -> Shop:
    """Names the shop.toml to answer from. Raises ConfigError when it is wrong."""
    global _path, _loaded
    _path, _loaded = path, None
    return shop()


def shop() -> Shop:
    """The shop's facts as its file says now."""
    global _loaded
    if _path is None:
        raise RuntimeError("open_shop(path) comes first")
    changed = _path.stat().st_mtime
    if _loaded is None or _loaded[0] != changed:
        _loaded = changed, load_shop(_path)
    return _loaded[1]
