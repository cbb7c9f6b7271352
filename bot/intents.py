"""Rasa's side of the intent model: trains it, keeps it with the model, and lays its verdict on each message."""

from __future__ import annotations

import logging
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.classifier import OUT_OF_SCOPE, IntentModel
from bot.entities import details_of
from bot.features import features_of, spans_to_mask

log = logging.getLogger(__name__)

FALLBACK = "nlu_fallback"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class BilingualIntentClassifier(GraphComponent, IntentClassifier):
    """One linear model for both languages, with the nearest examples as second opinion and calibrated confidence.

    Below `threshold`, or when the second intent is within `ambiguity` of the first, the intent is `nlu_fallback`
    and the ranking behind it is what the customer may have meant.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"threshold": 0.45, "ambiguity": 0.0}

    @staticmethod
    def required_packages() -> list[str]:
        return ["numpy"]

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        self._threshold = float(config["threshold"])
        self._ambiguity = float(config["ambiguity"])
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> BilingualIntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> BilingualIntentClassifier:
        try:
            with model_storage.read_from(resource) as directory:
                return cls(config, model_storage, resource, IntentModel.load(directory))
        except (ValueError, FileNotFoundError):
            log.warning("the model holds no intents: everything will be out of scope")
            return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        from bot.fitting import fit  # needs scikit-learn, which a serving process goes without

        examples = [(m.get("text"), m.get("intent")) for m in training_data.intent_examples if m.get("text")]
        if len({intent for _, intent in examples}) < 2:
            log.warning("fewer than two intents have examples: nothing to tell apart")
            return self._resource
        self._model = fit([text_features(text) for text, _ in examples], [intent for _, intent in examples])
        with self._model_storage.write_to(self._resource) as directory:
            self._model.save(directory)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            ranking = self._ranking(message)
            intent = ranking[0]
            if self._is_unsure(ranking):
                intent = {"name": FALLBACK, "confidence": self._threshold}
                ranking = [intent, *ranking]
            message.set("intent", intent, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages

    def _ranking(self, message: Message) -> list[dict[str, Any]]:
        text = message.get("text") or ""
        if self._model is None:
            return [{"name": OUT_OF_SCOPE, "confidence": 0.0}]
        features = features_of(text, spans_to_mask(message.get("entities") or []))
        return [{"name": name, "confidence": confidence} for name, confidence in self._model.ranking(features)]

    def _is_unsure(self, ranking: list[dict[str, Any]]) -> bool:
        best = ranking[0]
        if best["name"] == OUT_OF_SCOPE:
            return False
        if best["confidence"] < self._threshold:
            return True
        return len(ranking) > 1 and best["confidence"] - ranking[1]["confidence"] < self._ambiguity


def text_features(text: str) -> Any:
    """The features of a text by itself, with the details that can be read out of it."""
    found = [{"entity": d.entity, "start": d.start, "end": d.end} for d in details_of(text)]
    return features_of(text, spans_to_mask(found))
