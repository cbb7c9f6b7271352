from __future__ import annotations

from typing import Any

import pytest
from jsonschema import ValidationError, validate
from rasa.core.actions.action import RemoteAction

from bot import action_results

RESULTS: list[Any] = [
    {"events": [], "responses": []},
    {
        "events": [{"event": "slot", "name": "language", "value": "zh", "timestamp": None}],
        "responses": [{"text": "好"}],
    },
    {"events": [{"event": "followup", "name": "action_listen", "timestamp": None}]},
    {"events": [{"event": "active_loop", "name": None}], "responses": []},
    {"events": [{"name": "language"}], "responses": []},
    {"events": "none"},
    {"responses": ["text"]},
    [],
    None,
]


def _rasas_verdict(result: Any) -> bool:
    try:
        validate(result, RemoteAction.action_response_format_spec())
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("result", RESULTS)
def test_the_verdict_is_the_one_of_rasas_schema(result: Any) -> None:
    action_results.prepare()
    action = RemoteAction("action_x", None)
    if _rasas_verdict(result):
        assert action._validate_action_result(result)
    else:
        with pytest.raises(ValidationError):
            action._validate_action_result(result)
