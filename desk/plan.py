"""What a supervisor has to run, as plain data that survives the exec into it."""

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Program:
    """One child: ``once`` ends by itself with 0 and is waited for by those that name it in ``after``.

    ``health_url`` is asked while it runs; a child that answered before and is silent for ``hangs_after`` seconds is
    killed and started again.
    """

    name: str
    command: list[str]
    env: dict[str, str]
    log: str | None = None  # None: writes to the console
    after: str | None = None
    once: bool = False
    health_url: str | None = None
    hangs_after: float = 30.0


@dataclass(frozen=True)
class Plan:
    """``ready_url`` is asked until it answers 200; None when the gateway is not among the programs."""

    programs: list[Program]
    folder: str
    base_url: str
    ready_url: str | None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        fields: dict[str, Any] = json.loads(text)
        fields["programs"] = [Program(**program) for program in fields["programs"]]
        return cls(**fields)
