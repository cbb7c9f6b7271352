"""Where Rasa's process gets its settings: the environment, with defaults that fit one machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

# endpoints.yml and credentials.yml name these variables; Rasa refuses to read the files while one is missing.
_DEFAULTS: dict[str, str] = {
    "DESK_ACTIONS_URL": "http://127.0.0.1:5055",
    "DESK_TRACKER_URL": "sqlite:///var/rasa.db",
    "RASA_TELEMETRY_ENABLED": "false",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
}


class SettingMissing(Exception):
    """A required variable is not set; the message names it."""


@dataclass(frozen=True)
class Settings:
    actions_url: str
    tracker_url: str
    secret: str = field(repr=False)

    @classmethod
    def from_env(cls) -> Settings:
        prepare_environment()
        secret = os.environ.get("DESK_INTERNAL_SECRET", "")
        if not secret:
            raise SettingMissing("DESK_INTERNAL_SECRET is not set; see .env.example")
        return cls(os.environ["DESK_ACTIONS_URL"], os.environ["DESK_TRACKER_URL"], secret)


def prepare_environment() -> None:
    for name, value in _DEFAULTS.items():
        if not os.environ.get(name):
            os.environ[name] = value
