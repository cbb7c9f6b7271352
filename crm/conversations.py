"""Conversations and their messages: opening, writing both sides down, taking a turn."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Integer, String, Table, bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from crm.changing import Changing
from crm.errors import AlreadyAnswered, ConversationNotFound
from crm.models import Author, Channel, Conversation, ConversationStatus, Delivery, Identity, Message
from crm.types import UtcDateTime


@dataclass(frozen=True)
class Understanding:
    """What the bot made of a customer's turn."""

    intent: str | None = None
    confidence: float | None = None
    entities: list[dict[str, Any]] = field(default_factory=list)
    ranking: list[dict[str, Any]] = field(default_factory=list)
    language: str | None = None
    model_id: str | None = None
    answer_ms: float | None = None


@dataclass(frozen=True)
class Reply:
    """One message to the customer, not yet stored."""

    text: str
    buttons: list[dict[str, Any]] | None = None
    cards: list[dict[str, Any]] | None = None
    image: str | None = None
    language: str | None = None


_CONVERSATIONS = cast(Table, Conversation.__table__)
_MESSAGES = cast(Table, Message.__table__)
# These run with every message. Putting a statement together costs more than running it, so it is done once.
_BY_PUBLIC_ID = select(Conversation).where(Conversation.public_id == bindparam("public_id"))
_KNOWN = select(Message.id).where(Message.channel == bindparam("channel"), Message.external_id == bindparam("name"))
_WAITING = (
    select(Message.id)
    .where(
        Message.conversation_id == bindparam("conversation"),
        Message.author == Author.CUSTOMER,
        Message.turn.is_(None),
    )
    .order_by(Message.seq)
)
_SHOWN = (
    select(Message.buttons, Message.cards)
    .where(Message.conversation_id == bindparam("conversation"), Message.author != Author.CUSTOMER)
    .order_by(Message.seq.desc())
    .limit(bindparam("most", type_=Integer))
)
_TOUCH = Changing(
    update(_CONVERSATIONS)
    .where(_CONVERSATIONS.c.id == bindparam("conversation"))
    .values(
        last_seq=_CONVERSATIONS.c.last_seq + bindparam("messages", type_=Integer),
        last_message_at=bindparam("now"),
        language=func.coalesce(bindparam("spoken", type_=String), _CONVERSATIONS.c.language),
    ),
    _CONVERSATIONS.c.last_seq,
)
_TAKE = Changing(
    update(_CONVERSATIONS)
    .where(
        _CONVERSATIONS.c.public_id == bindparam("conversation"),
        or_(
            _CONVERSATIONS.c.lease_owner.is_(None),
            _CONVERSATIONS.c.lease_owner == bindparam("owner"),
            _CONVERSATIONS.c.lease_until < bindparam("now", type_=UtcDateTime),
        ),
    )
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until")),
    _CONVERSATIONS.c.id,
)
_ANSWERED = Changing(
    update(_MESSAGES)
    .where(_MESSAGES.c.id.in_(bindparam("lines", expanding=True)), _MESSAGES.c.turn.is_(None))
    .values(
        {
            "turn": bindparam("of_turn"),
            **{name: bindparam(f"new_{name}") for name in (part.name for part in fields(Understanding))},
        }
    ),
    _MESSAGES.c.id,
)


def identity_of(
    session: Session, channel: Channel, external_id: str, *, now: datetime, display_name: str | None = None
) -> Identity:
    """The account on that channel, made on first sight."""
    found = session.scalar(select(Identity).where(Identity.channel == channel, Identity.external_id == external_id))
    if found is None:
        found = Identity(
            channel=channel, external_id=external_id, display_name=display_name, created_at=now, last_seen_at=now
        )
        session.add(found)
        session.flush()
    found.last_seen_at = now
    if display_name:
        found.display_name = display_name
    return found


def open_conversation(
    session: Session, identity: Identity, *, language: str, now: datetime, page_url: str | None = None
) -> Conversation:
    """A new conversation with a public id that cannot be guessed."""
    conversation = Conversation(
        public_id=secrets.token_urlsafe(18),
        identity=identity,
        channel=identity.channel,
        language=language,
        page_url=page_url,
        opened_at=now,
        last_message_at=now,
    )
    session.add(conversation)
    session.flush()
    return conversation


