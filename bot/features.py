"""What the intent classifier sees of a text: pieces of Chinese, English words, and pieces of those words."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bot.normalise import EMAIL, HAN, ORDER, PHONE, PLACEHOLDERS, clean
from bot.tokenizer import tokens_of

_HELD = "".join(PLACEHOLDERS)
_HAN_RUN = re.compile(f"[{HAN}]+")
_HELD_BETWEEN_HAN = re.compile(f"(?<=[{HAN}])\\s*[{_HELD}]\\s*(?=[{HAN}])")
_LATIN_RUN = re.compile(r"[a-zà-öø-ÿœß' ]*[a-zà-öø-ÿœß][a-zà-öø-ÿœß' ]*")
_MASKS: dict[str, str] = {"order_number": ORDER, "email": EMAIL, "phone": PHONE}

HAN_GRAMS = (1, 2, 3)
HAN_EDGES = (1, 2)
WORD_GRAMS = (1, 2)
LETTER_GRAMS = (2, 3, 4, 5)


def spans_to_mask(entities: Iterable[Mapping[str, Any]]) -> list[tuple[int, int, str]]:
    return [
        (entity["start"], entity["end"], _MASKS[entity["entity"]])
        for entity in entities
        if entity.get("entity") in _MASKS and isinstance(entity.get("start"), int)
    ]


def features_of(text: str, spans: Iterable[tuple[int, int, str]] = ()) -> Counter[str]:
    """How often each feature occurs; the first character of a feature tells its kind (h, w, c, or p for details)."""
    cleaned = clean(text, spans)
    found: Counter[str] = Counter()
    for held, name in PLACEHOLDERS.items():
        if held in cleaned:
            found[f"p{name}"] = 1
    if cleaned and not cleaned.strip(_HELD + " .,!?#:;-。，！？：；、"):
        found["palone"] = 1
    if cleaned:
        found[f"plength{min(6, int(math.log2(1 + len(cleaned))))}"] = 1
        if "?" in cleaned:
            found["pquestion"] = 1
    # An order number inside a sentence must not tear the sentence apart: 订单2003到哪了 keeps 单到.
    runs = _HAN_RUN.findall(_HELD_BETWEEN_HAN.sub("", cleaned))
    if runs:
        # How a Chinese sentence begins and ends tells a question from a request; no blank marks it.
        for size in HAN_EDGES:
            found[f"h^{runs[0][:size]}"] += 1
            found[f"h{runs[-1][-size:]}$"] += 1
    for run in runs:
        for size in HAN_GRAMS:
            for start in range(len(run) - size + 1):
                found[f"h{run[start : start + size]}"] += 1
    sentences = [[token.lemma for token in tokens_of(run.strip())] for run in _LATIN_RUN.findall(cleaned)]
    if sentences:
        first, last = sentences[0], sentences[-1]
        found.update([f"w^{first[0]}", f"w^{' '.join(first[:2])}", f"w{last[-1]}$"])
    for words in sentences:
        for size in WORD_GRAMS:
            for start in range(len(words) - size + 1):
                found["w" + " ".join(words[start : start + size])] += 1
        for word in words:
            padded = f" {word} "
            for size in LETTER_GRAMS:
                for start in range(len(padded) - size + 1):
                    found[f"c{padded[start : start + size]}"] += 1
    return found
