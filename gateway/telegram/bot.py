"""The connection to the Bot API."""

import ipaddress
from datetime import timedelta
from urllib.parse import urlsplit

from telegram import Bot
from telegram.error import RetryAfter
from telegram.request import HTTPXRequest

CONNECTIONS = 32
READ_SECONDS = 20.0


def bot_addresses(api: str) -> tuple[str, str]:
    """Where methods and files are, for DESK_TELEGRAM_API with or without its last part."""
    base = api.rstrip("/").removesuffix("/bot")
    return f"{base}/bot", f"{base}/file/bot"


def make_bot(token: str, api: str) -> Bot:
    methods, files = bot_addresses(api)
    return Bot(
        token,
        base_url=methods,
        base_file_url=files,
        request=HTTPXRequest(connection_pool_size=CONNECTIONS, read_timeout=READ_SECONDS, pool_timeout=READ_SECONDS),
        # Polling has a connection of its own: a waiting getUpdates must not use up the senders' ones.
        get_updates_request=HTTPXRequest(connection_pool_size=1, read_timeout=READ_SECONDS),
    )


def seconds_to_wait(error: RetryAfter) -> float:
    """How long Telegram wants to be left alone."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def is_public(url: str) -> bool:
    """Whether Telegram's servers could open the link."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or "." not in host or host.endswith((".local", ".localhost")):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True
