"""What other libraries say of the same data; each in an environment of its own that uv makes, so that none is needed.

Without uv or network the figures of these libraries are left out, and that is said.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from analytics.measures import auc, brier, calibration_error
from analytics.purchases.summary import Summary
from analytics.recommendations.purchases import Purchases

LIFETIMES = ("lifetimes==0.11.3", "autograd>=1.7", "setuptools")
IMPLICIT = ("implicit==0.7.3",)

_LIFETIMES_CODE = """
import sys, numpy as np
from lifetimes import BetaGeoFitter
given = np.load(sys.argv[1])
scale = max(1.0, float(np.median(given["T"])) / 10)
x, tx, T, days = given["x"], given["tx"] / scale, given["T"] / scale, float(given["days"]) / scale
for penalty in (0.0, 0.001, 0.01, 0.1):
    try:
        model = BetaGeoFitter(penalizer_coef=penalty).fit(x, tx, T)
        break
    except Exception:
        if penalty == 0.1:
            raise
expected = np.asarray(model.conditional_expected_number_of_purchases_up_to_time(days, x, tx, T))
alive = np.asarray(model.conditional_probability_alive(x, tx, T))
r, alpha = model.params_["r"], model.params_["alpha"]
silent = ((alpha + T) / (alpha + T + days)) ** (r + x)
np.savez(sys.argv[2], expected=expected, buys=alive * (1 - silent))
"""
_IMPLICIT_CODE = """
import sys, numpy as np
from scipy import sparse
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
given = np.load(sys.argv[1])
counts = sparse.csr_matrix((given["data"], given["indices"], given["indptr"]), shape=tuple(given["shape"]))
als = AlternatingLeastSquares(factors=64, random_state=0, num_threads=2)
als.fit(counts, show_progress=False)
bm25 = BM25Recommender(K=100)
bm25.fit(counts, show_progress=False)
rows = given["rows"]
np.savez(sys.argv[2], als=als.user_factors[rows] @ als.item_factors.T,
         bm25=(counts[rows] @ bm25.similarity.T.tocsr()).toarray())
"""


def _elsewhere(code: str, packages: tuple[str, ...], given: dict[str, Any]) -> dict[str, np.ndarray] | None:
    uv = shutil.which("uv")
    if uv is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "given.npz", Path(folder) / "told.npz"
        np.savez(source, **given)
        needed = [part for package in packages for part in ("--with", package)]
        command = [uv, "run", "--no-project", "--quiet", "--python", sys.executable, *needed]
        done = subprocess.run([*command, "python", "-W", "ignore", "-c", code, str(source), str(target)], check=False,
                              capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            print(f"{packages[0]} could not be run: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return None
        with np.load(io.BytesIO(target.read_bytes())) as told:
            return {name: told[name] for name in told.files}


def _lifetimes(data: Summary, days: float) -> dict[str, np.ndarray] | None:
    return _elsewhere(_LIFETIMES_CODE, LIFETIMES, {"x": data.x, "tx": data.tx, "T": data.T, "days": days})


def bg_nbd_churn(cases: list[tuple[Summary, np.ndarray]], days: float) -> dict[str, Any]:
    """BG/NBD of lifetimes: P(no order) as the risk, mean over the cases."""
    rows = []
    for data, truth in cases:
        told = _lifetimes(data, days)
        if told is None:
            return {"lifetimes_bg_nbd": "not measured"}
        risk = np.clip(1 - told["buys"], 0, 1)
        rows.append((auc(truth, risk) or 0.0, brier(truth, risk), calibration_error(truth, risk)))
    return {"lifetimes_bg_nbd": dict(zip(("auc", "brier", "ece"), np.mean(rows, axis=0).tolist(), strict=True))}


def bg_nbd_orders(data: Summary, orders: np.ndarray, days: float) -> dict[str, Any]:
    """BG/NBD of lifetimes: expected orders, and their order as the churn ranking."""
    told = _lifetimes(data, days)
    if told is None:
        return {"lifetimes_bg_nbd": "not measured"}
    mean_error = float(np.abs(told["expected"] - orders).mean())
    return {"lifetimes_bg_nbd": {"auc": auc(orders == 0, -told["expected"]), "orders_mae": mean_error}}


def recommenders(data: Purchases, rows: np.ndarray) -> dict[str, np.ndarray]:
    """ALS and item-item BM25 of implicit, scores of all products for the given rows."""
    counts = sparse.csr_matrix(data.counts)
    given = {
        "data": counts.data,
        "indices": counts.indices,
        "indptr": counts.indptr,
        "shape": counts.shape,
        "rows": rows,
    }
    told = _elsewhere(_IMPLICIT_CODE, IMPLICIT, given)
    return {} if told is None else {f"implicit_{name}": np.asarray(scores, np.float32) for name, scores in told.items()}
