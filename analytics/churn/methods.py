"""Ways to say how likely somebody is lost, from a rule to a blend of models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from analytics.churn.windows import Window, ranked_by, sampled
from analytics.purchases import pareto_nbd
from analytics.purchases.bg_nbd import DidNotConverge
from analytics.purchases.summary import Floats

READ = (
    "recency", "tenure", "days_bought", "amount_mean", "amount_sum_90", "orders_30", "orders_60", "orders_90",
    "orders_180", "gap_mean", "gap_spread", "overdue", "discount_share", "return_share", "products", "repeat_share",
    "sentiment", "complaints", "messages_90", "orders_expected", "buys_logit",
)  # fmt: skip
_LOGGED = (
    "recency", "tenure", "days_bought", "amount_mean", "amount_sum_90", "orders_30", "orders_60", "orders_90",
    "orders_180", "gap_mean", "products", "complaints", "messages_90",
)  # fmt: skip
LEARN_FROM_AT_MOST = 60_000
PARETO_FROM = 100


class Method(Protocol):
    """``name`` goes into model_runs; ``risk`` gives probabilities (n,) for a window's customers."""

    @property
    def name(self) -> str: ...

    def learn(self, windows: Sequence[Window], lost: Sequence[np.ndarray]) -> None: ...

    def risk(self, of: Window) -> Floats: ...


@dataclass
class RecencyRule:
    """Days since the last order, on a scale that makes the average right: for shops with next to no history."""

    name: str = "recency_rule"
    half: float = 60.0

    def learn(self, windows: Sequence[Window], lost: Sequence[np.ndarray]) -> None:
        """Finds the number of days after which half are lost, from closed windows where there are any."""
        pairs = [(of.table["recency"].to_numpy(), gone) for of, gone in zip(windows, lost, strict=True) if len(gone)]
        if not pairs:
            return
        recency, gone = np.concatenate([one for one, _ in pairs]), np.concatenate([two for _, two in pairs])
        halves = np.array([15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0])
        self.half = float(min(halves, key=lambda half: float(np.mean((recency / (recency + half) - gone) ** 2))))

    def risk(self, of: Window) -> Floats:
        recency = of.table["recency"].to_numpy(float)
        return np.asarray(np.clip(recency / (recency + self.half), 0.02, 0.98))


@dataclass
class BuyTillYouDie:
    """P(no order within the horizon): its level is BG/NBD's, its order that of the expected orders of Pareto/NBD.

    Learns nothing from closed windows, so it needs none. Below 100 customers Pareto/NBD's four parameters are too many,
    and BG/NBD gives the order too.
    """

    name: str = "buy_till_you_die"

    def learn(self, windows: Sequence[Window], lost: Sequence[np.ndarray]) -> None: ...

    def risk(self, of: Window) -> Floats:
        if len(of.data) < PARETO_FROM:
            return 1.0 - of.buys
        try:
            expected = pareto_nbd.fit(sampled(of.data)).expected_orders(of.data, of.horizon)
        except DidNotConverge:
            return 1.0 - of.buys
        return 1.0 - ranked_by(expected, level=float(of.buys.mean())) if np.isfinite(expected).all() else 1.0 - of.buys


@dataclass
class Logistic:
    """Logistic regression on the stacked windows."""

    name: str = "logistic"
    model: Pipeline | None = None

    def learn(self, windows: Sequence[Window], lost: Sequence[np.ndarray]) -> None:
        table, gone = _stacked(windows, lost)
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2_000))
        self.model.fit(_prepared(table), gone)

    def risk(self, of: Window) -> Floats:
        return self.risk_of(of.table)

    def risk_of(self, table: pd.DataFrame) -> Floats:
        """Of some customers' features, whatever the others': scoring can be shared out."""
        return _probabilities(self.model, _prepared(table))

    def weights(self, of: Window) -> pd.DataFrame:
        """How much each feature raises (+) or lowers (−) each customer's log-odds against the average one."""
        if self.model is None:
            raise RuntimeError("weights of a model that has not learnt")
        scaled = self.model[0].transform(_prepared(of.table))
        return pd.DataFrame(scaled * self.model[1].coef_[0], index=of.table.index, columns=list(READ))


@dataclass
class Blend:
    """The mean of logistic regression and gradient-boosted trees on the same windows."""

    logistic: Logistic
    name: str = "logistic_and_boosting"
    trees: HistGradientBoostingClassifier | None = None

    def learn(self, windows: Sequence[Window], lost: Sequence[np.ndarray]) -> None:
        if self.logistic.model is None:
            self.logistic.learn(windows, lost)
        table, gone = _stacked(windows, lost)
        self.trees = HistGradientBoostingClassifier(
            max_iter=80, learning_rate=0.05, max_depth=3, min_samples_leaf=40, early_stopping=False, random_state=0
        )
        self.trees.fit(table[list(READ)].to_numpy(float), gone)

    def risk(self, of: Window) -> Floats:
        return self.risk_of(of.table)

    def risk_of(self, table: pd.DataFrame) -> Floats:
        """Of some customers' features, whatever the others'."""
        by_trees = _probabilities(self.trees, table[list(READ)].to_numpy(float))
        return (self.logistic.risk_of(table) + by_trees) / 2


def _stacked(windows: Sequence[Window], lost: Sequence[np.ndarray]) -> tuple[pd.DataFrame, np.ndarray]:
    table = pd.concat([of.table for of in windows], ignore_index=True)
    gone = np.concatenate(list(lost))
    if len(table) > LEARN_FROM_AT_MOST:
        keep = np.random.default_rng(0).choice(len(table), LEARN_FROM_AT_MOST, replace=False)
        table, gone = table.iloc[keep], gone[keep]
    return table, gone


def _prepared(table: pd.DataFrame) -> np.ndarray:
    read: np.ndarray = table[list(READ)].to_numpy(float, copy=True)
    for place, name in enumerate(READ):
        if name in _LOGGED:
            read[:, place] = np.log1p(read[:, place])
    return read


def _probabilities(model: Pipeline | HistGradientBoostingClassifier | None, read: np.ndarray) -> Floats:
    if model is None:
        raise RuntimeError("risk of a model that has not learnt")
    return np.asarray(model.predict_proba(read)[:, 1])
