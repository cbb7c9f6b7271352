"""How good the models are on public shops, beside the best known libraries: ``make bench-analytics``.

    python -m benchmarks.analytics [churn cdnow small amounts segments recommendations forecast]

Every figure is of a moment in the past: learnt from what was known then, judged on what came after. Each part writes
its figures into benchmarks/results/analytics.json as soon as it is done; pictures lie beside it.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.churn.choosing import churn
from analytics.churn.windows import ranked_by, window
from analytics.features import bought_within, features
from analytics.forecast.backtest import DAYS, mase, outlook
from analytics.forecast.cohorts import segment_outlooks
from analytics.forecast.methods import METHODS
from analytics.frames import Frames, daily_sales
from analytics.measures import auc, brier, calibration_error
from analytics.purchases import amounts, bg_nbd, pareto_nbd
from analytics.purchases.summary import Summary, summary
from analytics.recommendations.blending import (
    blended,
    choose_weights,
    describing,
    judge,
    next_baskets,
    scaled,
    scorers,
    without_bought,
)
from analytics.recommendations.purchases import purchases
from analytics.segments.clusters import clusters
from analytics.segments.rules import segments, yearly_spend
from benchmarks import pictures, references
from benchmarks.open_shops import cdnow, day, online_retail

RESULTS = Path(__file__).parent / "results"
CUTS = ("2011-07-11", "2011-08-10", "2011-09-09")
WEEKS_39 = day("1997-09-30")
HALF_DAYS = 273


def _judged(truth: np.ndarray, risk: np.ndarray) -> dict[str, float]:
    return {"auc": auc(truth, risk) or 0.0, "brier": brier(truth, risk), "ece": calibration_error(truth, risk)}


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def part_churn() -> dict[str, Any]:
    """Online Retail, no order within 90 days, three moments."""
    frames, ours, recency, pairs = online_retail(), [], [], []
    for cut in CUTS:
        then = frames.before(day(cut))
        found = churn(then)
        assert found is not None
        truth = ~bought_within(frames.orders, found.now.table.index, day(cut), 90)
        ours.append(_judged(truth, found.risk) | {"customers": float(len(truth))})
        recency.append({"auc": auc(truth, found.now.table["recency"].to_numpy()) or 0.0})
        pairs.append((truth, found.risk))
    pictures.calibration(pairs, RESULTS / "churn_calibration.png")
    reference = references.bg_nbd_churn(
        [
            (summary(frames.before(day(cut)).orders, day(cut)), truth)
            for cut, (truth, _) in zip(CUTS, pairs, strict=True)
        ],
        90.0,
    )
    return {"solodesk": _mean(ours), "by_moment": ours, "days_since_last_order": _mean(recency), **reference}


def part_small() -> dict[str, Any]:
    """Shops of 50 customers drawn from Online Retail; the others are judged too."""
    frames, found = online_retail(), []
    cut = day(CUTS[1])
    then = frames.before(cut)
    everybody = window(then, cut, horizon=90)
    truth = ~bought_within(frames.orders, everybody.table.index, cut, 90)
    for draw in range(30):
        chosen = np.random.default_rng(draw).choice(len(everybody.data), 50, replace=False)
        part = Summary(
            everybody.data.customers[chosen], *(getattr(everybody.data, name)[chosen] for name in ("x", "tx", "T"))
        )
        try:
            model = bg_nbd.fit(part, penalty=0.001)
        except bg_nbd.DidNotConverge:
            continue
        expected, buys = model.expected_orders(everybody.data, 90), model.buys_within(everybody.data, 90)
        found.append(_judged(truth, 1 - ranked_by(expected, level=float(buys.mean()))))
    scores = [one["auc"] for one in found]
    return {"solodesk": _mean(found), "worst_auc": min(scores), "draws": len(found)}


def part_cdnow() -> dict[str, Any]:
    """CDNOW: 39 weeks to learn, 39 to judge; orders, buyers and money."""
    told: dict[str, Any] = {}
    for which in ("sample", "master"):
        frames = cdnow(which)
        then = frames.before(WEEKS_39)
        data = summary(then.orders, WEEKS_39)
        after = frames.orders[(frames.orders["ordered_at"] > WEEKS_39)]
        after = after[after["ordered_at"] <= pd.Timestamp(WEEKS_39) + pd.Timedelta(days=HALF_DAYS)]
        days = after.assign(day=after["ordered_at"].dt.floor("D")).drop_duplicates(["customer_id", "day"])
        orders = days.groupby("customer_id").size().reindex(data.customers, fill_value=0).to_numpy(float)
        money = after.groupby("customer_id")["amount"].sum().reindex(data.customers, fill_value=0.0).to_numpy(float)
        began = time.monotonic()
        expected = pareto_nbd.fit(data).expected_orders(data, HALF_DAYS)
        seconds = time.monotonic() - began
        found = churn(then, horizon=HALF_DAYS)
        assert found is not None
        per_order = amounts.mean_amount(then).reindex(data.customers).to_numpy(float)
        told[which] = {
            "solodesk": _judged(orders == 0, found.risk)
            | {
                "method": found.method,
                "orders_mae": float(np.abs(expected - orders).mean()),
                "orders_total_error": float(expected.sum() / orders.sum() - 1),
                "value_mae": float(np.abs(expected * per_order - money).mean()),
                "fit_seconds": round(seconds, 2),
            },
            **references.bg_nbd_orders(data, orders, HALF_DAYS),
        }
    return told


def part_amounts() -> dict[str, Any]:
    """Next order's amount on Online Retail; customers who ordered within 90 days."""
    frames, rows = online_retail(), []
    for cut in CUTS:
        then = frames.before(day(cut))
        truth = amounts.first_amounts(frames, then)
        own = then.orders.dropna(subset=["customer_id"]).groupby("customer_id")["amount"].mean()
        told = {
            "solodesk": amounts.next_amount(then).amount,
            "own_mean": own,
            "shop_median": pd.Series(then.orders["amount"].median(), own.index),
        }
        rows.append({name: float((one.reindex(truth.index) - truth).abs().mean()) for name, one in told.items()})
    return {"mae": _mean(rows)}


