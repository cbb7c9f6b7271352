"""Where public data sets lie, for tests and measurements that need them; they are never part of this repository."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def open_data(name: str) -> Path:
    """The file or folder ``shared/data/NAME`` beside the checkout, or one level further up; it may not exist."""
    beside = [parent / "shared" / "data" / name for parent in (ROOT.parent, ROOT.parent.parent)]
    return next((path for path in beside if path.exists()), beside[0])
