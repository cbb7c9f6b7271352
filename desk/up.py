"""``desk up``: gets everything ready that needs thought, then becomes the small supervisor."""

import os
import signal
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from crm.errors import ConfigError
from crm.sealing.keys import derived_key
from crm.settings import Settings, load_settings, port_of
from crm.shop import load_shop
from desk import jobs, keys, model, ports, sentiment, store
from desk.console import tell
from desk.places import enter_root, gateway_url, is_local, root, state_dir
from desk.plan import Plan, Program

NAMES = ("gateway", "rasa", "actions", "scheduler")
STORE = "store"


def up(only: Collection[str]) -> None:
    """Starts and supervises; does not return. Raises CrmError with one sentence when it cannot start."""
    unknown = set(only) - set(NAMES)
    if unknown:
        raise ConfigError(f"There is no process {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}.")
    # A shell that starts us in the background tells us to ignore Ctrl-C; training must stop on it all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    enter_root()
    settings = _settings_with_keys()
    names = _names_to_run(settings, only)
    _check_ports(settings, names)
    _become_supervisor(plan_of(settings, names))


def _settings_with_keys() -> Settings:
    settings = load_settings()
    if store.DATA_KEY in keys.missing(settings):
        store.refuse_a_second_key(settings)
    made = keys.make_missing(settings, Path(".env"))
    if not made:
        return settings
    tell("desk", f"Made {', '.join(made)}; kept in .env, which only you can read. Back it up with the database.")
    if keys.OWNER_PASSWORD in made:
        tell("desk", f"The owner's password, shown this once: {made[keys.OWNER_PASSWORD]}")
    return load_settings()


def _names_to_run(settings: Settings, only: Collection[str]) -> list[str]:
    """What was asked for; else everything whose address is on this machine."""
    if only:
        return [name for name in NAMES if name in only]
    elsewhere = {"rasa": not is_local(settings.rasa_url), "actions": not is_local(settings.actions_url)}
    for name, url in (("rasa", settings.rasa_url), ("actions", settings.actions_url)):
        if elsewhere[name]:
            tell(name, f"runs elsewhere ({urlsplit(url).hostname}); not started here")
    return [name for name in NAMES if not elsewhere.get(name)]


def _check_ports(settings: Settings, names: Collection[str]) -> None:
    if "gateway" in names:
        ports.check_gateway(settings)
    if "rasa" in names:
        ports.check_local("Rasa", "DESK_RASA_URL", settings.rasa_url, 5005)
    if "actions" in names:
        ports.check_local("the action server", "DESK_ACTIONS_URL", settings.actions_url, 5055)


def plan_of(settings: Settings, names: Collection[str]) -> Plan:
    """What to run for these settings. Trains the model first if Rasa is among it and the sources changed."""
    state = state_dir(settings.database_url)
    programs = [_rasa(settings, state)] if "rasa" in names else []
    if "gateway" in names:
        sentiment.train()
    if set(names) & {"gateway", "actions", "scheduler"}:
        prepare = [sys.executable, "-m", "desk.preparing"]
        programs.append(Program(STORE, prepare, model.child_environment(), once=True))
    for name in ("actions", "gateway"):
        if name in names:
            command = [sys.executable, "-m", name]
            log = str(state / "log" / f"{name}.log")
            health = _health_url(settings, name)
            programs.append(Program(name, command, model.child_environment(), log, after=STORE, health_url=health))
    if "scheduler" in names:
        programs.append(_scheduler(settings, state))
    return Plan(
        programs=programs,
        folder=str(root()),
        base_url=(settings.public_url or f"http://localhost:{settings.port}").rstrip("/"),
        ready_url=gateway_url(settings.host, settings.port) + "/readyz" if "gateway" in names else None,
    )


def _rasa(settings: Settings, state: Path) -> Program:
    trained = model.train()
    host = urlsplit(settings.rasa_url).hostname or "127.0.0.1"
    port = port_of(settings.rasa_url, 5005)
    command = [str(model.require_bot()), "-m", "bot", "serve", "--host", "127.0.0.1" if host == "localhost" else host]
    command += ["--port", str(port), "--model", str(trained)]
    env = model.bot_environment(
        DESK_INTERNAL_SECRET=settings.require("internal_secret"),
        DESK_ACTIONS_URL=settings.actions_url.rstrip("/"),
        DESK_TRACKER_URL=settings.tracker_url or f"sqlite:///{state / 'rasa.db'}",
        DESK_TRACKER_KEY=_tracker_key(settings),
    )
    health = f"http://127.0.0.1:{port}/webhooks/desk/health" if is_local(settings.rasa_url) else None
    return Program("rasa", command, env, str(state / "log" / "rasa.log"), health_url=health)


def _health_url(settings: Settings, name: str) -> str:
    if name == "gateway":
        return gateway_url(settings.host, settings.port) + "/healthz"
    return f"http://127.0.0.1:{port_of(settings.actions_url, 5055)}/health"


def _tracker_key(settings: Settings) -> str:
    """Rasa is not given the key of the store, only one for its own memory that follows from it."""
    if settings.tracker_key is not None and settings.tracker_key.get_secret_value():
        return settings.tracker_key.get_secret_value()
    return derived_key(settings.require("data_key"), "desk tracker v1")


def _scheduler(settings: Settings, state: Path) -> Program:
    zone = load_shop(settings.shop_file).timezone
    command = [sys.executable, "-m", "desk.schedule", str(state / "schedule.db"), zone, jobs.to_json(jobs.JOBS)]
    return Program("scheduler", command, model.child_environment(), str(state / "log" / "scheduler.log"), after=STORE)


def _become_supervisor(plan: Plan) -> None:
    """Everything loaded so far is dropped: what stays is a bare interpreter that watches."""
    # An unlinked file, because the plan holds secrets and arguments can be read by everybody.
    file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - stays open across the exec
    file.write(plan.to_json())
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    os.set_inheritable(file.fileno(), True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "desk.supervisor", str(file.fileno())])
