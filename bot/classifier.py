"""The trained intent model: arrays, and how a text is scored with them. Needs numpy only; bot/fitting.py makes it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

OUT_OF_SCOPE = "out_of_scope"
# How much the nearest example has to say beside the linear model, tuned by cross-validation (bot/evaluate.py).
NEIGHBOUR_WEIGHT = 0.3
# Turns the linear model's margin into something between 0 and 1; what it is worth is the calibration's business.
STEEPNESS = 3.0
# Kinds of features, and their weight before a text is scaled to length one.
KIND_WEIGHTS: dict[str, float] = {"h": 1.0, "w": 1.5, "c": 0.7, "p": 1.0}


@dataclass(frozen=True)
class Scores:
    """How a text fares with every intent, and what that rests on."""

    by_intent: np.ndarray  # linear model and neighbours together, one per intent
    linear: np.ndarray  # sigmoid of the linear model, one per intent
    nearest: np.ndarray  # similarity 0–1 to the nearest examples, one per intent
    known_share: float  # of the text's features

    def evidence(self) -> np.ndarray:
        """What the calibration judges by: is the best intent the right one?"""
        order = np.argsort(self.by_intent)
        best, second = int(order[-1]), int(order[-2])
        linear = min(max(float(self.linear[best]), 1e-6), 1 - 1e-6)
        return np.array(
            [
                math.log(linear / (1 - linear)),
                float(self.by_intent[best] - self.by_intent[second]),
                float(self.nearest[best]),
                float(self.nearest.max() - self.nearest[best]),
                self.known_share,
                float(self.linear[second]),
            ]
        )


@dataclass(frozen=True)
class IntentModel:
    intents: Sequence[str]
    vocabulary: Mapping[str, int]
    weights: np.ndarray  # per feature: inverse document frequency × weight of its kind
    coefficients: np.ndarray  # feature × intent
    intercepts: np.ndarray
    # The training examples, turned round: for each feature the examples that have it.
    posting_starts: np.ndarray
    posting_examples: np.ndarray
    posting_values: np.ndarray
    # Examples stand in the order of their intents; here is where each intent's begin.
    intent_starts: np.ndarray
    example_count: int
    calibration: np.ndarray  # one coefficient per piece of evidence, then the constant

    def vector(self, features: Counter[str]) -> tuple[np.ndarray, np.ndarray, float]:
        """(feature indices, their values scaled to length one, share of features that are known)."""
        known = [(index, count) for f, count in features.items() if (index := self.vocabulary.get(f)) is not None]
        if not known:
            return np.empty(0, dtype=np.int64), np.empty(0), 0.0
        indices = np.fromiter((i for i, _ in known), dtype=np.int64, count=len(known))
        counts = np.fromiter((c for _, c in known), dtype=np.float64, count=len(known))
        values = (1 + np.log(counts)) * self.weights[indices]
        return indices, values / np.linalg.norm(values), len(known) / len(features)

    def score(self, features: Counter[str]) -> Scores:
        indices, values, known_share = self.vector(features)
        margins = np.asarray(values @ self.coefficients[indices] + self.intercepts, dtype=np.float64)
        linear = 1 / (1 + np.exp(-STEEPNESS * margins))
        nearest = self._nearest(indices, values)
        return Scores(linear + NEIGHBOUR_WEIGHT * nearest, linear, nearest, known_share)

    def confidence(self, scores: Scores) -> float:
        """The probability that the best intent is the right one, as measured on texts kept out of training."""
        return self.calibrated(scores, self.calibration)

    @staticmethod
    def calibrated(scores: Scores, calibration: np.ndarray) -> float:
        return float(1 / (1 + math.exp(-float(scores.evidence() @ calibration[:-1] + calibration[-1]))))

    def ranking(self, features: Counter[str]) -> list[tuple[str, float]]:
        """Every intent with its confidence, best first."""
        if not features:
            return [(OUT_OF_SCOPE, 0.0)] + [(intent, 0.0) for intent in self.intents if intent != OUT_OF_SCOPE]
        scores = self.score(features)
        confidence = self.confidence(scores)
        order = np.argsort(-scores.by_intent, kind="stable")
        best = float(scores.by_intent[order[0]])
        return [(self.intents[i], confidence * float(scores.by_intent[i]) / best if best else 0.0) for i in order]

    def _nearest(self, indices: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Per intent, the cosine similarity to its nearest example."""
        if not len(indices):
            return np.zeros(len(self.intents))
        spans = [slice(self.posting_starts[i], self.posting_starts[i + 1]) for i in indices]
        examples = np.concatenate([self.posting_examples[span] for span in spans])
        lengths = [span.stop - span.start for span in spans]
        shares = np.concatenate([self.posting_values[span] for span in spans]) * np.repeat(values, lengths)
        similarity = np.bincount(examples, weights=shares, minlength=self.example_count)
        return np.maximum.reduceat(similarity, self.intent_starts)

    def save(self, directory: Path) -> None:
        """Plain arrays and JSON: nothing that could run code when it is read."""
        arrays = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("intents", "vocabulary", "example_count")
        }
        np.savez(directory / "arrays.npz", **arrays)
        names = {
            "intents": list(self.intents),
            "vocabulary": list(self.vocabulary),
            "example_count": self.example_count,
        }
        (directory / "names.json").write_text(json.dumps(names, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, directory: Path) -> IntentModel:
        names = json.loads((directory / "names.json").read_text("utf-8"))
        with np.load(directory / "arrays.npz", allow_pickle=False) as arrays:
            return cls(
                intents=tuple(names["intents"]),
                example_count=names["example_count"],
                vocabulary={feature: index for index, feature in enumerate(names["vocabulary"])},
                **{name: arrays[name] for name in arrays.files},
            )
