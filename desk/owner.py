"""``desk owner …``: pairing the owner's phone and seeing which are paired."""

import crm
from crm import owners
from crm.types import now
from desk.console import tell
from desk.store import open_store


def pair() -> None:
    """Prints a code that makes the Telegram account which sends it the owner's."""
    settings = open_store()
    with crm.session() as session:
        code = owners.new_code(session, now=now())
    minutes = int(owners.CODE_KEEPS.total_seconds() // 60)
    tell("owner", f"send this to the shop's bot on Telegram within {minutes} minutes:  /start {code}")
    if settings.telegram_token is None:
        tell("owner", "DESK_TELEGRAM_TOKEN is not set yet: there is no bot to send it to")


def chats() -> None:
    """Prints the Telegram chats that are the owner's."""
    open_store()
    with crm.reading() as session:
        paired = owners.telegram_chats(session)
    for chat in paired:
        print(chat)
    if not paired:
        tell("owner", "no chat is paired; `desk owner pair` prints a code")
