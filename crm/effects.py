"""What something brought in, against a control group that did without it."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import sqrt
from statistics import NormalDist

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
        if min(self.treated, self.control) < FEWEST_PER_GROUP:
            return Verdict.TOO_FEW
        if self.low > 0:
            return Verdict.MORE
        return Verdict.FEWER if self.high < 0 else Verdict.NO_DIFFERENCE


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
