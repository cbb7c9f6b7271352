"""What is usual for this shop, and whether a week is out of the ordinary."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import fmean, stdev

from scipy import stats

WEEKS = 8
FEWEST_WEEKS = 4
CONFIDENCE = 0.9


class Standing(StrEnum):
    """``NEW``: too few weeks to say what is usual."""

    NEW = "new"
    USUAL = "usual"
    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True)
class Norm:
    """The range in which a week like the ``weeks`` before it falls nine times out of ten."""

    low: float
    high: float
    weeks: int


def norm_of(weeks: Sequence[float], *, counts: bool) -> Norm | None:
    """The 90 % prediction interval for one more week; None from fewer than 4.

    weeks  : one figure per week, any order
    counts : they are counts of events, whose spread is never taken to be smaller than a Poisson process has

    Student's t on the weeks' mean and spread, widened by sqrt(1 + 1/n) for a new observation (Hahn & Meeker,
    "Statistical Intervals", 1991, section 4.2).
    """
    number = len(weeks)
    if number < FEWEST_WEEKS:
        return None
    middle, spread = fmean(weeks), stdev(weeks)
    if counts:
        spread = max(spread, sqrt(max(middle, 1.0)))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, number - 1)) * spread * sqrt(1 + 1 / number)
    return Norm(max(0.0, middle - half), middle + half, number)


def standing(value: float, norm: Norm | None) -> Standing:
    if norm is None:
        return Standing.NEW
    if value > norm.high:
        return Standing.HIGH
    return Standing.LOW if value < norm.low else Standing.USUAL
