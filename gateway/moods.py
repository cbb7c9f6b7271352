"""How each message sounds, noted in the transaction that stores it."""

import logging
from collections.abc import Callable

from sqlalchemy.orm import Session

from crm.models import Message, MessageSentiment
from crm.sentiment import MODEL, NoSentimentModel, SentimentModel

log = logging.getLogger(__name__)
NAME = "shipped"


def reader() -> Callable[[Session, Message], None] | None:
    """What notes a message's sentiment; None, with a line in the log, while no model is trained."""
    try:
        model = SentimentModel.load(MODEL)
    except NoSentimentModel as missing:
        log.warning("messages come in without their sentiment: %s", missing)
        return None

    def note(session: Session, message: Message) -> None:
        # A pressed button says what the button says.
        if message.payload is None:
            judged = model.judge(message.text)
            session.add(MessageSentiment(message_id=message.id, label=judged.label, score=judged.score, model=NAME))

    return note
