"""The Pareto/NBD model of repeat buying.

Source: D. C. Schmittlein, D. G. Morrison, R. Colombo, "Counting Your Customers: Who Are They and What Will They Do
Next?", Management Science 33 (1987), 1–24; in the form of P. S. Fader and B. G. S. Hardie, "A Note on Deriving the
Pareto/NBD Model and Related Expressions" (2005).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, roots_legendre

from analytics.purchases.bg_nbd import DidNotConverge
from analytics.purchases.summary import Floats, Summary, grouped

RESTARTS = 4
# e^−40 of an integrand's height is beyond what a float can add to it.
_NEGLIGIBLE = 40.0
_roots, _weights = roots_legendre(48)
_NODES, _WEIGHTS = (_roots + 1) / 2, _weights / 2


@dataclass(frozen=True)
class ParetoNbd:
    """Buying rates are Gamma(r, alpha) over customers, rates of leaving Gamma(s, beta); all > 0; in days."""

    r: float
    alpha: float
    s: float
    beta: float

    def alive(self, data: Summary) -> Floats:
        """P(still a customer), 0 to 1."""
        r, alpha, s, beta = self.r, self.alpha, self.s, self.beta
        log_gone = (r + data.x) * np.log(alpha + data.T) + s * np.log(beta + data.T) + _log_a0(self, data)
        return np.asarray(1.0 / (1.0 + s / (r + s + data.x) * np.exp(log_gone)))

    def expected_orders(self, data: Summary, days: float) -> Floats:
        """E[orders in the next ``days``]."""
        r, alpha, s, beta = self.r, self.alpha, self.s, self.beta
        rate: Floats = (r + data.x) * (beta + data.T) / (alpha + data.T)
        ratio = np.log((beta + data.T) / (beta + data.T + days))
        # (1 − e^{(s−1)·ratio}) / (s − 1), which tends to −ratio as s goes to 1
        lasting = np.asarray(-np.expm1((s - 1) * ratio) / (s - 1) if abs(s - 1) > 1e-8 else -ratio)
        return np.asarray(self.alive(data) * rate * lasting)


def _log_a0(model: ParetoNbd, data: Summary) -> Floats:
    """Logarithm of A₀ = (r+s+x) ∫ (alpha+u)^−(r+x) (beta+u)^−(s+1) du from tx to T.

    Integrated numerically in v = log(max(alpha, beta) + u), where the integrand falls at least as fast as
    e^−(r+s+x)v: as exact as the paper's hypergeometric functions, 30 times faster, and without their failures where
    the likelihood degenerates.
    """
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    total = r + s + data.x
    shift = max(alpha, beta)
    start = np.log(shift + data.tx)
    length = np.minimum(np.log(shift + data.T) - start, _NEGLIGIBLE / total)
    v = start[:, None] + length[:, None] * _NODES
    u = np.exp(v) - shift
    logs = v - (r + data.x)[:, None] * np.log(alpha + u) - (s + 1) * np.log(beta + u)
    top = logs.max(axis=1)
    integral = np.exp(logs - top[:, None]) @ _WEIGHTS * length
    with np.errstate(divide="ignore"):  # nothing lies between tx and T of who bought just now
        return np.asarray(np.log(total) + top + np.log(integral))


def log_likelihood(model: ParetoNbd, data: Summary) -> Floats:
    """Per customer."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    common = gammaln(r + data.x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    stayed = -(r + data.x) * np.log(alpha + data.T) - s * np.log(beta + data.T)
    left = np.log(s / (r + s + data.x)) + _log_a0(model, data)
    return np.asarray(common + np.logaddexp(stayed, left))


def fit(data: Summary, *, penalty: float = 0.0) -> ParetoNbd:
    """Maximum likelihood; ``penalty`` ≥ 0 pulls the logarithms of the parameters to 0. Raises DidNotConverge."""
    if len(data) == 0 or not (data.x > 0).any():
        raise DidNotConverge("nobody has bought twice")
    scale = max(1.0, float(np.median(data.T)) / 10)
    scaled, weights = grouped(Summary(data.customers, data.x, data.tx / scale, data.T / scale))

    def loss(logs: Floats) -> float:
        with np.errstate(all="ignore"):
            value = -weights @ log_likelihood(ParetoNbd(*np.exp(logs)), scaled) + penalty * float((logs**2).sum())
        return float(value) if np.isfinite(value) else 1e10

    # The likelihood has a long flat ridge along s and beta: a simplex that has come to rest is set off again.
    start, best = np.zeros(4), np.inf
    for _ in range(RESTARTS):
        found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 1000, "xatol": 1e-4, "fatol": 1e-9})
        if best - found.fun < 1e-7:
            break
        start, best = found.x, found.fun
    if not np.isfinite(found.fun) or found.fun >= 1e9:
        raise DidNotConverge(str(found.message))
    r, alpha, s, beta = np.exp(found.x)
    return ParetoNbd(float(r), float(alpha * scale), float(s), float(beta * scale))
