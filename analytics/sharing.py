"""Figures that may leave the shop: counts of people in a week, under differential privacy.

Each person changes each count by at most one, so geometric noise of scale (number of counts)/epsilon on each makes the
whole report epsilon-differentially private towards people (Dwork & Roth 2014, The Algorithmic Foundations of
Differential Privacy, theorems 3.6 and 3.16). Whatever is computed from the noisy counts costs nothing more.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import opendp.prelude as dp
from sqlalchemy.orm import Session

from crm.errors import CrmError
from crm.models import SharingReport
from crm.weekly_people import WeeklyPeople, report_of, spent, weekly_people
from crm.weeks import Week

YEAR = timedelta(days=365)
dp.enable_features("contrib")


class BudgetSpent(CrmError):
    """The reports of the last year have used up what the shop allows."""

    def __init__(self, left: float) -> None:
        self.left = left
        super().__init__(
            f"Of this year's privacy budget epsilon {left:.2f} is left. Ask for less, or wait; "
            "[privacy] sharing_epsilon_per_year in shop.toml sets it."
        )


def sharing_report(session: Session, week: Week, *, epsilon: float, budget: float, now: datetime) -> SharingReport:
    """The week's report. One that was made before is given again as it was: it costs nothing, and tells nothing new.

    Raises BudgetSpent, and CrmError for a week that is not over.
    """
    known = report_of(session, week)
    if known is not None:
        return known
    if week.ends_at > now:
        raise CrmError(f"{week.label} is not over yet.")
    left = budget - spent(session, now - YEAR)
    if epsilon > left + 1e-9:
        raise BudgetSpent(max(0.0, left))
    report = SharingReport(
        week=week.label, epsilon=epsilon, figures=noisy(weekly_people(session, week), epsilon=epsilon), made_at=now
    )
    session.add(report)
    session.flush()
    return report


def noisy(people: WeeklyPeople, *, epsilon: float) -> dict[str, Any]:
    """The counts with noise, never below 0, the share of satisfied, and how far off a count is in 95 of 100 cases."""
    counts = asdict(people)
    scale = len(counts) / epsilon
    space = dp.atom_domain(T=int), dp.absolute_distance(T=int)
    mechanism = dp.m.make_laplace(*space, scale=scale)
    figures: dict[str, Any] = {name: max(0, mechanism(count)) for name, count in counts.items()}
    rating, satisfied = figures["rating"], figures["satisfied"]
    figures["satisfied_share"] = round(min(1.0, satisfied / rating), 2) if rating else None
    figures["off_by_at_most"] = int(dp.discrete_laplacian_scale_to_accuracy(scale, 0.05))
    return figures
