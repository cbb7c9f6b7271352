"""One spelling for everything that means the same: what the other components read instead of the raw text.

`aligned` keeps every character in its place, so that positions in it are positions in the raw text.
`clean` is for the intent: it may shorten the text, and replaces order numbers, e-mails and the like by placeholders.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

# One private-use character per kind of detail; `aligned` removes such characters from what a customer sends.
ORDER, EMAIL, PHONE, URL, NUMBER = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
PLACEHOLDERS: dict[str, str] = {ORDER: "order", EMAIL: "email", PHONE: "phone", URL: "url", NUMBER: "number"}

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

_URL = re.compile(r"(?:https?://|www\.)[^\s，。！？；]+", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_DIGITS = re.compile(r"\d(?:[\d .,:/-]*\d)?")
_CHOPPED = re.compile(r"([^\d\s])\1{2,}")
_LAUGHTER = re.compile(r"([哈呵嘿嘻])\1+")
_PUNCTUATION = re.compile(r"([^\w\s])\1+")
_SPACES = re.compile(r"\s+")

# Contractions with and without their apostrophe, and the abbreviations of chat. Whole words only.
_WORDS: dict[str, str] = {
    "aint": "is not", "arent": "are not", "cant": "can not", "cannot": "can not", "couldnt": "could not",
    "couldve": "could have", "didnt": "did not", "doesnt": "does not", "dont": "do not", "hadnt": "had not",
    "hasnt": "has not", "havent": "have not", "hes": "he is", "hows": "how is", "im": "i am", "isnt": "is not",
    "itll": "it will", "its": "it is", "ive": "i have", "lets": "let us", "shes": "she is", "shouldnt": "should not",
    "thats": "that is", "theres": "there is", "theyre": "they are", "theyve": "they have", "wasnt": "was not",
    "werent": "were not", "weve": "we have", "whats": "what is", "whens": "when is", "wheres": "where is",
    "whos": "who is", "whys": "why is", "wont": "will not", "wouldnt": "would not", "wouldve": "would have",
    "youre": "you are", "youve": "you have", "youll": "you will", "wanna": "want to", "gonna": "going to",
    "gotta": "have to", "gimme": "give me", "lemme": "let me", "u": "you", "ur": "your", "r": "are", "pls": "please",
    "plz": "please", "plss": "please", "thx": "thanks", "tnx": "thanks", "thnx": "thanks", "ty": "thank you",
    "tysm": "thank you", "msg": "message", "asap": "as soon as possible", "idk": "i do not know", "cuz": "because",
    "coz": "because", "bc": "because", "abt": "about", "qty": "quantity", "wat": "what", "wen": "when",
}  # fmt: skip
_ENDINGS: dict[str, str] = {
    "n't": " not",
    "'re": " are",
    "'ve": " have",
    "'ll": " will",
    "'m": " am",
    "'d": " would",
    "'s": " is",
}
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "＇": "'", "`": "'", "´": "'", "ʼ": "'"})


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """Traditional → simplified, one character for one character, from OpenCC's own table."""
    table: dict[int, str] = {}
    for line in (files("opencc") / "dictionary" / "TSCharacters.txt").read_text("utf-8").splitlines():
        traditional, _, simplified = line.partition("\t")
        first = simplified.split(" ")[0]
        if len(traditional) == 1 and len(first) == 1:
            table[ord(traditional)] = first
    # Taiwanese and Cantonese everyday characters that OpenCC leaves alone because they are not merely variants.
    table.update({ord("妳"): "你", ord("祂"): "他", ord("裡"): "里", ord("裏"): "里", ord("著"): "着"})
    return table


@lru_cache(maxsize=8192)
def _fold(character: str) -> str:
    """The plain form of one character, still one character; a blank for what cannot be seen."""
    folded = unicodedata.normalize("NFKC", character)
    if len(folded) != 1:
        return character
    if unicodedata.category(folded) in ("Cc", "Cf", "Co", "Cs", "Cn"):
        return " "
    return _simplified().get(ord(folded), folded)


def aligned(text: str) -> str:
    """The text in half-width, simplified characters; same length, same positions."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_fold, text))


def without_invisible(text: str) -> str:
    """The text without control characters, zero-width marks and variation selectors (they would split words)."""
    return "".join(c for c in text if c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs", "Mn"))


def _word(match: re.Match[str]) -> str:
    word = match.group()
    if (whole := _WORDS.get(word.replace("'", ""))) is not None:
        return whole
    for ending, spoken in _ENDINGS.items():
        if word.endswith(ending):
            return word[: -len(ending)] + spoken
    return word


def masked(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """`text` with each (start, end, placeholder) replaced; overlapping spans give way to the first."""
    pieces: list[str] = []
    position = 0
    for start, end, placeholder in sorted(spans):
        if start < position:
            continue
        pieces += [text[position:start], placeholder]
        position = end
    return "".join([*pieces, text[position:]])


def clean(text: str, spans: Iterable[tuple[int, int, str]] = ()) -> str:
    """What the intent classifier reads: one spelling, details as placeholders.

    spans : (start, end, placeholder) in the raw text, from the entities found there
    """
    text = "".join(c if not "\ue000" <= c <= "\uf8ff" else " " for c in text)
    text = masked(text, spans)
    if not text.isascii():
        # Placeholders are private-use characters, so they are set aside from the removal of invisible ones.
        text = "".join(
            c
            for c in text
            if c in PLACEHOLDERS or c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Mn")
        )
        text = unicodedata.normalize("NFKC", text).translate(_simplified()).translate(_APOSTROPHES)
    else:
        text = "".join(c if c.isprintable() or c.isspace() else "" for c in text)
    text = text.lower()
    text = _URL.sub(URL, text)
    text = _EMAIL.sub(EMAIL, text)
    text = _DIGITS.sub(NUMBER, text)
    text = _LAUGHTER.sub(r"\1\1", text)
    text = _CHOPPED.sub(r"\1", text)
    text = _PUNCTUATION.sub(r"\1", text)
    text = _WORD.sub(_word, text)
    return _SPACES.sub(" ", text).strip()
