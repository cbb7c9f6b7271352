"""Turns: one gateway takes what waits in a conversation, asks the bot, and closes it with the replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from crm import conversations, handoffs, takeover
from crm.changing import Changing
from crm.conversations import Reply, Understanding
from crm.errors import CrmError
from crm.models import Channel, Conversation, ConversationStatus, Handoff, HandoffReason, Message

_CONVERSATIONS = cast(Table, Conversation.__table__)
_GIVE_BACK = Changing(
    update(_CONVERSATIONS)
    .where(_CONVERSATIONS.c.id == bindparam("conversation"), _CONVERSATIONS.c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=None),
    _CONVERSATIONS.c.status,
)


class TurnTaken(CrmError):
    """Another gateway is answering this conversation just now."""

    def __init__(self, public_id: str) -> None:
        self.public_id = public_id
        super().__init__(f"conversation {public_id} is being answered elsewhere")


@dataclass(frozen=True)
class Turn:
    """The customer's lines that wait, oldest first, and what decides who answers them."""

    conversation: Conversation
    address: str | None
    lines: Sequence[Message]
    handed_off: bool
    held_by_owner: bool
    # what was said while the owner spoke and the bot was not asked
    unheard: Sequence[Message] = ()

    @property
    def public_id(self) -> str:
        return self.conversation.public_id

    @property
    def channel(self) -> Channel:
        return self.conversation.channel

    @property
    def language(self) -> str:
        """What the customer spoke last."""
        return self.conversation.language

    @property
    def number(self) -> int:
        """The turn's number: the ``seq`` of its first line."""
        return self.lines[0].seq


@dataclass(frozen=True)
class Closed:
    """What closing a turn stored."""

    replies: Sequence[Message]
    handed_off: bool
    held_by_owner: bool


def begin(session: Session, conversation: Conversation, *, owner: str, now: datetime, lease: timedelta) -> Turn | None:
    """Takes the lease and everything that waits; None if nothing does. Raises TurnTaken."""
    public_id = conversation.public_id
    if not conversations.take_turn(session, public_id, owner=owner, now=now, lease=lease):
        raise TurnTaken(public_id)
    # Only the ids are asked for: the one line that nearly always waits was stored in this very transaction.
    ids = conversations.waiting_ids(session, conversation)
    if not ids:
        conversations.give_back_turn(session, public_id, owner=owner)
        return None
    handoff = _open_handoff(session, conversation)
    held = handoff is not None and handoff.taken_at is not None
    lines = [session.get_one(Message, number) for number in ids]
    return Turn(
        conversation=conversation,
        # The web has no address to call: its visitors listen.
        address=None if conversation.channel is Channel.WEB else conversation.identity.external_id,
        lines=lines,
        handed_off=handoff is not None,
        held_by_owner=held,
        unheard=() if held else takeover.unheard(session, conversation, before=lines[0].seq),
    )


def close(
    session: Session,
    turn: Turn,
    lines: Sequence[Message],
    replies: Sequence[Reply],
    understanding: Understanding | None,
    *,
    owner: str,
    now: datetime,
    needs_owner: str | None = None,
) -> Closed | None:
    """Stores the answer to ``lines`` (some or all of the turn's) and gives the lease back, in one transaction.

    None, and nothing is stored, if the lease has gone to somebody else or the conversation is gone. Raises
    AlreadyAnswered if the lines were answered all the same.
    ``needs_owner`` is the summary for the owner when the bot could not answer at all.
    """
    status = _GIVE_BACK.first(session, {"conversation": turn.conversation.id, "owner": owner})
    if status is None:
        return None
    # As it was read when the turn began; only the status may have been changed by what the bot did since.
    conversation = session.merge(turn.conversation, load=False)
    set_committed_value(conversation, "status", status)
    handoff = _open_handoff(session, conversation)
    held = handoff is not None and handoff.taken_at is not None
    if held and not turn.held_by_owner:
        # She took it while the bot was thinking: hers is the word, and she may have answered these very lines.
        takeover.settle(session, lines)
        return Closed(replies=[], handed_off=True, held_by_owner=True)
    stored = conversations.answer(session, conversation, lines, replies, understanding, now=now)
    if turn.unheard and understanding is not None:
        _note_heard(session, conversation)
    if needs_owner is not None:
        handoff = handoffs.hand_off(session, conversation, reason=HandoffReason.DESK_DOWN, summary=needs_owner, now=now)
    return Closed(replies=stored, handed_off=handoff is not None, held_by_owner=held)


def _note_heard(session: Session, conversation: Conversation) -> None:
    session.execute(update(_CONVERSATIONS).where(_CONVERSATIONS.c.id == conversation.id).values(unheard_from=None))
    set_committed_value(conversation, "unheard_from", None)


def _open_handoff(session: Session, conversation: Conversation) -> Handoff | None:
    # The status says the same without a look at another table, and most conversations are not handed off.
    if conversation.status is not ConversationStatus.HANDED_OFF:
        return None
    return handoffs.open_handoff(session, conversation)
