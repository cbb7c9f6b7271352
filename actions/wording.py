"""Reading the domain's responses in the customer's language. The words themselves stand in domain.yml."""

import random
import re
from collections.abc import Mapping
from typing import Any, TypedDict

Domain = Mapping[str, Any]
_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)\}")


class Button(TypedDict):
    title: str
    payload: str


def _variation(domain: Domain, response: str, language: str) -> Mapping[str, Any]:
    """One of the response's variations in the language; without one, of those that carry no condition."""
    variations = domain["responses"][response]
    fitting = [v for v in variations if any(c.get("value") == language for c in v.get("condition", []))]
    return random.choice(fitting or [v for v in variations if not v.get("condition")])  # noqa: S311 - wording only


def _filled(template: str, values: Mapping[str, object]) -> str:
    """``{name}`` replaced, ``{{`` and ``}}`` unescaped; values are never read as templates themselves."""

    def replacement(found: re.Match[str]) -> str:
        if found.group() in ("{{", "}}"):
            return found.group()[0]
        return str(values[found.group(1)])

    return _FIELD.sub(replacement, template)


def text_of(domain: Domain, response: str, language: str, values: Mapping[str, object]) -> str:
    """The response's text. Raises KeyError for an unknown response or a value it needs and did not get."""
    return _filled(_variation(domain, response, language)["text"], values)


def buttons_of(domain: Domain, response: str, language: str, values: Mapping[str, object]) -> list[Button]:
    """The response's buttons, values filled into titles and payloads."""
    return [
        Button(title=_filled(b["title"], values), payload=_filled(b["payload"], values))
        for b in _variation(domain, response, language).get("buttons", [])
    ]