def part_segments() -> dict[str, Any]:
    """How many keep their label after a week; how well clusters hold together; totals per segment."""
    frames, kept = online_retail(), []
    for cut in pd.date_range("2011-07-03", "2011-11-27", freq="21D", tz="UTC"):
        now = _labels(frames.before(cut.to_pydatetime()))
        later = _labels(frames.before((cut + pd.Timedelta(days=7)).to_pydatetime()))
        both = now.index.intersection(later.index)
        kept.append(float((now[both] == later[both]).mean()))
    then = frames.before(day("2011-11-30"))
    table = features(then)
    grouped = clusters(table, yearly_spend(then, table.index))
    assert grouped is not None
    misses: dict[str, list[float]] = {}
    for cut in pd.date_range("2011-06-12", "2011-11-09", freq="14D", tz="UTC"):
        then = frames.before(cut.to_pydatetime())
        members = _labels(then)
        after = frames.orders[(frames.orders["ordered_at"] > cut)]
        after = after[after["ordered_at"] <= cut + pd.Timedelta(days=DAYS)].dropna(subset=["customer_id"])
        truth = after.groupby(after["customer_id"].astype("int64"))["amount"].sum().reindex(members.index, fill_value=0)
        for one in segment_outlooks(then):
            real = float(truth[members == one.segment].sum())
            if real > 0:
                misses.setdefault(one.segment, []).append(abs(one.total / real - 1))
    return {
        "labels_kept_after_7_days": float(np.mean(kept)),
        "clusters": {"silhouette": grouped.silhouette, "bootstrap_ari": grouped.stability},
        "outliers": int(grouped.outlier.sum()),
        "error_of_30_day_totals": {name: float(np.mean(found)) for name, found in misses.items()},
    }


def _labels(frames: Frames) -> pd.Series:
    return segments(frames, features(frames))


def part_recommendations() -> dict[str, Any]:
    """The next basket after 2011-10-31, the whole catalogue ranked."""
    frames, cut = online_retail(), day("2011-10-31")
    then = frames.before(cut)
    weights, data = choose_weights(then), purchases(then)
    baskets = next_baskets(frames, data, pd.Timestamp(cut), pd.Timestamp(frames.as_of))
    rows = np.array(sorted(baskets))
    ways = {name: scaled(score(rows)) for name, score in scorers(data, describing(then, data.products)).items()}
    wanted = [baskets[row] for row in rows]
    owned = [set(data.bought.indices[data.bought.indptr[r] : data.bought.indptr[r + 1]]) for r in rows]
    new = [np.array([c for c in basket if c not in had], int) for basket, had in zip(wanted, owned, strict=True)]
    told = {
        "solodesk": (blended(ways, weights.every), blended(ways, weights.new)),
        "popularity_30_days": (ways["popularity"], ways["popularity"]),
    } | {name: (score, score) for name, score in references.recommenders(data, rows).items()}
    found: dict[str, Any] = {}
    for name, (all_of_them, only_new) in told.items():
        hit, gain = judge(all_of_them, wanted)
        new_hit, new_gain = judge(without_bought(only_new, data, rows), new)
        found[name] = {"hr_at_10": hit, "ndcg_at_10": gain, "new_hr_at_10": new_hit, "new_ndcg_at_10": new_gain}
    return {**found, "customers": len(rows), "weights": {"every": weights.every, "new": weights.new}}


def part_forecast() -> dict[str, Any]:
    """Daily sales from twelve moments, 30 days each."""
    frames = online_retail()
    series = daily_sales(frames.orders, frames.as_of, "UTC")
    errors: dict[str, list[float]] = {name: [] for name in ("solodesk", "seasonal_naive", *METHODS)}
    inside: list[float] = []
    for number in range(12):
        place = len(series) - DAYS - 14 * number
        past, truth = series.iloc[:place], series.iloc[place : place + DAYS].to_numpy(float)
        told = outlook(past)
        errors["solodesk"].append(mase(past, truth, told.middle))
        errors["seasonal_naive"].append(mase(past, truth, np.resize(past.to_numpy(float)[-7:], DAYS)))
        for name, method in METHODS.items():
            errors[name].append(mase(past, truth, method(past, DAYS)))
        inside.append(float(((truth >= told.low) & (truth <= told.high)).mean()))
        if number == 0:
            pictures.forecast(past, truth, told, RESULTS / "forecast.png")
    return {
        "mase": {name: float(np.mean(found)) for name, found in errors.items()},
        "coverage_80": float(np.mean(inside)),
    }


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    name.removeprefix("part_"): part for name, part in list(globals().items()) if name.startswith("part_")
}


def main(wanted: list[str]) -> None:
    file = RESULTS / "analytics.json"
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name in wanted or list(PARTS):
        began = time.monotonic()
        found = PARTS[name]()
        told[name] = {"measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
                      "seconds": round(time.monotonic() - began, 1), **found}  # fmt: skip
        file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        print(name, json.dumps(_rounded(found)), flush=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main(sys.argv[1:])
