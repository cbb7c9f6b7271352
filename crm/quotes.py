"""Quotes: lines with prices, offered in a chat until a day, behind a link that accepts or declines once.

The table keeps a random name; the link is that name with a signature, so that nobody who guesses, or has the table
alone, can open one. The whole link stands in the message that brought it.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from itsdangerous import BadSignature, Signer
from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from crm import conversations, handoffs
from crm.changing import Changing
from crm.conversations import Reply
from crm.errors import CrmError
from crm.models import (
    Author,
    Conversation,
    FollowUp,
    FollowUpKind,
    FollowUpStatus,
    HandoffReason,
    Message,
    Product,
    ProductStatus,
    Quote,
    Ticket,
    TicketKind,
    TicketStatus,
)
from crm.products import option_in, title_in

LONGEST_TOKEN = 200
_UNSENT = (FollowUpStatus.DRAFTED, FollowUpStatus.APPROVED)
LONGEST_NOTE, LONGEST_TITLE = 1_000, 200
MOST_LINES, MOST_OFFERS = 30, 400
LARGEST_QUANTITY = 1_000_000
# Whoever accepted one may want to print it later.
SHOWN_AFTER_YES = timedelta(days=90)
# What the chat says of a quote, in its language.
Telling = Callable[[Quote], str]


class QuoteGone(CrmError):
    """No such quote, a forged link, or it ran out."""

    def __init__(self) -> None:
        super().__init__("This quote is not open.")


class QuoteChanged(CrmError):
    """It was answered before, or what was shown is not what it says."""

    def __init__(self) -> None:
        super().__init__("This quote was answered before, or shown otherwise.")


class QuoteState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    RAN_OUT = "ran_out"


@dataclass(frozen=True)
class QuoteLine:
    """``unit_price_minor`` is in the quote's currency, in its smallest unit."""

    title: str
    quantity: int
    unit_price_minor: int

    @property
    def total_minor(self) -> int:
        return self.quantity * self.unit_price_minor


@dataclass(frozen=True)
class Told:
    """A quote and what was said about it in its chat."""

    quote: Quote
    message: Message
    public_id: str


def lines_of(quote: Quote) -> list[QuoteLine]:
    return [QuoteLine(**line) for line in quote.lines]


def total_minor(quote: Quote) -> int:
    return sum(line.total_minor for line in lines_of(quote))


def state(quote: Quote, *, now: datetime) -> QuoteState:
    if quote.accepted_at is not None:
        return QuoteState.ACCEPTED
    if quote.declined_at is not None:
        return QuoteState.DECLINED
    return QuoteState.OPEN if quote.valid_until > now else QuoteState.RAN_OUT


def token_of(public_id: str, *, secret: str) -> str:
    """What stands in the link."""
    return _signer(secret).sign(public_id).decode()


def answer_token(quote: Quote, *, secret: str) -> str:
    """What a page's form sends along: only who saw this very offer has it, and an answer uses it up."""
    shown = json.dumps([quote.public_id, quote.lines, quote.note, quote.valid_until.isoformat()], ensure_ascii=False)
    return hmac.new(secret.encode(), b"quote answer\0" + shown.encode(), hashlib.sha256).hexdigest()


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="desk quote", digest_method=hashlib.sha256)


def send(
    session: Session,
    conversation: Conversation,
    *,
    public_id: str,
    lines: Sequence[QuoteLine],
    currency: str,
    note: str,
    valid_until: datetime,
    ticket: Ticket | None,
    telling: Telling,
    now: datetime,
) -> Told | None:
    """A new quote, told in the conversation; None if this ``public_id`` was sent before.

    The request behind it is done, and so is the wait for the owner if nothing else is open there.
    """
    if session.scalar(select(Quote.id).where(Quote.public_id == public_id)) is not None:
        return None
    quote = Quote(
        public_id=public_id,
        ticket_id=_free(session, ticket),
        conversation_id=conversation.id,
        currency=currency,
        lines=[asdict(line) for line in lines],
        note=note.strip()[:LONGEST_NOTE],
        language=conversation.language,
        made_at=now,
        valid_until=valid_until,
        sent_at=now,
    )
    session.add(quote)
    session.flush()
    if ticket is not None and ticket.status is TicketStatus.OPEN:
        ticket.status, ticket.done_at = TicketStatus.DONE, now
    session.flush()
    _end_wait(session, conversation, now)
    return _tell(session, quote, conversation, telling, now)


def _free(session: Session, ticket: Ticket | None) -> int | None:
    """A request names its first quote only."""
    if ticket is None or session.scalar(select(Quote.id).where(Quote.ticket_id == ticket.id)) is not None:
        return None
    return ticket.id


def _end_wait(session: Session, conversation: Conversation, now: datetime) -> None:
    handoff = handoffs.open_handoff(session, conversation)
    others = select(Ticket.id).where(Ticket.conversation_id == conversation.id, Ticket.status == TicketStatus.OPEN)
    waits_only = handoff is not None and handoff.reason is HandoffReason.REQUEST and handoff.taken_at is None
    if waits_only and session.scalar(others.limit(1)) is None:
        handoffs.give_back(session, conversation, now=now)


