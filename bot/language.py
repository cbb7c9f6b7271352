"""Which language a message is in, judged by the words that hold the sentence together.

"我的 order 到哪了" is Chinese, "where is my 茉莉龙珠" English: names, numbers and addresses do not count.
"""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.training_data.message import Message

from bot.frame_words import CHINESE_FRAME, ENGLISH_FRAME, OTHER_LATIN_FRAME
from bot.normalise import HAN, aligned

ENTITY = "language"
SEEN = "language_seen"  # on the message: zh, en, mixed, other, or None when there is nothing to judge by

_NOISE = re.compile(
    r"(?:https?://|www\.)\S+|[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+|#?[a-z]{0,4}-?\d[\w-]*", re.IGNORECASE | re.ASCII
)
_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN_WORD = re.compile(r"[a-zà-öø-ÿœß]+(?:'[a-z]+)?")
_OTHER_SCRIPT = re.compile(
    "[\u3040-\u30ff\u31f0-\u31ff\uac00-\ud7af\u1100-\u11ff"  # kana, hangul
    "\u0370-\u04ff\u0590-\u06ff\u0900-\u097f\u0e00-\u0e7f]"  # Greek, Cyrillic, Hebrew, Arabic, Devanagari, Thai
)
_ACCENTED = re.compile("[à-öø-ÿœß¿¡]")
# A Han character says more than a Latin letter: about one word and a half for two of them.
_HAN_PER_WORD = 1.6


def detect(text: str) -> str | None:
    """zh, en, mixed, other, or None (no letters: the conversation's language stays)."""
    answer, both = _judge(text)
    return "mixed" if both and answer in ("zh", "en") else answer


def dominant(text: str) -> str | None:
    """The language to answer in: zh or en, or None for other languages and for text without letters."""
    answer, _ = _judge(text)
    return answer if answer in ("zh", "en") else None


def _judge(text: str) -> tuple[str | None, bool]:
    plain = _NOISE.sub(" ", aligned(text[:2000]).lower().replace("’", "'"))
    han = "".join(_HAN_RUN.findall(plain))
    words = _LATIN_WORD.findall(plain)
    foreign = len(_OTHER_SCRIPT.findall(plain))
    # A Japanese sentence is held together by kana, however many Han characters it has.
    if foreign >= 2 and foreign * 3 >= len(han) and foreign > sum(map(len, words)):
        return "other", False
    if not han and not words:
        return ("other" if foreign else None), False
    if not han:
        return _latin(plain, words), False
    if not words:
        return "zh", False
    chinese = sum(character in CHINESE_FRAME for character in han)
    english = sum(word in ENGLISH_FRAME for word in words)
    if chinese and not english:
        return "zh", True
    if english and not chinese:
        return "en", True
    if chinese != english:
        # Both have a frame: a quoted sentence, or a polite word in the other language.
        return ("zh" if chinese + len(han) / 4 > english * _HAN_PER_WORD else "en"), True
    return ("zh" if len(han) / _HAN_PER_WORD >= len(words) else "en"), True


def _latin(plain: str, words: list[str]) -> str | None:
    if all(len(word) == 1 for word in words) and len(words) == 1:
        return None  # a size, a letter of an option: says nothing
    english = sum(word in ENGLISH_FRAME for word in words)
    others = max(sum(word in frame for word in words) for frame in OTHER_LATIN_FRAME.values())
    if others > english or (_ACCENTED.search(plain) and others >= english and others):
        return "other"
    return "en"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class LanguageDetector(GraphComponent, EntityExtractorMixin):
    """Sets the entity `language`, which the slot of that name follows, and `language_seen` for the channel."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LanguageDetector:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get("text") or ""
            message.set(SEEN, detect(text), add_to_output=True)
            if (language := dominant(text)) is not None:
                entity = {"entity": ENTITY, "value": language, "start": 0, "end": len(text), "extractor": self.name}
                message.set("entities", [*(message.get("entities") or []), entity], add_to_output=True)
        return messages
