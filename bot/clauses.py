"""A message that makes several requests, cut into the clauses that make them.

Cuts only where a new request can begin: after a sentence, before "and …?" with words of its own, after 吗/呢 and a
comma. What is cut too finely does no harm: a piece that asks for nothing is no request to the actions.
"""

from __future__ import annotations

import re

MOST_CLAUSES = 4
_LONGEST = 600  # a longer message tells a story; its first words are not another request
_BEGINS = (
    r"(?=(?:how|what|when|where|which|who|why|can|could|do|does|did|is|are|will|would|should|i|i'd|i'm|please|pls|cancel|"
    r"change|tell|send|show|recommend|give|my)\b)"
)
_CUT = re.compile(
    r"(?<=[!?！？。；;])\s*|(?<=[a-z0-9])\.\s+(?=[A-Za-z\u4e00-\u9fff])|\n+"
    rf"|[,;]?\s+(?:and also|and then|and|also|plus|oh and|btw|by the way|but)[,]?\s+{_BEGINS}"
    r"|[，,、\s]*(?:另外|还有就是|还有[，,]|顺便(?:问一?下|再?问)?|对了|以及|同时)[，,：:\s]*"
    r"|(?<=[吗呢么嘛])[，,\s]+|(?:(?<=几天)|(?<=多久)|(?<=多少钱)|(?<=到哪了)|(?<=没有)|(?<=怎么样))[，,\s]+",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Za-z]+|[\u3400-\u9fff]")


def clauses_of(text: str) -> list[str]:
    """The clauses in order, each as it stands in the text; empty when there is only one."""
    if len(text) > _LONGEST:
        return []
    pieces = [piece.strip(" \t,，、.") for piece in _CUT.split(text)]
    pieces = [piece for piece in pieces if piece and len(_WORDS.findall(piece)) >= 2]
    return pieces if 2 <= len(pieces) <= MOST_CLAUSES else []
