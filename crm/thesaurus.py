"""What customers call things: the ideas that ``thesaurus.txt`` names in English and Chinese words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import Stemmer

from crm.text import HAN, LATIN, normal

_AMOUNT = re.compile(r"(\d+)([a-z]{1,2}|mins?|hrs?|days?)(\d*)")
_LONGEST_PHRASE = 5
# Phrases are read over these, so that "send it back" and "send the mug back" are not told apart by the "it".
FILLERS = frozenset(
    "a an the it its them this that these those my your our his her their some any just also please".split()
)
_Key = TypeVar("_Key", str, tuple[str, ...])
_english = Stemmer.Stemmer("english")


@dataclass(frozen=True)
class Match:
    """Ideas named by the words or characters from ``start`` to ``end``."""

    start: int
    end: int
    ideas: tuple[str, ...]


@dataclass
class Thesaurus:
    """Ideas by their English phrases (as stems) and Chinese words, and the broader ideas next to them."""

    phrases: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    han: dict[str, tuple[str, ...]] = field(default_factory=dict)
    broader: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    openings: set[str] = field(default_factory=set)  # what phrases and Chinese words begin with

    def in_words(self, stems: Sequence[str]) -> Iterator[Match]:
        """The longest phrases of a sentence; a word inside a longer phrase is not read a second time by itself."""
        covered = -1
        for start, stem in enumerate(stems):
            if stem not in self.openings:
                continue
            for end in range(min(len(stems), start + _LONGEST_PHRASE), start, -1):
                if end <= covered:
                    break
                ideas = self.phrases.get(tuple(stems[start:end]))
                if ideas:
                    covered = end
                    yield Match(start, end, ideas)
                    break

    def in_han(self, run: str) -> Iterator[Match]:
        """The longest Chinese words of a run of characters; words may overlap, but not lie within one another."""
        covered = -1
        for start, character in enumerate(run):
            if character not in self.openings:
                continue
            for end in range(min(len(run), start + _LONGEST_PHRASE), start, -1):
                if end <= covered:
                    break
                ideas = self.han.get(run[start:end])
                if ideas:
                    covered = end
                    yield Match(start, end, ideas)
                    break


def latin_tokens(text: str) -> list[str]:
    """Latin words and numbers of a normalised text; an amount is parted from its unit ("150ml", "80x80")."""
    tokens: list[str] = []
    for word in LATIN.findall(text):
        word = word.replace("’", "'")
        amount = _AMOUNT.fullmatch(word)
        tokens.extend(part for part in amount.groups() if part and part != "x") if amount else tokens.append(word)
    return tokens


@cache
def word_stem(word: str) -> str:
    """The Porter stem of an English word, its possessive or shortened ending cut off."""
    return str(_english.stemWord(word.split("'")[0] if not word.endswith("n't") else word.replace("'", "")))


def read(text: str) -> Thesaurus:
    """Lines ``english, words | 中文, 词 > broader idea``; an idea is known by its first English word."""
    found = Thesaurus()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        names, _, broader = line.partition(">")
        english, _, chinese = names.partition("|")
        terms = [term.strip() for term in english.split(",") if term.strip()]
        idea = terms[0]
        for term in terms:
            tokens = latin_tokens(normal(term))
            found.words.update(tokens)
            telling = [token for token in tokens if token not in FILLERS] or tokens
            _add(found.phrases, tuple(word_stem(token) for token in telling), idea)
        for term in chinese.split(","):
            word = normal(term.strip())
            if HAN.fullmatch(word):
                _add(found.han, word, idea)
        found.broader[idea] = tuple(name.strip() for name in broader.split(",") if name.strip())
    found.openings.update(key[0] for key in (*found.phrases, *found.han))
    return found


def _add(into: dict[_Key, tuple[str, ...]], key: _Key, idea: str) -> None:
    if key and idea not in into.get(key, ()):
        into[key] = (*into.get(key, ()), idea)


@cache
def thesaurus() -> Thesaurus:
    """The shop's common words, read once."""
    return read((Path(__file__).parent / "thesaurus.txt").read_text(encoding="utf-8"))
