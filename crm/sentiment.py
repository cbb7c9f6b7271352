"""How a message sounds: negative, neutral or positive. Reading only; analytics/sentiment learns the weights.

Light on purpose: the gateway asks for every message that arrives, so nothing here needs more than numpy.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from math import log, sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from crm.errors import CrmError
from crm.text import HAN, normal

FORMAT = 1
MODEL = Path("models/sentiment.npz")
LONGEST_TEXT = 1_000
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+")
_NOT = {"not", "no", "never", "without", "hardly", "barely", "nothing", "nobody", "none", "neither", "nor", "cannot"}
_CLAUSE = re.compile(r"[.,;:!?，。；：！？\n]| but | though | 但是?| 不过")
_MARKS = {"!!": re.compile(r"[!！]{2,}"), "??": re.compile(r"[?？]{2,}"), "...": re.compile(r"\.{3,}|…+|。{2,}")}
_SYMBOL = re.compile(r"[\u2190-\u2bff\u2600-\u27bf\U0001f300-\U0001faff❤]")
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
_LETTERS = re.compile("[A-Za-z]")
_WORDS = Path(__file__).with_name("sentiment_words.toml")


class Label(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


LABELS = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)


class NoSentimentModel(CrmError):
    """The trained model is missing or of another version."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} holds no sentiment model of this version: run `desk train`.")


@dataclass(frozen=True)
class Sentiment:
    """``score`` is P(positive) − P(negative), −1 to 1; ``label`` is the likeliest."""

    label: Label
    score: float
    negative: float


@cache
def _lexicon() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()


def features_of(text: str) -> Counter[str]:
    """What is counted of a text: words and pairs with negation carried on, character n-grams, marks, pictures.

    Negation reaches to the end of the clause, at most four words (as in Pang, Lee & Vaithyanathan, EMNLP 2002).
    """
    plain = normal(text)
    found: Counter[str] = Counter()
    for clause in _CLAUSE.split(plain):
        found.update(_of_words(_WORD.findall(clause)))
    for run in HAN.findall(plain):
        for size in (1, 2, 3, 4):
            found.update(f"h:{run[at : at + size]}" for at in range(len(run) - size + 1))
    found.update(f"e:{symbol}" for symbol in _SYMBOL.findall(text))
    found.update(f"m:{name}" for name, mark in _MARKS.items() if mark.search(plain))
    if _SHOUTED.search(text):
        found["m:shouted"] += 1
    if "?" in plain:
        found["m:question"] += 1
    return found


def _of_words(words: list[str]) -> Iterator[str]:
    left = 0
    carried = []
    for word in words:
        marked = f"not_{word}" if left > 0 else word
        left = max(0, left - 1)
        if word in _NOT or word.endswith(("n't", "n’t")):
            left = 4
        carried.append(marked)
        yield f"w:{marked}"
        padded = f"<{word}>"
        for size in (4, 5):
            yield from (f"c:{padded[at : at + size]}" for at in range(len(padded) - size + 1))
    yield from (f"b:{one} {two}" for one, two in pairwise(carried))


@cache
def _chinese_words() -> tuple[re.Pattern[str], frozenset[str]]:
    """What finds a word of feeling, the longest first, with a "not" before it; and which words are positive."""
    words = {name: set(text.split()) for name, text in tomllib.loads(_WORDS.read_text(encoding="utf-8")).items()}
    longest_first = sorted(words["positive"] | words["negative"], key=lambda word: -len(word))
    pattern = "|".join(map(re.escape, longest_first))
    return re.compile(f"(不怎么|不太|不是很|没那么|并不|没有|不|没)?({pattern})"), frozenset(words["positive"])


def lexicon_of(text: str) -> dict[str, float]:
    """What dictionaries say, 0 to 1 by name: VADER of Latin text, words of feeling of our own of Chinese.

    Source: C. J. Hutto, E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media
    Text", ICWSM 2014.
    """
    said: dict[str, float] = {}
    if _LETTERS.search(text):
        compound = float(_lexicon().polarity_scores(text)["compound"])
        said["v:positive" if compound > 0 else "v:negative"] = abs(compound)
    if HAN.search(text):
        pattern, positive = _chinese_words()
        votes = [(word in positive) != bool(negated) for negated, word in pattern.findall(normal(text))]
        if votes:
            said["z:positive"] = 1 - 0.5 ** votes.count(True)
            said["z:negative"] = 1 - 0.5 ** votes.count(False)
    return said


def weighed(text: str) -> dict[str, float]:
    """Sublinear counts of all features, scaled to length 1, and beside them what the dictionaries say."""
    read = text[:LONGEST_TEXT]
    counted = {name: 1.0 + (log(count) if count > 1 else 0.0) for name, count in features_of(read).items()}
    length = sqrt(sum(value * value for value in counted.values())) or 1.0
    return {name: value / length for name, value in counted.items()} | lexicon_of(read)


class SentimentModel:
    """Weights per feature and class. ``weights`` (features, 3), ``bias`` (3,), in the order of ``LABELS``."""

    def __init__(self, names: list[str], weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
        self._place = {name: at for at, name in enumerate(names)}
        self._weights, self._bias = weights, bias

    @classmethod
    def load(cls, path: Path) -> "SentimentModel":
        """Raises NoSentimentModel."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                if int(stored["format"]) != FORMAT:
                    raise NoSentimentModel(path)
                names = json.loads(bytes(stored["names"]).decode())
                return cls(names, stored["weights"].astype(np.float32), stored["bias"].astype(np.float32))
        except (OSError, KeyError, ValueError):
            raise NoSentimentModel(path) from None

    def save(self, path: Path) -> None:
        """Written beside and moved into place: a reader never sees half of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.npz")
        names = np.frombuffer(json.dumps(list(self._place), ensure_ascii=False).encode(), np.uint8)
        np.savez_compressed(
            beside, format=FORMAT, names=names, weights=self._weights.astype(np.float16), bias=self._bias
        )
        beside.replace(path)

    def judge(self, text: str) -> Sentiment:
        """A blank text is neutral."""
        known = [(self._place[name], value) for name, value in weighed(text).items() if name in self._place]
        if not known:
            return Sentiment(Label.NEUTRAL, 0.0, 0.0)
        places, values = zip(*known, strict=True)
        logits = np.array(values, np.float32) @ self._weights[list(places)] + self._bias
        odds = np.exp(logits - logits.max())
        negative, neutral, positive = (float(part) for part in odds / odds.sum())
        likeliest = LABELS[int(np.argmax((negative, neutral, positive)))]
        return Sentiment(likeliest, positive - negative, negative)

    def judge_all(self, texts: Iterable[str]) -> Iterator[Sentiment]:
        return map(self.judge, texts)
