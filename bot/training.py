"""Trains the assistant, after checking that what it is taught makes sense."""

from __future__ import annotations

import hashlib
import logging
import sys
import time
from pathlib import Path

import rasa.shared.utils.io
from rasa.exceptions import ModelNotFound
from rasa.model_training import train as rasa_train
from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.validator import Validator

from bot.without_tensorflow import seal

log = logging.getLogger(__name__)


def train(config: str, domain: str, data: str, out: str, name: str | None) -> int:
    """0 and a model in `out`; 1 and the reasons on stderr if the sources cannot be trained on."""
    began = time.monotonic()
    missing = [path for path in (config, domain, data) if not Path(path).exists()]
    if missing:
        print(f"bot train: not found: {', '.join(missing)}", file=sys.stderr)
        return 1
    seal()
    try:
        importer = TrainingDataImporter.load_from_config(config, domain, [data])
        if not _is_valid(importer):
            print("bot train: the training data is not valid; see the messages above", file=sys.stderr)
            return 1
        result = rasa_train(
            domain=domain,
            config=config,
            training_files=[data],
            output=out,
            fixed_model_name=name or f"solodesk-{sources_fingerprint(config, domain, data)[:12]}",
            force_training=True,
        )
    except (RasaException, ModelNotFound, ValueError) as error:
        print(f"bot train: {error}", file=sys.stderr)
        return 1
    except SystemExit as error:  # Rasa leaves this way when it has said what is wrong
        print("bot train: training was given up; see the messages above", file=sys.stderr)
        return int(error.code or 1)
    if result.model is None:
        print("bot train: no model was made", file=sys.stderr)
        return 1
    print(f"model {result.model} trained in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _is_valid(importer: TrainingDataImporter) -> bool:
    validator = Validator.from_importer(importer)
    # The domain, rules and stories must fit each other; examples and responses that nobody uses are only worth a warning.
    return bool(
        validator.verify_domain_validity()
        and validator.verify_intents_in_stories(ignore_warnings=True)
        and validator.verify_forms_in_stories_rules()
        and validator.verify_actions_in_stories_rules()
        and validator.verify_form_slots()
        and validator.verify_slot_mappings()
        and validator.verify_intents(ignore_warnings=True)
        and validator.verify_utterances_in_stories(ignore_warnings=True)
    )


def sources_fingerprint(*paths: str) -> str:
    """Changes when a file the model is made from changes: the same sources give a model of the same name."""
    digest = hashlib.sha256()
    files = [file for path in (*paths, "bot") for file in _sources(Path(path))]
    for file in files:
        digest.update(file.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    wanted = {".py"} if path.name == "bot" else {".yml", ".yaml"}
    return sorted(p for p in path.rglob("*") if p.suffix in wanted and ".venv" not in p.parts)

