"""What something brought in, against a control group that did without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import sqrt
from statistics import NormalDist, fmean, variance

FEWEST_PER_GROUP = 30
_STEPS = 1_000_000


class Verdict(StrEnum):
    TOO_FEW = "too_few"
    NO_DIFFERENCE = "no_difference"
    MORE = "more"
    FEWER = "fewer"


@dataclass(frozen=True)
class Effect:
    """Shares of two groups that did what was hoped for, and their difference (treated minus control).

    ``low`` and ``high`` bound the difference with 95 % confidence; shares and bounds are fractions, −1 to 1.
    """

    treated: int
    treated_yes: int
    control: int
    control_yes: int
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """What may be said. Groups under 30 tell nothing, however large the difference looks."""
        return _verdict(min(self.treated, self.control), self.low, self.high)


@dataclass(frozen=True)
class MeanEffect:
    """Means of two groups and their difference (treated minus control) with its 95 % interval; in the given unit."""

    treated: int
    treated_mean: float
    control: int
    control_mean: float
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """As of ``Effect``."""
        return _verdict(min(self.treated, self.control), self.low, self.high)


def _verdict(smaller: int, low: float, high: float) -> Verdict:
    if smaller < FEWEST_PER_GROUP:
        return Verdict.TOO_FEW
    if low > 0:
        return Verdict.MORE
    return Verdict.FEWER if high < 0 else Verdict.NO_DIFFERENCE


def compare(treated: int, treated_yes: int, control: int, control_yes: int, *, confidence: float = 0.95) -> Effect:
    """The difference of two shares with Newcombe's hybrid score interval.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17 (1998), method 10. An empty group gives the widest interval.
    """
    if not 0 <= treated_yes <= treated or not 0 <= control_yes <= control:
        raise ValueError("a group cannot hold more successes than members")
    first, first_low, first_high = _share(treated, treated_yes, confidence)
    second, second_low, second_high = _share(control, control_yes, confidence)
    difference = first - second
    low = difference - sqrt((first - first_low) ** 2 + (second_high - second) ** 2)
    high = difference + sqrt((first_high - first) ** 2 + (second - second_low) ** 2)
    return Effect(treated, treated_yes, control, control_yes, difference, max(-1.0, low), min(1.0, high))


def compare_means(treated: Sequence[float], control: Sequence[float], *, confidence: float = 0.95) -> MeanEffect:
    """The difference of two means with Welch's interval; without two members in each group it has no bounds.

    Source: B. L. Welch, "The generalization of 'Student's' problem when several different population variances are
    involved", Biometrika 34 (1947). Student's quantile by its expansion around the normal one, good to a thousandth
    from 10 degrees of freedom on; groups that small are not judged anyway.
    """
    first, second = (fmean(group) if group else 0.0 for group in (treated, control))
    if min(len(treated), len(control)) < 2:
        return MeanEffect(len(treated), first, len(control), second, first - second, float("-inf"), float("inf"))
    parts = [variance(map(float, group)) / len(group) for group in (treated, control)]
    spread = sum(parts)
    low = high = first - second
    if spread > 0:
        freedom = spread**2 / sum(
            part**2 / (len(group) - 1) for part, group in zip(parts, (treated, control), strict=True)
        )
        z = NormalDist().inv_cdf(0.5 + confidence / 2)
        t = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        low, high = low - t * sqrt(spread), high + t * sqrt(spread)
    return MeanEffect(len(treated), first, len(control), second, first - second, low, high)


def _share(number: int, yes: int, confidence: float) -> tuple[float, float, float]:
    """The share with Wilson's score interval."""
    if not number:
        return 0.5, 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = yes / number
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def in_control_group(trial: str, member: str, share: float) -> bool:
    """Whether ``member`` does without in this trial: always the same answer, independent between trials."""
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a share is between 0 and 1, not {share}")
    drawn = int.from_bytes(sha256(f"{trial}:{member}".encode()).digest()[:8], "big") % _STEPS
    return drawn < share * _STEPS
