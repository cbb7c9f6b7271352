"""Typing slips: the known word that a customer most likely meant."""

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA

_SHORTEST = 4
_LIKE_ENOUGH = 0.74


class Spelling:
    """Corrects words that are not among the known ones. The first letter is taken as right: it nearly always is.

    likely   : words of the shop's own texts; of two words equally near, the one of the shop is meant
    possible : other words that are no slips
    """

    def __init__(self, likely: Iterable[str], possible: Iterable[str] = ()) -> None:
        first, then = set(likely), set(possible)
        self._known = first | then
        self._likely, self._possible = _by_letter(first), _by_letter(then - first)

    def meant(self, word: str) -> str | None:
        """The likeliest known word within a slip or two; None when the word is known, short, or like none."""
        if len(word) < _SHORTEST or not word.isalpha() or word in self._known:
            return None
        best: str | None = None
        needed = _LIKE_ENOUGH
        for words in (self._likely, self._possible):
            found = process.extractOne(
                word, words.get(word[0], ()), scorer=OSA.normalized_similarity, score_cutoff=needed
            )
            if found is not None and (best is None or found[1] > needed):
                best, needed = found[0], found[1]
        return best


def _by_letter(words: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in sorted(words):
        if len(word) >= _SHORTEST and word.isalpha():
            found.setdefault(word[0], []).append(word)
    return found
