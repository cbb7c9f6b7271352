"""Domain, training data, actions and wording fit each other, in both languages."""

import re
import string
from functools import cache
from typing import Any

import pytest
import yaml
from rasa_sdk.executor import ActionExecutor

from tests.support.product import ROOT

LANGUAGES = ("en", "zh")
EXAMPLES_AT_LEAST = 40
# Rasa's own way of saying that it did not understand: it has no examples.
WITHOUT_EXAMPLES = {"nlu_fallback"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
Variant = dict[str, Any]


@cache
def domain() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    return loaded


def intents() -> list[str]:
    return [next(iter(intent)) if isinstance(intent, dict) else intent for intent in domain()["intents"]]


def variants(response: str) -> dict[str, list[Variant]]:
    """A response's variants by language: those on condition of zh, and those that hold without condition."""
    found: dict[str, list[Variant]] = {"en": [], "zh": []}
    for variant in domain()["responses"][response]:
        wanted = {condition["value"] for condition in variant.get("condition", []) if condition["name"] == "language"}
        found["zh" if "zh" in wanted else "en"].append(variant)
    return found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def payloads(found: list[Variant]) -> set[tuple[str, ...]]:
    return {tuple(button["payload"] for button in variant.get("buttons", [])) for variant in found}


@cache
def examples(language: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "data" / "nlu" / language).glob("*.yml")):
        for block in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]:
            if "intent" in block:
                lines = [line.removeprefix("- ") for line in block["examples"].splitlines() if line.startswith("- ")]
                found.setdefault(block["intent"], []).extend(lines)
    return found


def test_every_action_of_the_domain_exists_and_the_other_way_round() -> None:
    executor = ActionExecutor()
    executor.register_package("actions")
    assert set(domain()["actions"]) == set(executor.actions)


@pytest.mark.parametrize("response", domain()["responses"])
def test_a_response_exists_in_both_languages(response: str) -> None:
    by_language = variants(response)
    for language in LANGUAGES:
        assert by_language[language], f"{response} has no {language} text"
    assert not any(CHINESE.search(v.get("text", "")) for v in by_language["en"]), f"{response}: Chinese in the English"


@pytest.mark.parametrize("response", domain()["responses"])
def test_both_languages_of_a_response_say_the_same_things(response: str) -> None:
    by_language = variants(response)
    mentioned = {
        language: {frozenset(placeholders(variant.get("text", ""))) for variant in by_language[language]}
        for language in LANGUAGES
    }
    assert mentioned["en"] == mentioned["zh"]
    payloads = {
        language: {
            tuple(button["payload"] for button in variant.get("buttons", [])) for variant in by_language[language]
        }
        for language in LANGUAGES
    }
    assert payloads["en"] == payloads["zh"]


def test_every_response_that_is_named_exists_and_every_one_is_named() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "actions").glob("*.py"))
    named = set(re.findall(r"\"(utter_[a-z_]+)\"", code))
    prefixes = set(re.findall(r"\"(utter_[a-z_]*)\{", code)) | set(re.findall(r"f\"(utter_[a-z_]*_)\"", code))
    known = set(domain()["responses"])
    assert not named - known
    rules = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "data").rglob("*.yml"))
    used = named | set(re.findall(r"action: (utter_[a-z_]+)", rules))
    unused = {name for name in known - used if not name.startswith(tuple(prefixes))}
    # Rasa itself says these when a form asks for a slot.
    asked = {f"utter_ask_{slot}" for slot in domain()["slots"]}
    asked |= {f"utter_ask_{form}_{slot}" for form in domain()["forms"] for slot in domain()["slots"]}
    assert not unused - asked, "nobody ever says these"


def test_every_slot_that_actions_name_exists() -> None:
    code = (ROOT / "actions" / "slots.py").read_text(encoding="utf-8")
    named = set(re.findall(r"^[A-Z_]+ = \"([a-z_]+)\"", code, re.MULTILINE))
    assert named <= set(domain()["slots"]) | {"requested_slot"}


def test_both_languages_have_the_same_files() -> None:
    names = {language: {file.name for file in (ROOT / "data/nlu" / language).glob("*.yml")} for language in LANGUAGES}
    assert names["en"] == names["zh"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("intent", sorted(set(intents()) - WITHOUT_EXAMPLES))
def test_an_intent_has_enough_examples(intent: str, language: str) -> None:
    assert len(set(examples(language).get(intent, []))) >= EXAMPLES_AT_LEAST


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_teach_only_what_the_domain_knows(language: str) -> None:
    assert set(examples(language)) <= set(intents())


def test_every_button_starts_an_intent_that_exists() -> None:
    for response, found in domain()["responses"].items():
        for variant in found:
            for button in variant.get("buttons", []):
                payload = re.match(r"/([a-z_]+)", button["payload"])
                assert payload, f"{response}: {button}"
                assert payload[1] in intents(), f"{response}: {button}"
