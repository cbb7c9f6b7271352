"""What an import did, and what it would not take."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crm.errors import CrmError

LONGEST_SHOWN_VALUE = 60
Progress = Callable[[int, int, int], None]
"""Called now and then with rows done, bytes done and bytes in all."""


class UnreadableFile(CrmError):
    """The file as a whole cannot be imported; nothing was taken from it."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path.name}: {reason}")


class BadValue(ValueError):
    """One cell cannot be taken; the message is the reason."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        self.column, self.value, self.reason = column, value, reason
        super().__init__(f"{column}: {reason}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was left out. ``line`` is where it starts in the file; the header is on line 1."""

    line: int
    column: str
    value: str
    reason: str
    file: str = ""

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}" if self.file else f"line {self.line}"
        cell = f"{self.column}: " if self.column else ""
        shown = f" ({self.value!r})" if self.value else ""
        return f"{place}: {cell}{self.reason}{shown}"


def refusal(line: int, error: BadValue, *, file: str = "") -> Refusal:
    value = error.value if len(error.value) <= LONGEST_SHOWN_VALUE else error.value[: LONGEST_SHOWN_VALUE - 1] + "…"
    return Refusal(line, error.column, value, error.reason, file)


@dataclass
class ImportReport:
    """Counts are of products, customers, orders or articles, not of rows; ``refused`` lists rows."""

    source: str
    kind: str
    file: str
    rows: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    customers_created: int = 0
    products_created: int = 0
    seconds: float = 0.0
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything in the file went in."""
        return not self.refused

    @property
    def changed(self) -> bool:
        return bool(self.added or self.updated or self.removed or self.customers_created or self.products_created)
