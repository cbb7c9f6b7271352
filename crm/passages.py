"""An article cut into the pieces that answer: paragraphs, and of a long one the sentences that matter."""

import re
from collections.abc import Sequence

from crm.text import HAN

SHORT_ARTICLE = 350
LONG_ANSWER = 480
_LEAD = 40
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s)|[。！？；]+[”’」』)]?|\n|$)", re.S)


def width(text: str) -> int:
    """How long a text reads, in Latin letters: a Chinese character says about as much as two of them."""
    return len(text) + sum(len(run) for run in HAN.findall(text))


def passages_of(body: str) -> list[str]:
    """The article cut where its author made paragraphs; a heading or a lead-in line stays with what follows it."""
    pieces: list[str] = []
    lead = ""
    for block in re.split(r"\n\s*\n", body.strip()):
        block = re.sub(r"^#+\s*", "", block.strip(), flags=re.M)
        block = re.sub(r"(\*\*|__|`)", "", block)
        if not block:
            continue
        if width(block) < _LEAD and not re.search(r"[.!?。！？]$", block):
            lead = f"{lead}\n{block}".strip()
            continue
        pieces.append(f"{lead}\n{block}".strip() if lead else block)
        lead = ""
    if lead:
        pieces.append(lead)
    return pieces


def sentences_of(passage: str) -> list[str]:
    """The sentences of a passage with the space after them: joined they give it back."""
    sentences: list[str] = []
    for found in _SENTENCE.findall(passage):
        if found.strip() or not sentences:
            sentences.append(found)
        else:
            sentences[-1] += found
    return sentences


def answer_from(passages: Sequence[str], fitness: Sequence[float], sentence_fitness: Sequence[Sequence[float]]) -> str:
    """What is told of an article: all of a short one, else the fittest passage, cut to its fittest sentences if long.

    fitness : how well each passage answers; a runner-up nearly as fit is told as well if both together stay short
    """
    if sum(width(passage) for passage in passages) <= SHORT_ARTICLE:
        return "\n\n".join(passages)
    ranking = sorted(range(len(passages)), key=lambda n: fitness[n], reverse=True)
    best = ranking[0]
    if width(passages[best]) > LONG_ANSWER:
        return _window(sentences_of(passages[best]), sentence_fitness[best])
    if len(ranking) > 1:
        second = ranking[1]
        close = fitness[second] >= 0.85 * fitness[best]
        if close and width(passages[best]) + width(passages[second]) <= LONG_ANSWER:
            return "\n\n".join(passages[n] for n in sorted((best, second)))
    return passages[best]


def _window(sentences: Sequence[str], fitness: Sequence[float]) -> str:
    """The fittest sentence with its neighbours, the fitter side first, up to the length of a long answer."""
    first = last = max(range(len(sentences)), key=lambda n: fitness[n])
    length = width(sentences[first])
    while True:
        sides = [n for n in (first - 1, last + 1) if 0 <= n < len(sentences)]
        sides = [n for n in sides if length + width(sentences[n]) <= LONG_ANSWER]
        if not sides:
            return "".join(sentences[first : last + 1]).strip()
        side = max(sides, key=lambda n: (fitness[n], n > last))
        length += width(sentences[side])
        first, last = min(first, side), max(last, side)
