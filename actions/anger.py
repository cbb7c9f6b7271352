"""Whether somebody is angry: strong words, or shouting, in either language."""

import re

from crm.text import normal

_STRONG = re.compile(
    r"\b(terrible|awful|worst|disgust\w*|scam\w*|fraud\w*|ridiculous|unacceptable|furious|useless|rip ?off|lawyer|sue|"
    r"report you|chargeback|never again|pathetic|joke of)\b|骗子|骗人|垃圾|投诉你|差评|太差|气死|恶心|12315|工商|"
    r"退钱|什么破|忍无可忍|无语|坑人|黑店|曝光|举报|律师"
)
_LOUD = re.compile("!{2,}")
_ASKS = re.compile(r"\?|[吗嘛呢]\s*[!.。]*$|有没有|\b(?:how|where|when|which|do you|can you|is there|are there)\b")


def sounds_angry(text: str) -> bool:
    """Of words that complain already."""
    letters = [c for c in text if c.isascii() and c.isalpha()]
    shouting = len(letters) >= 16 and sum(c.isupper() for c in letters) / len(letters) > 0.8
    said = normal(text)
    return shouting or bool(_STRONG.search(said) or _LOUD.search(said))


def vents(text: str) -> bool:
    """Of any words: strong ones, and no question that an article could answer ("有垃圾袋吗")."""
    said = normal(text)
    return bool(_STRONG.search(said)) and not _ASKS.search(said)
