"""``desk doctor``: looks at every part of the installation and says what to mend."""

import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
from sqlalchemy.exc import SQLAlchemyError

import crm
from crm import migrate
from crm.errors import CrmError
from crm.settings import Settings, load_settings, port_of
from crm.shop import load_shop
from desk import keys, model, ports
from desk.console import tell
from desk.places import bot_python, gateway_url, is_local, root, state_dir

LEAST_FREE_BYTES = 500_000_000
ASK_SECONDS = 3.0


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    what: str


def _ok(what: str) -> Finding:
    return Finding(Verdict.OK, what)


def _warn(what: str) -> Finding:
    return Finding(Verdict.WARN, what)


def _fail(what: str) -> Finding:
    return Finding(Verdict.FAIL, what)


def examine() -> int:
    """Prints one line per finding. 1 if anything has to be mended, else 0."""
    try:
        settings = load_settings()
    except CrmError as error:
        tell(Verdict.FAIL, str(error))
        return 1
    failed = False
    for finding in findings(settings):
        tell(finding.verdict, finding.what)
        failed = failed or finding.verdict is Verdict.FAIL
    return 1 if failed else 0


def findings(settings: Settings) -> Iterator[Finding]:
    for check in CHECKS:
        yield from check(settings)


def _environments(_: Settings) -> Iterator[Finding]:
    python = bot_python()
    if python.exists():
        yield _ok(f"the bot's own Python is there ({python})")
    else:
        yield _fail(f"the bot's own Python is missing ({python}): run `make setup`")


def _trained_model(_: Settings) -> Iterator[Finding]:
    wanted = model.wanted()
    if wanted.is_file():
        yield _ok(f"the model is up to date ({wanted.name})")
    elif any(wanted.parent.glob("solodesk-*.tar.gz")):
        yield _warn("the model is older than its sources: run `make train`; `desk up` does so by itself")
    else:
        yield _fail("no model is trained: run `make train`")


def _database(settings: Settings) -> Iterator[Finding]:
    engine = crm.bind(settings.database_url)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        migrate.check(engine)
    except CrmError as error:
        yield _warn(str(error))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        yield _fail(f"the database {shown} cannot be opened ({reason}): check DESK_DATABASE_URL")
    else:
        yield _ok(f"the database answers and has this version's schema ({shown})")


def _shop(settings: Settings) -> Iterator[Finding]:
    try:
        load_shop(settings.shop_file)
    except CrmError as error:
        yield _fail(str(error))
    else:
        yield _ok(f"{settings.shop_file} is valid")
    if settings.shop is None:
        yield _warn("DESK_SHOP is not set: the desk answers as the demo shop; write a shop.toml of your own")


def _secrets(settings: Settings) -> Iterator[Finding]:
    absent = keys.missing(settings)
    if absent:
        yield _warn(f"{', '.join(absent)} not set yet: the first `desk up` makes them and keeps them in .env")
    else:
        yield _ok("all keys are set")
    file = Path(".env")
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield _fail(".env holds secrets and can be read by others: run `chmod 600 .env`")


def _processes(settings: Settings) -> Iterator[Finding]:
    places = (
        ("the gateway", "DESK_PORT", gateway_url(settings.host, settings.port), "/healthz"),
        ("Rasa", "DESK_RASA_URL", settings.rasa_url, "/webhooks/desk/health"),
        ("the action server", "DESK_ACTIONS_URL", settings.actions_url, "/health"),
    )
    secret = settings.require("internal_secret") if settings.secret_key or settings.internal_secret else ""
    for name, variable, url, path in places:
        status = _status(url.rstrip("/") + path, secret)
        host, port = urlsplit(url).hostname or "127.0.0.1", port_of(url, 80)
        if status == 200:
            yield _ok(f"{name} answers at {url}")
        elif status is None and is_local(url) and not ports.is_taken(host, port):
            yield _ok(f"{name} is not running; its port {port} is free")
        elif status is None and not is_local(url):
            yield _fail(f"{name} does not answer at {url}: start it there, or mend {variable}")
        else:
            found = ports.holder(port)
            by = f" by process {found[0]} ({found[1]})" if found else ""
            yield _fail(f"port {port}, which {name} needs, is used by another program{by}: end it or change {variable}")


def _status(url: str, secret: str) -> int | None:
    with suppress(httpx.HTTPError):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.get(url, headers=headers, timeout=ASK_SECONDS, trust_env=False).status_code
    return None


def _telegram(settings: Settings) -> Iterator[Finding]:
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else ""
    if not token:
        yield _ok("Telegram is not set up (DESK_TELEGRAM_TOKEN); the web chat works without it")
        return
    try:
        answer = httpx.get(f"{settings.telegram_api}{token}/getMe", timeout=10)
        told = answer.json()
    except (httpx.HTTPError, ValueError):
        # The error's own text would show the address, and with it the token.
        yield _warn("Telegram could not be asked whether the token is valid: is the network there?")
        return
    if told.get("ok"):
        yield _ok(f"Telegram knows the bot as @{told['result'].get('username')}")
    else:
        yield _fail(f"Telegram refuses DESK_TELEGRAM_TOKEN ({told.get('description')}): get a new one from @BotFather")


def _redis(settings: Settings) -> Iterator[Finding]:
    if not settings.redis_url:
        return
    import redis

    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=ASK_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        yield _fail(f"Redis does not answer ({error}): check DESK_REDIS_URL")
    else:
        yield _ok("Redis answers")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = state_dir(settings.database_url)
    while not folder.exists():
        folder = folder.parent
    free = psutil.disk_usage(str(folder)).free
    shown = f"{free / 1e9:.1f} GB free in {folder}"
    yield _ok(shown) if free > LEAST_FREE_BYTES else _fail(f"only {shown}: make room, or messages cannot be stored")


def _folder(_: Settings) -> Iterator[Finding]:
    yield _ok(f"the project's folder is {root()}")


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _folder,
    _environments,
    _trained_model,
    _secrets,
    _shop,
    _database,
    _disk,
    _processes,
    _telegram,
    _redis,
)
