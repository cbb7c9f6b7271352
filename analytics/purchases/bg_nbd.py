"""The BG/NBD model of repeat buying.

Source: P. S. Fader, B. G. S. Hardie, K. L. Lee, "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
Model", Marketing Science 24 (2005), 275–284; the equations' numbers are that paper's.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, hyp2f1

from analytics.purchases.summary import Floats, Summary, grouped


class DidNotConverge(Exception):
    """No parameters could be found: too few repeat buyers, or all alike."""


@dataclass(frozen=True)
class BgNbd:
    """Buying rates are Gamma(r, alpha) over customers, chances of leaving after a purchase Beta(a, b); all > 0.

    ``alpha`` is in the summary's unit of time.
    """

    r: float
    alpha: float
    a: float
    b: float

    def alive(self, data: Summary) -> Floats:
        """P(still a customer). 1 for everybody who bought once: never a churn score by itself."""
        log_odds = (
            (self.r + data.x) * np.log((self.alpha + data.T) / (self.alpha + data.tx))
            + np.log(self.a)
            - np.log(self.b + np.maximum(data.x, 1) - 1)
        )
        return np.where(data.x == 0, 1.0, expit(-log_odds))

    def buys_within(self, data: Summary, days: float) -> Floats:
        """P(at least one order in the next ``days``), 0 to 1: alive, and not silent by chance."""
        silent = ((self.alpha + data.T) / (self.alpha + data.T + days)) ** (self.r + data.x)
        return np.asarray(self.alive(data) * (1.0 - silent))

    def expected_orders(self, data: Summary, days: float) -> Floats:
        """E[orders in the next ``days``] (equation 10)."""
        a, b, r, alpha = self.a, self.b, self.r, self.alpha
        z = days / (alpha + data.T + days)
        series = hyp2f1(r + data.x, b + data.x, a + b + data.x - 1, z)
        shrink = ((alpha + data.T) / (alpha + data.T + days)) ** (r + data.x)
        first = (a + b + data.x - 1) / (a - 1)
        odds = a / (b + np.maximum(data.x, 1) - 1) * ((alpha + data.T) / (alpha + data.tx)) ** (r + data.x)
        return np.asarray(first * (1 - shrink * series) / (1 + np.where(data.x > 0, odds, 0.0)))


def log_likelihood(model: BgNbd, data: Summary) -> Floats:
    """Per customer (equation 6, on the log scale)."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    common = gammaln(r + data.x) - gammaln(r) + r * np.log(alpha)
    stayed = betaln(a, b + data.x) - betaln(a, b) - (r + data.x) * np.log(alpha + data.T)
    left = betaln(a + 1, b + np.maximum(data.x, 1) - 1) - betaln(a, b) - (r + data.x) * np.log(alpha + data.tx)
    return np.asarray(common + np.where(data.x > 0, np.logaddexp(stayed, left), stayed))


def fit(data: Summary, *, penalty: float = 0.0) -> BgNbd:
    """Maximum likelihood; ``penalty`` ≥ 0 pulls the logarithms of the parameters to 0, for small shops.

    Raises DidNotConverge.
    """
    if len(data) == 0 or not (data.x > 0).any():
        raise DidNotConverge("nobody has bought twice")
    scale = max(1.0, float(np.median(data.T)) / 10)
    scaled, weights = grouped(Summary(data.customers, data.x, data.tx / scale, data.T / scale))

    def loss(logs: Floats) -> float:
        value = -weights @ log_likelihood(BgNbd(*np.exp(logs)), scaled) + penalty * float((logs**2).sum())
        return float(value) if np.isfinite(value) else 1e10

    starts = (np.zeros(4), np.array([-1.0, 1.0, -0.5, 1.0]))
    found = min(
        (minimize(loss, start, method="L-BFGS-B", bounds=[(-9, 9)] * 4) for start in starts), key=lambda one: one.fun
    )
    if not np.isfinite(found.fun) or found.fun >= 1e9:
        raise DidNotConverge(str(found.message))
    r, alpha, a, b = np.exp(found.x)
    return BgNbd(float(r), float(alpha * scale), float(a), float(b))
