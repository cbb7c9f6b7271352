"""Blending what different ways say, with weights that did best on the month before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import numpy as np
import pandas as pd

from analytics.frames import Frames
from analytics.recommendations import methods
from analytics.recommendations.methods import Scorer, Scores
from analytics.recommendations.purchases import Purchases, purchases

TOP = 10
MONTH = timedelta(days=30)
COLLABORATE_FROM = 300
ROWS_AT_ONCE = 512
JUDGE_AT_MOST = 1_500
_STEPS = {"repeat": (0.5, 1.0, 2.0), "ease": (0.0, 0.25, 0.5, 1.0), "popularity": (0.0, 0.1, 0.25)}
_NEW_STEPS = {"ease": (0.0, 0.5, 1.0), "user": (0.0, 0.25, 0.5), "content": (0.0, 0.1), "popularity": (0.1, 0.25, 0.5)}


@dataclass(frozen=True)
class Weights:
    """How much each way counts, for any product and for products the customer has not bought."""

    every: dict[str, float]
    new: dict[str, float]
    metrics: dict[str, float]
    fallback: bool


def scorers(data: Purchases, words: list[str]) -> dict[str, Scorer]:
    """The ways that make sense at this size: below 300 customers no collaborative one beats what sells just now."""
    ways = {
        "repeat": methods.repeat(data),
        "popularity": methods.popularity(data),
        "content": methods.content(data, words),
    }
    if len(data.customers) >= COLLABORATE_FROM:
        ways["ease"] = methods.ease(data)
        ways["user"] = methods.user_neighbours(data)
    return ways


def scaled(scores: Scores) -> Scores:
    """Each row from 0 to 1, so that ways can be added."""
    low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
    return np.asarray((scores - low) / np.maximum(high - low, 1e-9), np.float32)


def blended(ways: dict[str, Scores], weights: dict[str, float]) -> Scores:
    """The weighted sum of scaled scores; ways without a weight are left out."""
    parts = [weight * ways[name] for name, weight in weights.items() if weight and name in ways]
    return np.asarray(np.sum(parts, axis=0))


def describing(frames: Frames, products: pd.Index) -> list[str]:
    """One text per product: its title and category."""
    known = frames.products.set_index("product_id").reindex(products)
    return [str(text) for text in known["title"].fillna("") + " " + known["category"].fillna("")]


def next_baskets(frames: Frames, data: Purchases, start: pd.Timestamp, end: pd.Timestamp) -> dict[int, np.ndarray]:
    """By row of ``data``: the columns of what that customer bought on the first day of buying after ``start``."""
    lines = frames.lines[(frames.lines["ordered_at"] > start) & (frames.lines["ordered_at"] <= end)]
    lines = lines.dropna(subset=["customer_id"]).astype({"customer_id": "int64"})
    lines = lines.assign(day=lines["ordered_at"].dt.floor("D"))
    lines = lines[lines["day"] == lines.groupby("customer_id")["day"].transform("min")]
    rows, columns = data.customers.get_indexer(lines["customer_id"]), data.products.get_indexer(lines["product_id"])
    kept = (rows >= 0) & (columns >= 0)
    grouped = pd.Series(columns[kept]).groupby(rows[kept])
    return {int(row): np.unique(found.to_numpy()) for row, found in grouped}


def judge(scores: Scores, baskets: list[np.ndarray]) -> tuple[float, float]:
    """Hit rate and NDCG of each row's ten best products against what was bought next; empty baskets do not count."""
    best = np.argpartition(-scores, min(TOP, scores.shape[1] - 1), axis=1)[:, :TOP]
    order = np.take_along_axis(-scores, best, axis=1).argsort(axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    discounts = 1.0 / np.log2(np.arange(2, TOP + 2))
    hits, gains = [], []
    for row, basket in enumerate(baskets):
        if not len(basket):
            continue
        found = np.isin(best[row], basket)
        hits.append(bool(found.any()))
        gains.append(float((found * discounts[: len(found)]).sum() / discounts[: min(TOP, len(basket))].sum()))
    return (float(np.mean(hits)), float(np.mean(gains))) if hits else (0.0, 0.0)


def without_bought(scores: Scores, data: Purchases, rows: np.ndarray) -> Scores:
    """The scores with everything a customer bought before put last."""
    hidden = np.array(scores, copy=True)
    hidden[data.bought[rows].toarray() > 0] = -np.inf
    return hidden


def choose_weights(frames: Frames) -> Weights:
    """The weights that did best on the 30 days before ``frames.as_of``, having seen nothing of them."""
    start = frames.as_of - MONTH
    then = frames.before(start)
    data = purchases(then)
    baskets = next_baskets(frames, data, pd.Timestamp(start), pd.Timestamp(frames.as_of)) if len(data.products) else {}
    if len(baskets) < 20:
        return Weights({"repeat": 1.0, "popularity": 0.1}, {"popularity": 1.0, "content": 0.1}, {}, fallback=True)
    chosen = sorted(baskets)
    if len(chosen) > JUDGE_AT_MOST:
        chosen = sorted(np.random.default_rng(0).choice(chosen, JUDGE_AT_MOST, replace=False).tolist())
    rows = np.array(chosen)
    ways = {name: scaled(score(rows)) for name, score in scorers(data, describing(then, data.products)).items()}
    all_of_it = [baskets[row] for row in chosen]
    owned = [set(data.bought.indices[data.bought.indptr[row] : data.bought.indptr[row + 1]]) for row in chosen]
    new = [np.array([c for c in basket if c not in had], int) for basket, had in zip(all_of_it, owned, strict=True)]
    every, best = _search(ways, _STEPS, lambda scores: judge(scores, all_of_it))
    for_new, best_new = _search(ways, _NEW_STEPS, lambda scores: judge(without_bought(scores, data, rows), new))
    metrics = {"hr_at_10": best[0], "ndcg_at_10": best[1], "new_hr_at_10": best_new[0], "new_ndcg_at_10": best_new[1]}
    return Weights(every, for_new, {**metrics, "customers": float(len(chosen))}, fallback=False)


def _search(
    ways: dict[str, Scores], steps: dict[str, tuple[float, ...]], measure: Callable[[Scores], tuple[float, float]]
) -> tuple[dict[str, float], tuple[float, float]]:
    names = [name for name in steps if name in ways]
    best: tuple[dict[str, float], tuple[float, float]] = ({}, (-1.0, -1.0))
    for values in product(*(steps[name] for name in names)):
        weights = {name: value for name, value in zip(names, values, strict=True) if value}
        if not weights:
            continue
        found = measure(blended(ways, weights))
        if sum(found) > sum(best[1]):
            best = (weights, found)
    return best
