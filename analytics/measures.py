"""How good probabilities and numbers are."""

import numpy as np
from scipy.stats import rankdata

from analytics.purchases.summary import Floats


def auc(truth: np.ndarray, score: Floats) -> float | None:
    """Area under the ROC curve, ties counted half; None where only one class is there."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return None
    ranks = rankdata(score)
    return float((ranks[truth.astype(bool)].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def brier(truth: np.ndarray, probability: Floats) -> float:
    """Mean squared error of probabilities, 0 (perfect) to 1."""
    return float(np.mean((probability - truth) ** 2))


def calibration_error(truth: np.ndarray, probability: Floats, *, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins: mean distance of stated from observed frequency."""
    place = np.clip((probability * bins).astype(int), 0, bins - 1)
    total = 0.0
    for number in range(bins):
        inside = place == number
        if inside.any():
            total += float(inside.mean() * abs(truth[inside].mean() - probability[inside].mean()))
    return total
