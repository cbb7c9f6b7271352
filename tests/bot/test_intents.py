from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from bot.classifier import IntentModel
from bot.features import features_of
from bot.fitting import fit, judge
from bot.intents import text_features
from bot.parsing import Understanding


@pytest.fixture(scope="module")
def trained(examples: Mapping[str, list[str]]) -> IntentModel:
    pairs = [(text, intent) for intent, texts in examples.items() for text in texts]
    return fit([text_features(text) for text, _ in pairs], [intent for _, intent in pairs])


def best(model: IntentModel, text: str) -> str:
    return model.ranking(text_features(text))[0][0]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hello!", "greet"),
        ("您好呀", "greet"),
        ("where is my parcel", "track_order"),
        ("我的訂單到哪了", "track_order"),
        ("ＷＨＥＲＥ is my ｏｒｄｅｒ", "track_order"),
        ("订单20231105888到哪了", "track_order"),
        ("see you later!!!", "goodbye"),
        ("today's weather", "out_of_scope"),
    ],
)
def test_both_languages_and_their_odd_spellings_are_understood(trained: IntentModel, text: str, intent: str) -> None:
    assert best(trained, text) == intent


def test_every_intent_is_ranked_and_confidence_falls(trained: IntentModel, examples: Mapping[str, list[str]]) -> None:
    ranking = trained.ranking(text_features("where is my order"))
    assert {intent for intent, _ in ranking} == set(examples)
    confidences = [confidence for _, confidence in ranking]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_a_text_of_nothing_known_is_out_of_scope(trained: IntentModel) -> None:
    assert trained.ranking(features_of(""))[0] == ("out_of_scope", 0.0)
    assert trained.ranking(features_of("\0\u200b"))[0] == ("out_of_scope", 0.0)


def test_an_unknown_text_is_less_certain_than_a_known_one(trained: IntentModel) -> None:
    known, unknown = trained.ranking(text_features("where is my order")), trained.ranking(text_features("zzzz qqqq"))
    assert known[0][1] > unknown[0][1]


def test_training_twice_gives_the_same_model(trained: IntentModel, examples: Mapping[str, list[str]]) -> None:
    pairs = [(text, intent) for intent, texts in examples.items() for text in texts]
    again = fit([text_features(text) for text, _ in pairs], [intent for _, intent in pairs])
    assert np.array_equal(again.coefficients, trained.coefficients)
    assert np.array_equal(again.calibration, trained.calibration)


def test_a_saved_model_judges_as_before(trained: IntentModel, tmp_path: Path) -> None:
    trained.save(tmp_path)
    loaded = IntentModel.load(tmp_path)
    for text in ("hello", "我的订单到哪了", "order 2003", "😀", ""):
        assert loaded.ranking(text_features(text)) == trained.ranking(text_features(text))


def test_every_example_is_judged_by_a_model_that_has_not_seen_it(examples: Mapping[str, list[str]]) -> None:
    pairs = [(text, intent) for intent, texts in examples.items() for text in texts]
    judged = judge([text_features(text) for text, _ in pairs], [intent for _, intent in pairs], folds=3)
    assert [example.intent for example in judged] == [intent for _, intent in pairs]


def test_the_same_comes_out_of_rasas_model_file(model: Path, trained: IntentModel) -> None:
    understanding = Understanding(model)
    for text in ("where is my order", "我的订单2003到哪了", "今天天气"):
        parsed = understanding.of(text)
        expected = trained.ranking(text_features(text))
        named = [
            (entry["name"], entry["confidence"])
            for entry in parsed["intent_ranking"]
            if entry["name"] != "nlu_fallback"
        ]
        assert [name for name, _ in named] == [name for name, _ in expected]
        assert [confidence for _, confidence in named] == pytest.approx([confidence for _, confidence in expected])


def test_an_unsure_text_falls_back_and_keeps_its_ranking(model: Path) -> None:
    parsed = Understanding(model).of("xylophone zeppelin")
    if parsed["intent"]["name"] == "nlu_fallback":
        assert parsed["intent_ranking"][0]["name"] == "nlu_fallback"
        assert len(parsed["intent_ranking"]) == 6
