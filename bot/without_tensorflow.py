"""Lets Rasa be imported without TensorFlow and the other large packages our pipeline never calls.

Rasa imports all of them whether or not they are used: 450 MB of memory and most of its start. Here they are answered
for by inert stand-ins that can be subclassed, called and indexed while Rasa's modules are being imported. After
`seal()` every further use raises `LeftOut`, which says what to install. A package that *is* installed is left alone.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, ClassVar

# top-level module -> what to install to have it
LEFT_OUT: dict[str, str] = {
    "keras": "tensorflow==2.12.0",
    "tensorboard": "tensorflow==2.12.0",
    "tensorflow": "tensorflow==2.12.0",
    "tensorflow_addons": "tensorflow-addons",
    "tensorflow_hub": "tensorflow-hub<0.14",
    "tensorflow_text": "tensorflow-text==2.12.0",
    # Channels and brokers of Rasa's own: ours is bot/channel.py, and the gateway keeps the log.
    "aio_pika": "aio-pika<8.2.4",
    "aiogram": "aiogram<2.26",
    "aiormq": "aio-pika<8.2.4",
    "boto3": "boto3<2",
    "botocore": "boto3<2",
    "bson": "pymongo<4.4",
    "confluent_kafka": "confluent-kafka<3",
    "fbmessenger": "fbmessenger<6.1",
    "google": "google-auth<3",
    "mattermostwrapper": "mattermostwrapper<2.3",
    "pymongo": "pymongo<4.4",
    "redis": "redis<5",
    "rocketchat_API": "rocketchat-api<1.31",
    "slack_sdk": "slack-sdk<4",
    "socketio": "python-socketio<6",
    "twilio": "twilio<8.3",
    "webexteamssdk": "webexteamssdk<1.7",
    # Pictures and reports: the error reporter needs telemetry, which is off.
    "matplotlib": "matplotlib<3.6",
    "networkx": "networkx<2.7",
    "pydot": "pydot<1.5",
    "sentry_sdk": "sentry-sdk<1.15",
    "structlog_sentry": "structlog-sentry<3",
    # Files of components that are not in our pipeline.
    "safetensors": "safetensors<0.5",
    "sklearn_crfsuite": "sklearn-crfsuite<0.4",
    "skops": "skops==0.9.0",
}

# Installed because training needs them; a serving process would load them for nothing.
TRAINING_ONLY: frozenset[str] = frozenset({"prompt_toolkit", "questionary", "scipy", "sklearn"})

_sealed = False


class LeftOut(ImportError):
    """Something needs a package that was deliberately not installed."""

    def __init__(self, dotted_name: str) -> None:
        top = dotted_name.partition(".")[0]
        package = LEFT_OUT.get(top, top)
        super().__init__(
            f"{dotted_name} is needed, but {top} is left out of this installation. Take the component that uses it "
            f"out of config.yml, or delete {top} from override-dependencies in bot/pyproject.toml and run "
            f"`uv --project bot add '{package}'`.",
            name=top,
        )


class _Inert(type):
    """A class that answers for anything: its attributes are classes of the same kind."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in_for(f"{cls.__stand_in__}.{name}")

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if _sealed:
            raise LeftOut(cls.__stand_in__)
        if len(args) == 1 and not kwargs and callable(args[0]):
            return args[0]  # used as a bare decorator
        return cls

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __iter__(cls) -> Any:
        return iter(())

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__

    def __instancecheck__(cls, instance: Any) -> bool:
        return cls in type(instance).__mro__

    def __subclasscheck__(cls, subclass: Any) -> bool:
        return cls in getattr(subclass, "__mro__", ())


def _stand_in_for(dotted_name: str) -> _Inert:
    return _Inert(dotted_name.rpartition(".")[2], (), {"__stand_in__": dotted_name, "__module__": __name__})


class _StandInModule(ModuleType):
    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = _stand_in_for(f"{self.__name__}.{name}")
        # Kept, so that two modules that import the same name get the same class.
        setattr(self, name, value)
        return value


class _StandInLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        return None


class StandInFinder(MetaPathFinder):
    """Answers for the packages in `names`, and for all their submodules."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._names:
            return None
        return ModuleSpec(fullname, _StandInLoader(), is_package=True)


def is_installed(top_level: str) -> bool:
    return importlib.machinery.PathFinder.find_spec(top_level) is not None


def install(*, serving: bool = False) -> StandInFinder:
    """Puts the stand-ins in place. Call before the first import of Rasa."""
    for finder in sys.meta_path:
        if isinstance(finder, StandInFinder):
            return finder
    names = {name for name in LEFT_OUT if not is_installed(name)}
    if serving:
        names |= TRAINING_ONLY
    finder = StandInFinder(names)
    # In front of Python's own finders, which would otherwise find the training-only packages.
    sys.meta_path.insert(0, finder)
    return finder


def seal() -> None:
    """From here on a stand-in that is called or instantiated raises `LeftOut`."""
    global _sealed
    _sealed = True
