"""Typing slips: the known word that a customer most likely meant."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST = 4
_LIKE_ENOUGH = 0.74


class Spelling:
    """Corrects words that are not among the known ones. The first letter is taken as right: it nearly always is."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {word for word in words if word.isalpha()}
        self._by_letter: dict[str, list[str]] = {}
        for word in sorted(self._words):
            if len(word) >= _SHORTEST:
                self._by_letter.setdefault(word[0], []).append(word)

    def meant(self, word: str) -> str | None:
        """The likeliest known word within a slip or two; None when the word is known, short, or like none."""
        if len(word) < _SHORTEST or not word.isalpha() or word in self._words:
            return None
        found = process.extractOne(
            word, self._by_letter.get(word[0], ()), scorer=OSA.normalized_similarity, score_cutoff=_LIKE_ENOUGH
        )
        return None if found is None else str(found[0])
