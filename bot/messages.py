"""A message on its way in and its understanding on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Looks like a slash to a reader, and not like a command to Rasa.
FULL_WIDTH_SLASH = "\uff0f"


def harmless(text: str) -> str:
    """The text so that Rasa takes no part of it for a command."""
    text = text.strip()
    return FULL_WIDTH_SLASH + text[1:] if text.startswith("/") else text


def nlu_summary(parsed: Mapping[str, Any]) -> dict[str, Any]:
    """What the gateway is told about a message: the contract's "nlu" object."""
    ranking = [
        {"name": entry["name"], "confidence": round(float(entry["confidence"]), 4)}
        for entry in parsed.get("intent_ranking", [])
        if entry["name"] != "nlu_fallback"
    ]
    intent = parsed.get("intent") or {}
    return {
        "intent": intent.get("name") or "out_of_scope",
        "confidence": round(float(intent.get("confidence") or 0.0), 4),
        "ranking": ranking[:3],
        "entities": [
            {"entity": e["entity"], "value": e["value"], "start": e.get("start", 0), "end": e.get("end", 0)}
            for e in parsed.get("entities", [])
            if e["entity"] != "language"
        ],
        "language": parsed.get("language_seen"),
    }
