"""Why a customer's risk is what it is: codes with figures; crm/score_reasons.toml says them in words."""

from typing import Any

import numpy as np
import pandas as pd

from analytics.features import COLUMNS

MOST_REASONS = 3
LONG_SILENCE_DAYS = 90
UNHAPPY_BELOW = -0.2
MANY_RETURNS = 0.3


def reasons(table: pd.DataFrame, risk: np.ndarray) -> list[list[dict[str, Any]]]:
    """Up to three per customer, those that speak for the verdict first; ``table`` as ``features`` gives it."""
    columns = {name: table[name].to_numpy(float) for name in COLUMNS}
    return [_of_one({name: values[row] for name, values in columns.items()}, risk[row]) for row in range(len(table))]


def _of_one(of: dict[str, float], risk: float) -> list[dict[str, Any]]:
    against = _against(of)
    for_them = _for(of)
    rhythm = _rhythm(of)
    ordered = [rhythm, *against, *for_them] if risk >= 0.5 else [*for_them, rhythm, *against]
    return ordered[:MOST_REASONS]


def _rhythm(of: dict[str, float]) -> dict[str, Any]:
    days, usual = round(of["recency"]), max(1, round(of["gap_mean"]))
    if of["days_bought"] <= 1:
        return {"code": "bought_once", "days": days}
    if of["recency"] > 1.5 * of["gap_mean"]:
        return {"code": "silent_longer_than_usual", "days": days, "usual": usual}
    if of["recency"] > LONG_SILENCE_DAYS:
        return {"code": "silent_long", "days": days}
    return {"code": "in_rhythm", "days": days, "usual": usual}


def _against(of: dict[str, float]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if of["complaints"] > 0:
        found.append({"code": "complained"})
    if of["sentiment"] < UNHAPPY_BELOW:
        found.append({"code": "unhappy"})
    if of["return_share"] > MANY_RETURNS:
        found.append({"code": "returns", "share": f"{of['return_share']:.0%}"})
    return found


def _for(of: dict[str, float]) -> list[dict[str, Any]]:
    if of["orders_90"] >= 3:
        return [{"code": "buys_often", "orders": round(of["orders_90"])}]
    if of["days_bought"] >= 3:
        return [{"code": "long_known", "orders": round(of["orders"])}]
    return []
