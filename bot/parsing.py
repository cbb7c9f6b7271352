"""Understands lines of text without the dialogue: for `desk parse`, measurements and scripts."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import orjson
from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.model import get_latest_model

from bot.graph import PlainGraphRunner
from bot.messages import harmless, nlu_summary


class Understanding:
    """The part of a trained model that understands text; policies and domain stay unloaded."""

    def __init__(self, model: Path) -> None:
        with TemporaryDirectory() as folder:
            storage, metadata = LocalModelStorage.from_model_archive(Path(folder), model)
            self._target = metadata.nlu_target
            # Payloads are for the dialogue: nothing read from here may be taken for one, so their handler is left out.
            schema = metadata.predict_schema.minimal_graph_schema(targets=[self._target])
            self._runner = PlainGraphRunner.create(
                graph_schema=schema,
                model_storage=storage,
                execution_context=ExecutionContext(graph_schema=schema, model_id=metadata.model_id),
            )

    def of(self, text: str) -> dict[str, Any]:
        messages = self._runner.run(inputs={PLACEHOLDER_MESSAGE: [UserMessage(harmless(text))]}, targets=[self._target])
        return messages[self._target][0].as_dict(only_output_properties=True)


def parse_lines(model: str, lines: TextIO, out: TextIO) -> int:
    """One JSON line for every line, also for a blank one, as soon as it is read."""
    found = model if Path(model).is_file() else get_latest_model(model)
    if not found:
        print(f"bot parse: no model in {model}: run `python -m bot train` first", file=sys.stderr)
        return 1
    understanding = Understanding(Path(found))
    for line in lines:
        out.write(orjson.dumps(_answer(understanding, line.rstrip("\r\n"))).decode() + "\n")
        out.flush()
    return 0


def _answer(understanding: Understanding, text: str) -> dict[str, Any]:
    if not text.strip():
        return {"intent": "out_of_scope", "confidence": 0.0, "ranking": [], "entities": [], "language": None}
    summary = nlu_summary(understanding.of(text))
    if summary["intent"] == "nlu_fallback" and summary["ranking"]:
        # Asking back is for the dialogue; here the best guess is wanted, with the confidence that it deserves.
        summary["intent"], summary["confidence"] = summary["ranking"][0]["name"], summary["ranking"][0]["confidence"]
    return summary