def read(session: Session, token: str, *, secret: str, now: datetime) -> Quote:
    """The quote behind a link, while it may be looked at. Raises QuoteGone."""
    try:
        public_id = _signer(secret).unsign(token[:LONGEST_TOKEN].encode("utf-8", "replace")).decode()
    except (BadSignature, UnicodeError):
        raise QuoteGone from None
    quote = session.scalar(select(Quote).where(Quote.public_id == public_id))
    if quote is None or quote.sent_at is None:
        raise QuoteGone
    accepted = quote.accepted_at is not None and quote.accepted_at > now - SHOWN_AFTER_YES
    if quote.valid_until <= now and not accepted:
        raise QuoteGone
    return quote


def answer(
    session: Session, token: str, *, accept: bool, shown: str, secret: str, telling: Telling, now: datetime
) -> Told:
    """The customer's yes or no, once; ``shown`` is the page's ``answer_token``. Raises QuoteGone, QuoteChanged."""
    quote = read(session, token, secret=secret, now=now)
    if not hmac.compare_digest(shown.encode(), answer_token(quote, secret=secret).encode()):
        raise QuoteChanged
    # Two taps, or two people who hold the link: only one of them finds it unanswered.
    taken = Changing(
        update(Quote)
        .where(Quote.id == quote.id, Quote.accepted_at.is_(None), Quote.declined_at.is_(None), Quote.valid_until > now)
        .values({"accepted_at" if accept else "declined_at": now}),
        Quote.id,
    ).first(session)
    session.refresh(quote)
    if taken is None or quote.conversation_id is None:
        raise QuoteChanged
    _drop_reminders(session, quote, now)
    return _tell(session, quote, session.get_one(Conversation, quote.conversation_id), telling, now)


def _drop_reminders(session: Session, quote: Quote, now: datetime) -> None:
    session.execute(
        update(FollowUp)
        .where(
            FollowUp.kind == FollowUpKind.QUOTE_UNANSWERED,
            FollowUp.subject_key == f"quote:{quote.id}",
            FollowUp.status.in_(_UNSENT),
        )
        .values(status=FollowUpStatus.EXPIRED, decided_at=now)
        .execution_options(synchronize_session=False)
    )


def _tell(session: Session, quote: Quote, conversation: Conversation, telling: Telling, now: datetime) -> Told:
    reply = Reply(telling(quote), language=quote.language)
    message = conversations.add_message(session, conversation, reply, author=Author.BOT, now=now)
    session.flush()
    return Told(quote, message, conversation.public_id)


def withdraw(session: Session, number: int, *, now: datetime) -> None:
    """An unanswered quote ends now, and nobody is reminded of it."""
    quote = session.get(Quote, number)
    if quote is not None and state(quote, now=now) is QuoteState.OPEN:
        quote.valid_until = now
        _drop_reminders(session, quote, now)
        session.flush()


def see_to(session: Session, number: int, *, now: datetime) -> None:
    """The owner has seen to an answer; it leaves the top of her list."""
    quote = session.get(Quote, number)
    if quote is not None and quote.seen_to_at is None and state(quote, now=now) is QuoteState.ACCEPTED:
        quote.seen_to_at = now
        session.flush()


def requests(session: Session, *, conversation_id: int | None = None, limit: int = 100) -> Sequence[Ticket]:
    """Who asked for a quote and waits for it, the longest wait first."""
    wanted = select(Ticket).where(Ticket.kind == TicketKind.QUOTE, Ticket.status == TicketStatus.OPEN)
    if conversation_id is not None:
        wanted = wanted.where(Ticket.conversation_id == conversation_id)
    return session.scalars(wanted.order_by(Ticket.id).limit(limit)).all()


def recent(session: Session, *, conversation_id: int | None = None, limit: int = 60) -> Sequence[Quote]:
    """What was sent, the newest first."""
    wanted = select(Quote).where(Quote.sent_at.is_not(None)).order_by(Quote.id.desc()).limit(limit)
    if conversation_id is not None:
        wanted = wanted.where(Quote.conversation_id == conversation_id)
    return session.scalars(wanted).all()


def catalogue_prices(session: Session, language: str, currency: str) -> Mapping[str, int]:
    """What can be put into a quote by its name, with its price now; variants by their own names."""
    found: dict[str, int] = {}
    products = select(Product).where(Product.status == ProductStatus.ACTIVE).options(selectinload(Product.variants))
    for product in session.scalars(products.order_by(Product.title).limit(MOST_OFFERS)):
        for variant in product.variants:
            if variant.currency == currency:
                option = option_in(variant.title, language) if len(product.variants) > 1 else ""
                found[f"{title_in(product, language)} · {option}" if option else title_in(product, language)] = (
                    variant.price_minor
                )
    return found
