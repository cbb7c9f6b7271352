"""The two lists of each customer: what to buy again, and what is new for them, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from scipy import sparse

from analytics.frames import Frames
from analytics.recommendations.blending import (
    ROWS_AT_ONCE,
    Weights,
    blended,
    choose_weights,
    describing,
    scaled,
    scorers,
    without_bought,
)
from analytics.recommendations.purchases import Purchases, purchases
from crm.models import RecommendationList

LENGTH = 5
LOOK_AT = 60
MOST_PER_CATEGORY = 2


class Reason(StrEnum):
    BOUGHT_BEFORE = "bought_before"
    BOUGHT_TOGETHER = "bought_together"
    SIMILAR = "similar"
    POPULAR = "popular"


@dataclass(frozen=True)
class Recommended:
    customer_id: int
    list: RecommendationList
    rank: int
    product_id: int
    score: float
    reason: Reason
    because_of_id: int | None = None


@dataclass(frozen=True)
class Recommendations:
    rows: list[Recommended]
    weights: Weights
    customers: int
    products: int


def recommendations(frames: Frames, *, weights: Weights | None = None) -> Recommendations:
    """Up to 5 + 5 products for everybody who has bought something that is still known.

    weights : of an earlier choice; without them they are chosen anew on the last month

    Nothing inactive or out of stock is recommended; of one category at most two products stand in a list.
    """
    data = purchases(frames)
    weights = weights or choose_weights(frames)
    if not len(data.products) or not len(data.customers):
        return Recommendations([], weights, 0, 0)
    ways = scorers(data, describing(frames, data.products))
    shelf = _Shelf.of(frames, data)
    rows: list[Recommended] = []
    for start in range(0, len(data.customers), ROWS_AT_ONCE):
        some = np.arange(start, min(start + ROWS_AT_ONCE, len(data.customers)))
        scores = {name: scaled(score(some)) for name, score in ways.items()}
        rows.extend(_again(data, shelf, some, blended(scores, weights.every)))
        rows.extend(_new(data, shelf, some, blended(scores, weights.new)))
    return Recommendations(rows, weights, len(data.customers), len(data.products))


@dataclass(frozen=True)
class _Shelf:
    """What may be offered, each product's category as a number (−1: none), and which products go together."""

    offered: np.ndarray
    category: np.ndarray
    together: sparse.csr_array

    @classmethod
    def of(cls, frames: Frames, data: Purchases) -> "_Shelf":
        known = frames.products.set_index("product_id").reindex(data.products)
        stock = known["stock"]
        in_stock = (stock.isna() | (stock.fillna(0) > 0)).to_numpy(bool)
        active = known["active"].fillna(False).to_numpy(bool)
        lengths = np.sqrt(np.asarray(data.bought.sum(axis=0))).ravel() + 1e-9
        alike = data.bought @ sparse.diags_array((1.0 / lengths).astype(np.float32))
        return cls(
            offered=active & in_stock,
            category=pd.factorize(known["category"])[0],
            together=sparse.csr_array(alike.T @ alike),
        )


def _again(data: Purchases, shelf: _Shelf, rows: np.ndarray, scores: np.ndarray) -> Iterator[Recommended]:
    allowed = (data.bought[rows].toarray() > 0) & shelf.offered
    for place, columns in _best(np.where(allowed, scores, -np.inf), shelf, most_per_category=LENGTH):
        for rank, column in enumerate(columns, start=1):
            yield Recommended(
                customer_id=int(data.customers[rows[place]]),
                list=RecommendationList.BUY_AGAIN,
                rank=rank,
                product_id=int(data.products[column]),
                score=float(scores[place, column]),
                reason=Reason.BOUGHT_BEFORE,
            )


def _new(data: Purchases, shelf: _Shelf, rows: np.ndarray, scores: np.ndarray) -> Iterator[Recommended]:
    hidden = without_bought(scores, data, rows)
    hidden[:, ~shelf.offered] = -np.inf
    for place, columns in _best(hidden, shelf, most_per_category=MOST_PER_CATEGORY):
        row = int(rows[place])
        owned = data.bought.indices[data.bought.indptr[row] : data.bought.indptr[row + 1]]
        for rank, column in enumerate(columns, start=1):
            reason, because = _why(shelf, owned, int(column))
            yield Recommended(
                customer_id=int(data.customers[row]),
                list=RecommendationList.NEW_FOR_YOU,
                rank=rank,
                product_id=int(data.products[column]),
                score=float(scores[place, column]),
                reason=reason,
                because_of_id=int(data.products[because]) if because is not None else None,
            )


def _best(scores: np.ndarray, shelf: _Shelf, *, most_per_category: int) -> Iterator[tuple[int, list[int]]]:
    """Per row the columns of its best products, at most so many of one category."""
    look_at = min(LOOK_AT, scores.shape[1])
    top = np.argpartition(-scores, look_at - 1, axis=1)[:, :look_at]
    order = np.take_along_axis(-scores, top, axis=1).argsort(axis=1, kind="stable")
    for place, columns in enumerate(np.take_along_axis(top, order, axis=1)):
        chosen: list[int] = []
        taken: dict[int, int] = {}
        for column in columns:
            if not np.isfinite(scores[place, column]) or len(chosen) == LENGTH:
                break
            category = int(shelf.category[column])
            if category >= 0 and taken.get(category, 0) >= most_per_category:
                continue
            taken[category] = taken.get(category, 0) + 1
            chosen.append(int(column))
        yield place, chosen


def _why(shelf: _Shelf, owned: np.ndarray, column: int) -> tuple[Reason, int | None]:
    """The product of the customer's that goes with it best, if any does."""
    start, end = shelf.together.indptr[column], shelf.together.indptr[column + 1]
    neighbours, strength = shelf.together.indices[start:end], shelf.together.data[start:end]
    mine = np.isin(neighbours, owned)
    if not mine.any():
        return Reason.POPULAR, None
    return Reason.BOUGHT_TOGETHER, int(neighbours[mine][strength[mine].argmax()])
