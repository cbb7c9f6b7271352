"""What the desk does by itself, and when: each job is one ``desk`` command. Add a line to add a job."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Job:
    """``command`` is what follows ``desk`` on the command line; the times are fields of cron, in the shop's zone."""

    name: str
    command: tuple[str, ...]
    hour: str = "*"
    minute: str = "0"
    day_of_week: str = "*"


JOBS = (
    Job("analyse-daily", ("analyse", "--daily"), hour="3", minute="30", day_of_week="mon-sat"),
    Job("analyse-weekly", ("analyse",), hour="3", minute="30", day_of_week="sun"),
    Job("retention", ("privacy", "prune"), hour="4", minute="45"),
    Job("digest", ("digest", "--due"), minute="5"),
    Job("alerts", ("alerts",), minute="*/10"),
    Job("follow-ups", ("follow-ups",), minute="*/15"),
    Job("backup", ("backup", "var/backups", "--daily"), hour="2", minute="15"),
)


def to_json(jobs: Sequence[Job]) -> str:
    return json.dumps([asdict(job) for job in jobs])


def from_json(text: str) -> list[Job]:
    return [Job(**{**fields, "command": tuple(fields["command"])}) for fields in json.loads(text)]
