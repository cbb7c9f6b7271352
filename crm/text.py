"""Making texts comparable: one form for all widths and scripts, words and character pairs to match by."""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
LATIN = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")


@cache
def _simplifier() -> OpenCC:
    return OpenCC("t2s")  # loads its tables once, on first use


@cache
def _is_traditional(character: str) -> bool:
    return bool(_simplifier().convert(character) != character)


def normal(text: str) -> str:
    """Lower case, full-width folded to ASCII, traditional characters to simplified, invisible characters gone."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    # Most texts have nothing to simplify, and looking is a hundred times faster than converting.
    if any(_is_traditional(character) for run in HAN.findall(text) for character in run):
        return str(_simplifier().convert(text))
    return text


def stem(word: str) -> str:
    """An English word without its commonest endings: enough to let "candles" meet "candle"."""
    word = word.replace("’", "'").split("'")[0]
    for ending, least in (("ies", 5), ("es", 5), ("s", 4), ("ing", 6), ("ed", 5)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def latin_words(text: str) -> list[str]:
    """The Latin words and numbers of a normalised text, stemmed, in order."""
    return [stem(word) for word in LATIN.findall(text)]


def han_pairs(text: str) -> list[str]:
    """The overlapping character pairs inside each Han run of a normalised text; a run of one gives itself."""
    pairs: list[str] = []
    for run in HAN.findall(text):
        pairs.extend([run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)])
    return pairs


def _tidy(part: str) -> str:
    """Without the marks that stood between two languages; brackets stay only in pairs."""
    part = part.strip(" -–—|/·,，")
    whole = len(re.findall(r"[(（]", part)) == len(re.findall(r"[)）]", part))
    return part if whole and not part.startswith(("(", "（")) else part.strip("()（） ")


def split_languages(title: str) -> tuple[str | None, str | None]:
    """The English and the Chinese part of a title: ``"Jasmine Pearls 茉莉龙珠"`` gives both, in that order."""
    runs = list(HAN.finditer(title))
    if not runs:
        return title.strip() or None, None
    first, last = runs[0].start(), runs[-1].end()
    if title[last : last + 1] in ("）", ")") and re.search(r"[（(][^）)]*$", title[first:last]):
        last += 1  # the bracket was opened in the Chinese part
    before, chinese, after = title[:first], title[first:last], title[last:]
    english = " ".join(part for part in (_tidy(before), _tidy(after)) if part)
    if not re.search(r"[A-Za-z]{2,}", english):
        return None, title.strip()
    return english, chinese.strip()