def latest_of(session: Session, identity: Identity) -> Conversation | None:
    """The identity's newest conversation."""
    return session.scalar(
        select(Conversation).where(Conversation.identity_id == identity.id).order_by(Conversation.id.desc()).limit(1)
    )


def by_public_id(session: Session, public_id: str) -> Conversation:
    """Raises ConversationNotFound."""
    found = session.scalar(_BY_PUBLIC_ID, {"public_id": public_id})
    if found is None:
        raise ConversationNotFound(public_id)
    return found


def _touch(
    session: Session, conversation: Conversation, *, messages: int, now: datetime, language: str | None = None
) -> int:
    """Notes that so many messages are added; the number of the last one."""
    # The UPDATE holds the row until commit, so numbers become visible in their order, on PostgreSQL too.
    values = {"conversation": conversation.id, "messages": messages, "now": now, "spoken": language}
    seq: int | None = _TOUCH.first(session, values)
    if seq is None:
        raise ConversationNotFound(conversation.public_id)
    for name, value in (("last_seq", seq), ("last_message_at", now), ("language", language or conversation.language)):
        set_committed_value(conversation, name, value)
    return seq


def is_known(session: Session, channel: Channel, external_id: str) -> bool:
    """Whether a message of that name is stored already."""
    return session.execute(_KNOWN, {"channel": channel, "name": external_id}).first() is not None


def receive(
    session: Session,
    conversation: Conversation,
    *,
    text: str,
    external_id: str,
    now: datetime,
    client_id: str | None = None,
    payload: str | None = None,
) -> tuple[Message, bool]:
    """Stores a customer's message once. Returns it, and whether it is new.

    ``external_id`` names it on its channel (a repeated delivery carries the same one). A closed conversation is
    opened again.
    """
    known = session.scalar(_KNOWN, {"channel": conversation.channel, "name": external_id})
    if known is not None:
        return session.get_one(Message, known), False
    if conversation.status is ConversationStatus.CLOSED:
        conversation.status, conversation.closed_at = ConversationStatus.OPEN, None
    message = Message(
        conversation_id=conversation.id,
        seq=_touch(session, conversation, messages=1, now=now),
        author=Author.CUSTOMER,
        channel=conversation.channel,
        external_id=external_id,
        client_id=client_id,
        text=text,
        payload=payload,
        created_at=now,
    )
    session.add(message)
    session.flush()
    return message, True


def correct(session: Session, channel: Channel, external_id: str, text: str) -> bool:
    """Puts the customer's edited words in place of the first ones, as long as they are unanswered; else False."""
    corrected = Changing(
        update(Message)
        .where(Message.channel == channel, Message.external_id == external_id, Message.turn.is_(None))
        .where(Message.author == Author.CUSTOMER)
        .values(text=text),
        Message.id,
    ).first(session)
    return corrected is not None


def add_message(
    session: Session,
    conversation: Conversation,
    reply: Reply,
    *,
    author: Author,
    now: datetime,
    turn: int | None = None,
) -> Message:
    """Stores a message of the bot or the owner; on Telegram it then waits in the outbox."""
    return _add_messages(session, conversation, [reply], author=author, now=now, turn=turn)[0]


def _add_messages(
    session: Session,
    conversation: Conversation,
    replies: Sequence[Reply],
    *,
    author: Author,
    now: datetime,
    turn: int | None,
    language: str | None = None,
) -> list[Message]:
    if not replies:
        return []
    last = _touch(session, conversation, messages=len(replies), now=now, language=language)
    messages = [
        Message(
            conversation_id=conversation.id,
            seq=seq,
            author=author,
            channel=conversation.channel,
            text=reply.text,
            buttons=reply.buttons,
            cards=reply.cards,
            image=reply.image,
            language=reply.language,
            turn=turn,
            created_at=now,
            delivery=Delivery.NOT_NEEDED if conversation.channel is Channel.WEB else Delivery.PENDING,
        )
        for seq, reply in enumerate(replies, start=last - len(replies) + 1)
    ]
    session.add_all(messages)
    session.flush()
    return messages


def waiting(session: Session, conversation: Conversation) -> Sequence[Message]:
    """The customer's messages that have no answer yet, oldest first."""
    return session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.author == Author.CUSTOMER, Message.turn.is_(None))
        .order_by(Message.seq)
    ).all()


def waiting_ids(session: Session, conversation: Conversation) -> Sequence[int]:
    """The ids of what ``waiting`` returns."""
    return session.scalars(_WAITING, {"conversation": conversation.id}).all()


