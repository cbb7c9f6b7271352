"""Learning the churn risk, choosing the method on the last closed window, and keeping its level up to date."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from scipy.special import expit, logit

from analytics.churn.methods import Blend, BuyTillYouDie, Logistic, Method, RecencyRule
from analytics.churn.windows import Window, label, starts, window
from analytics.cluster import Here
from analytics.frames import Frames
from analytics.measures import auc, brier, calibration_error
from analytics.purchases.summary import Floats

HORIZON_DAYS = 90
FEWEST_CUSTOMERS, FEWEST_REPEATERS = 50, 20
LEARN_FROM_CUSTOMERS = 200
LEARN_FROM_AT_MOST = 20_000
MOMENTUM_DAYS = 30
SHORT_DAYS = 60
SHORT = "logistic_on_short_windows"
# The last month tells where the level goes; half of what it tells is believed.
MOMENTUM_SHARE = 0.5
_EDGE = 1e-4


@dataclass(frozen=True)
class Trial:
    """How a method did on the last closed window; empty where there was none."""

    name: str
    metrics: dict[str, float]
    champion: bool = False


@dataclass(frozen=True)
class Churn:
    """``risk`` belongs to ``now.table.index``; ``fallback`` says that too little data made a rule of it."""

    now: Window
    risk: Floats
    method: str
    trials: list[Trial]
    fallback: bool
    logistic: Logistic | None = None
    parameters: dict[str, float] = field(default_factory=dict)


def churn(
    frames: Frames,
    *,
    horizon: int = HORIZON_DAYS,
    in_use: str | None = None,
    challenge: bool = True,
    on: Here | None = None,
) -> Churn | None:
    """The churn risk of everybody who has bought, as of ``frames.as_of``; None if nobody has.

    in_use    : the method that serves so far; another takes its place only if it did better on the last closed window
    challenge : False keeps the one in use without trying others
    on        : where features and scores of all customers are computed; learning needs only a sample and stays here
    """
    if frames.orders["customer_id"].notna().sum() == 0:
        return None
    as_of = frames.as_of
    on = on or Here()
    now = window(frames, as_of, horizon=horizon, read=on.features)
    whole, frames = frames, frames.sampled(LEARN_FROM_AT_MOST)
    if len(now.data) < FEWEST_CUSTOMERS or (now.data.x > 0).sum() < FEWEST_REPEATERS:
        rule = RecencyRule()
        closed = [window(frames, start, horizon=horizon) for start in starts(frames, as_of, horizon=horizon)]
        rule.learn(closed, [label(frames, one, as_of, horizon=horizon) for one in closed])
        return Churn(now, rule.risk(now), rule.name, [Trial(rule.name, {}, champion=True)], fallback=True)
    known = {one.name for one in _candidates(len(now.data))}
    keeps = in_use is not None and in_use in known and not challenge
    trials = [] if keeps else _trials(frames, as_of, horizon=horizon)
    name = in_use if keeps and in_use else _chosen(trials, in_use) if trials else BuyTillYouDie().name
    if not trials and not keeps and len(now.data) >= LEARN_FROM_CUSTOMERS:
        by_short = _ranked_by_short_windows(now, whole, frames)
        if by_short is not None:
            return by_short
    method, windows = _learnt(name, frames, as_of, horizon=horizon)
    shift = _momentum(name, frames, as_of) if name not in (BuyTillYouDie().name, RecencyRule().name) else 0.0
    risk = _shifted(on.risk(method, now), shift)
    explained = method.logistic if isinstance(method, Blend) else method if isinstance(method, Logistic) else None
    marked = [Trial(one.name, one.metrics, champion=one.name == name) for one in trials]
    return Churn(
        now=now,
        risk=risk,
        method=name,
        trials=marked or [Trial(name, {}, champion=True)],
        fallback=False,
        logistic=explained,
        parameters={"horizon_days": horizon, "windows": len(windows), "level_shift": round(shift, 4)},
    )


def _ranked_by_short_windows(now: Window, whole: Frames, some: Frames) -> Churn | None:
    """Where no window as long as the horizon has closed yet: the order that a regression learns from windows of 60
    days, at the level that buy-till-you-die states for the horizon. None where those hold too little."""
    windows, lost = _closed(some, whole.as_of, horizon=SHORT_DAYS)
    if not _learnable(lost):
        return None
    method = Logistic()
    method.learn(windows, lost)
    risk = method.risk(window(whole, whole.as_of, horizon=SHORT_DAYS))
    risk = _shifted(risk, _level_shift(risk, float(BuyTillYouDie().risk(now).mean())))
    parameters: dict[str, float] = {
        "horizon_days": now.horizon,
        "learnt_from_days": SHORT_DAYS,
        "windows": len(windows),
    }
    return Churn(now, risk, SHORT, [Trial(SHORT, {}, champion=True)], False, method, parameters)


def _candidates(customers: int) -> list[Method]:
    """Below about 200 customers a regression has too little to learn from."""
    if customers < LEARN_FROM_CUSTOMERS:
        return [BuyTillYouDie()]
    logistic = Logistic()
    return [BuyTillYouDie(), logistic, Blend(logistic)]


def _trials(frames: Frames, as_of: datetime, *, horizon: int) -> list[Trial]:
    """Every candidate on the last closed window, having learnt from windows closed before that one began."""
    judged_at = as_of - timedelta(days=horizon)
    if judged_at not in starts(frames, as_of, horizon=horizon):
        return []
    past = frames.before(judged_at)
    judged = window(past, judged_at, horizon=horizon)
    truth = label(frames, judged, as_of, horizon=horizon)
    windows, lost = _closed(past, judged_at, horizon=horizon)
    done = []
    for method in _candidates(len(judged.data)):
        if not isinstance(method, BuyTillYouDie):
            if not _learnable(lost):
                continue
            method.learn(windows, lost)
        risk = method.risk(judged)
        metrics = {
            "brier": brier(truth, risk),
            "ece": calibration_error(truth, risk),
            "rows": float(len(truth)),
        }
        ranked = auc(truth, risk)
        done.append(Trial(method.name, metrics if ranked is None else {"auc": ranked, **metrics}))
    return done


def _chosen(trials: Sequence[Trial], in_use: str | None) -> str:
    """The best ranking; among those that chance could have put behind it, the one in use, else the lowest Brier score.

    Ranking comes first because the level is kept up to date apart from the method.
    """
    best = max(one.metrics.get("auc", 0.0) for one in trials)
    # About one standard error of an AUC near .75 with as many lost as kept.
    chance = 0.5 / np.sqrt(trials[0].metrics["rows"])
    as_good = [one for one in trials if one.metrics.get("auc", 0.0) >= best - chance]
    if any(one.name == in_use for one in as_good) and in_use is not None:
        return in_use
    return min(as_good, key=lambda one: one.metrics["brier"]).name


def _closed(frames: Frames, as_of: datetime, *, horizon: int) -> tuple[list[Window], list[np.ndarray]]:
    windows = [window(frames, start, horizon=horizon) for start in starts(frames, as_of, horizon=horizon)]
    return windows, [label(frames, one, as_of, horizon=horizon) for one in windows]


def _learnable(lost: Sequence[np.ndarray]) -> bool:
    together = np.concatenate(list(lost)) if lost else np.array([])
    return len(together) >= LEARN_FROM_CUSTOMERS and 0 < together.sum() < len(together)


def _learnt(name: str, frames: Frames, as_of: datetime, *, horizon: int) -> tuple[Method, list[Window]]:
    method = next(one for one in _candidates(LEARN_FROM_CUSTOMERS) if one.name == name)
    if isinstance(method, BuyTillYouDie):
        return method, []
    windows, lost = _closed(frames, as_of, horizon=horizon)
    method.learn(windows, lost)
    return method, windows


def _momentum(name: str, frames: Frames, as_of: datetime) -> float:
    """How far the last month's buying was off what was expected of it, in log-odds of being lost; 0 if unknown."""
    started = as_of - timedelta(days=MOMENTUM_DAYS)
    windows, lost = _closed(frames.before(started), started, horizon=MOMENTUM_DAYS)
    windows, lost = windows[:4], lost[:4]
    if not _learnable(lost):
        return 0.0
    method = next(one for one in _candidates(LEARN_FROM_CUSTOMERS) if one.name == name)
    method.learn(windows, lost)
    month = window(frames, started, horizon=MOMENTUM_DAYS)
    observed = float(label(frames, month, as_of, horizon=MOMENTUM_DAYS).mean())
    return MOMENTUM_SHARE * _level_shift(method.risk(month), observed)


def _level_shift(risk: Floats, level: float) -> float:
    """The log-odds to add so that the mean becomes ``level``; at most 4 either way."""
    stated, low, high = logit(np.clip(risk, _EDGE, 1 - _EDGE)), -4.0, 4.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if float(expit(stated + middle).mean()) < level else (low, middle)
    return middle


def _shifted(risk: Floats, shift: float) -> Floats:
    return np.asarray(expit(logit(np.clip(risk, _EDGE, 1 - _EDGE)) + shift))
