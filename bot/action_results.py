"""Checks what the action server answers against Rasa's own schema, prepared once.

Rasa prepares the schema anew for every answer, which is three quarters of a turn's work. Forms make their remote
actions themselves, so there is no place to hand in a subclass: the one method is replaced.
"""

from __future__ import annotations

from typing import Any

from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction

_SCHEMA = RemoteAction.action_response_format_spec()
_CHECK = validator_for(_SCHEMA)(_SCHEMA)


def _validate_action_result(_: RemoteAction, result: dict[str, Any]) -> bool:
    wrong = next(_CHECK.iter_errors(result), None)
    if wrong is not None:
        raise ValidationError(f"The action server's answer has not the form of events and responses: {wrong.message}")
    return True


def prepare() -> None:
    """From here on Rasa checks with the prepared schema."""
    RemoteAction._validate_action_result = _validate_action_result
