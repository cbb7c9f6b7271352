"""Everything that is expected of each customer, in one table."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analytics.churn.choosing import HORIZON_DAYS, Churn, churn
from analytics.churn.windows import sampled
from analytics.cluster import Here
from analytics.frames import Frames
from analytics.purchases import amounts, bg_nbd, pareto_nbd
from analytics.purchases.summary import Floats, Summary
from analytics.reasons import reasons
from analytics.segments import clusters as clustering
from analytics.segments import rules

INTENT_DAYS = 30
PARETO_FROM = 100


@dataclass(frozen=True)
class Scores:
    """``table`` has one row per customer who has bought, index customer_id, columns as in ``customer_scores``, but
    money in major units. ``clusters`` is None below 200 customers."""

    table: pd.DataFrame
    churn: Churn
    amounts: amounts.NextAmount
    clusters: clustering.Clusters | None
    expects_by: str
    parameters: dict[str, float] = field(default_factory=dict)


def score(
    frames: Frames,
    *,
    in_use: str | None = None,
    frozen: dict[str, Any] | None = None,
    challenge: bool = True,
    on: Here | None = None,
) -> Scores | None:
    """Scores of all customers as of ``frames.as_of``; None if nobody has bought.

    in_use    : churn method that serves so far;  frozen : parameters of the clusters that serve so far
    challenge : whether other churn methods are tried against the one in use
    on        : where the heavy part is computed, here or on a cluster
    """
    found = churn(frames, horizon=HORIZON_DAYS, in_use=in_use, challenge=challenge, on=on)
    if found is None:
        return None
    base, data = found.now.table, found.now.data
    expects_by, expected = _expected(data)
    per_order = amounts.mean_amount(frames).reindex(base.index).to_numpy(float)
    following = amounts.next_amount(frames)
    spent = rules.yearly_spend(frames, base.index)
    grouped = clustering.clusters(base, spent, frozen=frozen)
    table = pd.DataFrame(
        {
            "churn_risk": found.risk,
            "segment": rules.segments(frames, base),
            "outlier": grouped.outlier if grouped else False,
            "cluster": grouped.label.astype("Int64") if grouped else pd.Series(pd.NA, base.index, dtype="Int64"),
            "expected_orders_90d": expected[90],
            "expected_orders_365d": expected[365],
            "value_90d": expected[90] * per_order,
            "value_365d": expected[365] * per_order,
            "next_amount": following.amount.reindex(base.index),
            "purchase_intent": _intent(found.risk),
            "reasons": pd.Series(reasons(base, found.risk), base.index),
        },
        index=base.index,
    )
    return Scores(table, found, following, grouped, expects_by)


def _expected(data: Summary) -> tuple[str, dict[int, Floats]]:
    """Expected orders over 90 and 365 days: Pareto/NBD, below 100 customers BG/NBD, else each one's pulled rate."""
    try:
        if len(data) >= PARETO_FROM:
            pareto = pareto_nbd.fit(sampled(data))
            told = {days: pareto.expected_orders(data, days) for days in (90, 365)}
            if all(np.isfinite(values).all() for values in told.values()):
                return "pareto_nbd", told
        simple = bg_nbd.fit(sampled(data), penalty=0.001)
        told = {days: simple.expected_orders(data, days) for days in (90, 365)}
        if all(np.isfinite(values).all() and (values >= 0).all() for values in told.values()):
            return "bg_nbd", told
    except bg_nbd.DidNotConverge:
        pass
    return "pulled_rate", {days: days * (data.x + 0.5) / (data.T + 180.0) for days in (90, 365)}


def _intent(risk: Floats) -> Floats:
    """P(order within 30 days), if the chance of one lies evenly over the churn horizon."""
    return np.asarray(1.0 - risk ** (INTENT_DAYS / HORIZON_DAYS))