def conversations_waiting(
    session: Session, *, since: datetime | None = None, until: datetime | None = None, limit: int = 500
) -> Sequence[str]:
    """Public ids of conversations with unanswered messages, those waiting longest first.

    ``since`` and ``until`` bound when the message was written, which spares a frequent caller the whole history.
    """
    of_them = (
        select(Conversation.public_id)
        .join(Message)
        .where(Message.author == Author.CUSTOMER, Message.turn.is_(None))
        .group_by(Conversation.id)
        .order_by(Conversation.last_message_at)
        .limit(limit)
    )
    if since is not None:
        of_them = of_them.where(Message.created_at >= since)
    if until is not None:
        of_them = of_them.where(Message.created_at <= until)
    return session.scalars(of_them).all()


def take_turn(session: Session, public_id: str, *, owner: str, now: datetime, lease: timedelta) -> bool:
    """Whether ``owner`` (a gateway) may answer now; nobody else may until the lease ends or is given back."""
    taken = _TAKE.first(session, {"conversation": public_id, "owner": owner, "now": now, "until": now + lease})
    return taken is not None


def give_back_turn(session: Session, public_id: str, *, owner: str) -> None:
    session.execute(
        update(Conversation)
        .where(Conversation.public_id == public_id, Conversation.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def answer(
    session: Session,
    conversation: Conversation,
    lines: Sequence[Message],
    replies: Sequence[Reply],
    understanding: Understanding | None,
    *,
    now: datetime,
    author: Author = Author.BOT,
) -> list[Message]:
    """Closes a turn: marks the customer's ``lines`` as answered and stores ``replies``, in one transaction.

    Raises AlreadyAnswered if any of the lines was answered meanwhile; the transaction must not be kept then.
    """
    turn = lines[0].seq
    values = asdict(understanding or Understanding())
    marked = _ANSWERED.all(
        session,
        {
            "lines": [line.id for line in lines],
            "of_turn": turn,
            **{f"new_{name}": value for name, value in values.items()},
        },
    )
    if len(marked) < len(lines):
        raise AlreadyAnswered(conversation.public_id)
    for line in lines:
        for name, value in {"turn": turn, **values}.items():
            set_committed_value(line, name, value)
    spoken = values["language"] if values["language"] in ("zh", "en") else None
    return _add_messages(session, conversation, replies, author=author, now=now, turn=turn, language=spoken)


def replies_to(session: Session, message: Message) -> Sequence[Message]:
    """What was answered to a customer's message (with its whole burst), oldest first; empty while it waits."""
    if message.turn is None:
        return []
    return session.scalars(
        select(Message)
        .where(
            Message.conversation_id == message.conversation_id,
            Message.turn == message.turn,
            Message.author != Author.CUSTOMER,
        )
        .order_by(Message.seq)
    ).all()


def history(session: Session, conversation: Conversation, *, after: int = 0, limit: int = 500) -> Sequence[Message]:
    """Both sides, oldest first: the messages after ``after``, or without it the last ``limit``."""
    if after:
        return since(session, conversation, after=after, limit=limit)
    latest = select(Message).where(Message.conversation_id == conversation.id).order_by(Message.seq.desc())
    return session.scalars(latest.limit(limit)).all()[::-1]


def since(session: Session, conversation: Conversation, *, after: int, limit: int) -> Sequence[Message]:
    """The first ``limit`` messages of both sides after the one numbered ``after``; 0 means from the beginning."""
    return session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id, Message.seq > after)
        .order_by(Message.seq)
        .limit(limit)
    ).all()


def offered_payload(session: Session, conversation: Conversation, *, title: str, payload: str | None) -> str | None:
    """The payload of a button that this conversation really showed.

    With ``payload`` given it must stand on one of the shown buttons, else None. Without, a text that is exactly the
    title of a button on the bot's latest messages counts as a press.
    """
    if not conversation.last_seq:
        return None
    shown = session.execute(_SHOWN, {"conversation": conversation.id, "most": 50 if payload else 4}).all()
    for buttons, cards in shown:
        offered = list(buttons or [])
        for card in cards or []:
            offered.extend(card.get("buttons") or [])
        for button in offered:
            if (button.get("payload") == payload) if payload else (button.get("title") == title.strip()):
                return str(button["payload"])
    return None
