"""The week's key figures beside last week's and what is usual."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.digest.norms import WEEKS, Norm, Standing, norm_of, standing
from crm.figures import Figures, figures
from crm.models import Message, Order
from crm.weeks import Week


class Unit(StrEnum):
    MONEY = "money"
    COUNT = "count"
    SCORE = "score"
    MINUTES = "minutes"


@dataclass(frozen=True)
class KeyFigure:
    """``value`` in the unit (money: smallest unit); ``of`` is how many it rests on, where that is not itself."""

    name: str
    unit: Unit
    value: float
    before: float | None
    norm: Norm | None
    standing: Standing
    of: int | None = None
    more_is_better: bool | None = None

    @property
    def change(self) -> float | None:
        """Against last week, as a fraction; None where last week was 0 or unknown."""
        return (self.value - self.before) / self.before if self.before else None


# The third says whether more of it is good news; None: neither good nor bad.
_SHOWN: tuple[tuple[str, Unit, bool | None], ...] = (
    ("sales", Unit.MONEY, True),
    ("orders", Unit.COUNT, True),
    ("new_buyers", Unit.COUNT, True),
    ("conversations", Unit.COUNT, None),
    ("handovers", Unit.COUNT, False),
    ("complaints", Unit.COUNT, False),
    ("satisfaction", Unit.SCORE, True),
    ("answered_by_owner", Unit.MINUTES, False),
)
_ALWAYS = ("sales", "orders")


def weeks_of(session: Session, week: Week, *, currency: str) -> list[Figures]:
    """This week's figures first, then those of up to 8 weeks before it, as far back as the shop has records."""
    began = _began(session)
    found = [figures(session, week.starts_at, week.ends_at, currency=currency)]
    for back in range(1, WEEKS + 1):
        earlier = week.before(back)
        # The week in which the records begin is only part of one.
        if began is None or earlier.starts_at < began:
            break
        found.append(figures(session, earlier.starts_at, earlier.ends_at, currency=currency))
    return found


def _began(session: Session) -> datetime | None:
    firsts = [
        first
        for first in (
            session.scalar(select(func.min(Order.placed_at))),
            session.scalar(select(func.min(Message.created_at))),
        )
        if first is not None
    ]
    return min(firsts) if firsts else None


def key_figures(weeks: Sequence[Figures]) -> list[KeyFigure]:
    """One per name that has a value this week and was not 0 all the time; ``weeks`` as ``weeks_of`` gives them."""
    shown = [_key_figure(name, unit, better, weeks) for name, unit, better in _SHOWN]
    return [figure for figure in shown if figure is not None]


def _key_figure(name: str, unit: Unit, better: bool | None, weeks: Sequence[Figures]) -> KeyFigure | None:
    values = [_value(week, name) for week in weeks]
    value = values[0]
    if value is None or (name not in _ALWAYS and not any(values)):
        return None
    earlier = [number for number in values[1:] if number is not None]
    norm = norm_of(earlier, counts=unit is Unit.COUNT)
    before = values[1] if len(values) > 1 else None
    of = weeks[0].ratings if unit is Unit.SCORE else None
    return KeyFigure(name, unit, value, before, norm, standing(value, norm), of, better)


def _value(week: Figures, name: str) -> float | None:
    value = getattr(week, "sales_minor" if name == "sales" else name)
    return float(value) if value is not None else None
