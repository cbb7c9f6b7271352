"""What a replay found, as it is kept with the lesson and shown to the owner."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20


@dataclass(frozen=True)
class Change:
    """A question that would be answered otherwise. ``before`` and ``after`` name the articles; None: not by one."""

    question: str
    language: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Report:
    """The outcome of one replay.

    customers, listed : how many questions were tried: those of past customers, those that articles list
    worse             : answers that were right and would be lost or replaced
    also              : questions besides the lesson's own that nothing answered and the lesson now would
    found, missed     : the lesson's own questions that it answers, and those it still does not
    """

    customers: int
    listed: int
    worse: Sequence[Change] = ()
    also: Sequence[Change] = ()
    found: Sequence[str] = ()
    missed: Sequence[str] = ()

    @property
    def is_good(self) -> bool:
        """Nothing right is lost, and at least one of the lesson's questions finds it."""
        return not self.worse and (bool(self.found) or not self.missed)

    def as_dict(self) -> dict[str, Any]:
        """For the store: at most 20 of each kind of change."""
        kept = asdict(self)
        for name in ("worse", "also"):
            kept[f"{name}_in_all"] = len(kept[name])
            kept[name] = list(kept[name])[:KEPT]
        return kept

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Report":
        return cls(
            customers=int(stored["customers"]),
            listed=int(stored["listed"]),
            worse=tuple(Change(**change) for change in stored["worse"]),
            also=tuple(Change(**change) for change in stored["also"]),
            found=tuple(stored["found"]),
            missed=tuple(stored["missed"]),
        )
