"""How well each text of a small collection matches a question: BM25 over terms that count more or less.

The terms of one unit of the question stand in for each other, so only the best of them counts: BM25 (Robertson &
Zaragoza 2009) with the largest instead of the sum over what is said once.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from crm.terms import Unit

Scores = NDArray[np.float32]
_SATURATION = 0.6
_LENGTH = 0.6
_MEANS_IT = 0.65


def _rarity(holding: float, total: int) -> float:
    """BM25's rarity, damped by a root: in a few dozen articles chance decides how rare a word is."""
    return math.sqrt(math.log(1 + (total - holding + 0.5) / (holding + 0.5)))


class Evidence:
    """Texts filed by their terms. ``groups`` says which article a text belongs to: rarity is counted in articles."""

    def __init__(self, texts: Sequence[Mapping[str, float]], groups: Sequence[int]) -> None:
        self.size = len(texts)
        holders: dict[str, dict[int, float]] = {}
        for text, group in zip(texts, groups, strict=True):
            for term, weight in text.items():
                held = holders.setdefault(term, {})
                held[group] = max(held.get(group, 0.0), min(1.0, weight))
        total = len(set(groups))
        self._unknown = _rarity(0.0, total)
        self._rarity = {term: _rarity(sum(held.values()), total) for term, held in holders.items()}
        self._filed = self._file(texts)

    def _file(self, texts: Sequence[Mapping[str, float]]) -> dict[str, tuple[NDArray[np.int32], Scores]]:
        filed: dict[str, list[tuple[int, float]]] = {}
        lengths = [sum(text.values()) for text in texts]
        usual = (sum(lengths) / len(lengths) if lengths else 0.0) or 1.0
        for number, text in enumerate(texts):
            damping = _SATURATION * (1 - _LENGTH + _LENGTH * lengths[number] / usual)
            for term, weight in text.items():
                value = self._rarity[term] * weight * (1 + _SATURATION) / (weight + damping)
                filed.setdefault(term, []).append((number, value))
        return {
            term: (np.array([n for n, _ in found], dtype=np.int32), np.array([v for _, v in found], dtype=np.float32))
            for term, found in filed.items()
        }

    def knows(self, term: str) -> bool:
        return term in self._filed

    def importance(self, unit: Unit) -> float:
        """How much the question turns on this unit: the rarity of what the shop knows of it, or of something unknown.

        That a single character or a neighbouring idea is known does not make the unit known.
        """
        known = [self._rarity[term] * w for term, w in unit.terms.items() if w >= _MEANS_IT and term in self._rarity]
        return max(known, default=self._unknown)

    def scores(self, unit: Unit) -> Scores:
        """How well each text says this, in the order in which they were filed; 0 where it does not."""
        best = np.zeros(self.size, dtype=np.float32)
        for term, weight in unit.terms.items():
            if (found := self._filed.get(term)) is not None:
                where, values = found
                best[where] = np.maximum(best[where], values * np.float32(weight))
        return best
