"""One tokenizer for both languages: spaCy's English rules for Latin runs, its Chinese ones for Han runs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import spacy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from spacy.language import Language

from bot.normalise import HAN

_RUN = re.compile(f"[{HAN}]+|[^{HAN}]+")
_HAN_START = re.compile(f"[{HAN}]")


@lru_cache(maxsize=1)
def _english() -> Language:
    return spacy.blank("en")


@lru_cache(maxsize=1)
def _chinese() -> Language:
    # Segmented by character: a dictionary knows neither the shop's products nor how customers misspell them.
    return spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": "char"}}})


def tokens_of(text: str) -> list[Token]:
    """Words and characters with their places in `text`; blanks are no tokens; lemma is spaCy's norm ("n't" → "not")."""
    tokens: list[Token] = []
    for run in _RUN.finditer(text):
        language = _chinese() if _HAN_START.match(run.group()) else _english()
        for word in language.make_doc(run.group()):
            if not word.is_space:
                tokens.append(Token(word.text, run.start() + word.idx, lemma=word.norm_))
    return tokens


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class BilingualTokenizer(Tokenizer):
    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "tokenize_examples": True,
        }

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        # Our classifier learns from the text itself; only a featurizer of Rasa's would need the examples' tokens.
        return super().process_training_data(training_data) if self._config["tokenize_examples"] else training_data

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        return tokens_of(message.get(attribute))
