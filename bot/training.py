"""Trains the assistant, after checking that what it is taught makes sense."""

from __future__ import annotations

import hashlib
import logging
import sys
import time
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from rasa.engine.constants import PLACEHOLDER_IMPORTER
from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.recipe import Recipe
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.validation import validate
from rasa.shared.core.domain import Domain
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.data import TrainingType
from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.validator import Validator

from bot.without_tensorflow import LeftOut, seal

log = logging.getLogger(__name__)


class OnceImporter(RasaFileImporter):
    """Reads every file once. Rasa's stack of importers merges all examples anew for features that we do not use:
    retrieval intents and stories with the customer's words in them."""

    def __init__(self, config: str, domain: str, data: list[str]) -> None:
        super().__init__(config, domain, data)
        self._domain = lru_cache(maxsize=1)(super().get_domain)
        self._examples = lru_cache(maxsize=1)(super().get_nlu_data)
        self._stories = lru_cache(maxsize=1)(super().get_stories)

    def get_domain(self) -> Domain:
        return self._domain()

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        return self._examples()

    def get_stories(self, exclusion_percentage: int | None = None) -> StoryGraph:
        return self._stories()


def train(config: str, domain: str, data: str, out: str, name: str | None) -> int:
    """0 and a model in `out`; 1 and the reasons on stderr if the sources cannot be trained on."""
    began = time.monotonic()
    missing = [path for path in (config, domain, data) if not Path(path).exists()]
    if missing:
        print(f"bot train: not found: {', '.join(missing)}", file=sys.stderr)
        return 1
    seal()
    try:
        importer = OnceImporter(config, domain, [data])
        if not _is_valid(importer):
            print("bot train: the training data is not valid; see the messages above", file=sys.stderr)
            return 1
        name = name or f"solodesk-{sources_fingerprint(config, domain, data)[:12]}"
        model = _train(importer, Path(out) / f"{name.removesuffix('.tar.gz')}.tar.gz")
    except (RasaException, GraphComponentException, GraphRunError, LeftOut, ValueError) as error:
        print(f"bot train: {_root_of(error)}", file=sys.stderr)
        return 1
    except SystemExit as error:  # Rasa leaves this way when it has said what is wrong
        print("bot train: training was given up; see the messages above", file=sys.stderr)
        return int(error.code or 1)
    print(f"model {model} trained in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def _root_of(error: BaseException) -> BaseException:
    """What went wrong first: Rasa wraps it into "error running graph component"."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _train(importer: TrainingDataImporter, model: Path) -> Path:
    """Rasa's own training graph, without its cache: fingerprinting every step costs more than the steps."""
    recipe = Recipe.recipe_for_name(importer.get_config().get("recipe"))
    configuration = recipe.graph_config_for_recipe(importer.get_config(), {}, TrainingType.BOTH, is_finetuning=False)
    validate(configuration)
    with TemporaryDirectory() as folder:
        storage = LocalModelStorage.create(Path(folder))
        runner = DaskGraphRunner.create(
            graph_schema=configuration.train_schema,
            model_storage=storage,
            execution_context=ExecutionContext(graph_schema=configuration.train_schema),
        )
        runner.run(inputs={PLACEHOLDER_IMPORTER: importer})
        model.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and moved: a server that starts meanwhile never sees half a model.
        unfinished = model.with_name(f".{model.name}.tmp.tar.gz")
        storage.create_model_package(unfinished, configuration, importer.get_domain())
        unfinished.replace(model)
    return model


def _is_valid(importer: TrainingDataImporter) -> bool:
    validator = Validator.from_importer(importer)
    # The domain, rules and stories must fit each other; what nobody uses is only worth a warning.
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
