"""Reading the responses of domain.yml in the customer's language.

They are read from the file, not from what Rasa sends along: a changed sentence is heard at once, without retraining.
"""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import yaml

Responses = Mapping[str, Sequence[Mapping[str, Any]]]
_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)\}")


class Button(TypedDict):
    title: str
    payload: str


def load_responses(path: Path) -> Responses:
    """The responses of a domain file."""
    with path.open(encoding="utf-8") as file:
        responses: Responses = yaml.load(file, Loader=yaml.CSafeLoader)["responses"]
    return responses


def _variation(responses: Responses, response: str, language: str) -> Mapping[str, Any]:
    """One of the response's variations in the language; without one, of those that carry no condition."""
    variations = responses[response]
    fitting = [v for v in variations if any(c.get("value") == language for c in v.get("condition", []))]
    return random.choice(fitting or [v for v in variations if not v.get("condition")])  # noqa: S311 - wording only


def _filled(template: str, values: Mapping[str, object]) -> str:
    """``{name}`` replaced, ``{{`` and ``}}`` unescaped; values are never read as templates themselves."""

    def replacement(found: re.Match[str]) -> str:
        if found.group() in ("{{", "}}"):
            return found.group()[0]
        return str(values[found.group(1)])

    return _FIELD.sub(replacement, template)


def text_of(responses: Responses, response: str, language: str, values: Mapping[str, object]) -> str:
    """The response's text. Raises KeyError for an unknown response or a value it needs and did not get."""
    return _filled(_variation(responses, response, language)["text"], values)


def buttons_of(responses: Responses, response: str, language: str, values: Mapping[str, object]) -> list[Button]:
    """The response's buttons, values filled into titles and payloads."""
    return [
        Button(title=_filled(b["title"], values), payload=_filled(b["payload"], values))
        for b in _variation(responses, response, language).get("buttons", [])
    ]
