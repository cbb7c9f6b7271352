"""The web chat API, as the widget uses it."""

import time
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import conversations, customers, feedback, handoffs
from crm.errors import ConversationNotFound
from crm.models import Channel, Conversation, ConversationStatus, Message
from crm.types import now
from gateway import schemas, sessions
from gateway.bus import Ended, Kind, Subscription, TooSlow
from gateway.errors import Refused, not_signed_in, too_many
from gateway.limits import Rate, address_key
from gateway.messages import shown
from gateway.parts import Parts, parts_of
from gateway.responses import Json
from gateway.sessions import BadToken, Visitor
from gateway.shop import text_shown
from gateway.texts import is_blank, safe_link, supported_language

router = APIRouter(prefix="/api/chat", tags=["chat"])
LONGEST_TEXT = 4_000
LONGEST_TYPED_TITLE = 200
LONGEST_PAGE_URL = 2_000
# The whole desk takes as many new visitors as this many busy addresses.
ADDRESSES_AT_ONCE = 200
# An address writes as much as this many busy visitors (a whole office may sit behind one), the desk as much as these.
VISITORS_PER_ADDRESS = 200
VISITORS_AT_ONCE = 500
READS_PER_MESSAGE = 10
LOOK_AGAIN_SECONDS = 1.0

PartsOf = Annotated[Parts, Depends(parts_of)]


def token_of(request: Request) -> str:
    """The bearer token. Raises Refused."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise not_signed_in()
    return token.strip()


async def visitor_of(request: Request, parts: PartsOf) -> Visitor:
    """Whoever the bearer token names. Raises Refused."""
    try:
        return parts.tokens.read(token_of(request))
    except BadToken:
        raise not_signed_in() from None


VisitorOf = Annotated[Visitor, Depends(visitor_of)]


async def take_token(parts: Parts, what: str, key: str, per_minute: int) -> None:
    """Raises Refused with 429 once the bucket is empty."""
    wait = await parts.limiter.wait_for(f"{what}:{key}", Rate(per_minute))
    if wait:
        parts.metrics.limited.labels(what).inc()
        raise too_many(wait)


def address_of(request: Request) -> str:
    """By what the visitor's network is counted."""
    return address_key(request.client.host if request.client else "unknown")


def conversation_of(session: Session, visitor: Visitor) -> Conversation:
    """Raises Refused if it was erased."""
    try:
        return conversations.by_public_id(session, visitor.conversation)
    except ConversationNotFound:
        raise not_signed_in("This conversation no longer exists; open a new session.") from None


@router.post(
    "/sessions",
    status_code=201,
    responses={201: {"model": schemas.SessionOpened}, **schemas.errors(400, 401, 413, 422, 429, 503)},
)
async def open_session(request: Request, parts: PartsOf, wanted: schemas.SessionWanted | None = None) -> Response:
    """A new visitor with a conversation of their own."""
    wanted = wanted or schemas.SessionWanted()
    settings, moment = parts.settings, now()
    address = address_of(request)
    await take_token(parts, "sessions", address, settings.sessions_per_minute)
    await take_token(parts, "sessions_in_all", "desk", settings.sessions_per_minute * ADDRESSES_AT_ONCE)
    vouched = None
    if wanted.identity:
        secret = settings.identity_secret or settings.secret_key
        try:
            vouched = sessions.read_identity(wanted.identity, secret.get_secret_value() if secret else "", now=moment)
        except BadToken:
            raise not_signed_in("The identity is not validly signed or has expired.") from None
    spoken = request.headers.get("Accept-Language", "")
    language = supported_language(wanted.language, supported_language(spoken, parts.shop.default_language))
    page_url = safe_link((wanted.page_url or "")[:LONGEST_PAGE_URL])
    visitor_id = sessions.new_visitor()

    def opened(session: Session) -> str:
        identity = conversations.identity_of(session, Channel.WEB, visitor_id, now=moment)
        if vouched is not None:
            customers.link_vouched(session, identity, customer_id=vouched.customer_id, email=vouched.email, now=moment)
        conversation = conversations.open_conversation(
            session, identity, language=language, now=moment, page_url=page_url
        )
        conversation.address = sessions.address_mark(address, settings.require("secret_key"))
        return conversation.public_id

    public_id = await parts.store.write(opened)
    token = parts.tokens.issue(Visitor(visitor=visitor_id, conversation=public_id))
    body = {
        "token": token,
        "conversation_id": public_id,
        "language": language,
        "shop": {"name": text_shown(parts.shop.name), "languages": list(parts.shop.languages)},
        "handoff": False,
        "telegram": request.app.state.telegram is not None,
    }
    return Json(body, status_code=201)


@router.post(
    "/messages",
    status_code=202,
    responses={
        200: {"model": schemas.Replied, "description": "With wait: the message and all replies to it."},
        202: {"model": schemas.Accepted, "description": "The message is stored; replies come over the events."},
        **schemas.errors(400, 401, 413, 422, 429, 503),
    },
)
async def say(
    request: Request,
    parts: PartsOf,
    visitor: VisitorOf,
    said: schemas.Said,
    wait: Annotated[float | None, Query(ge=0, le=60, allow_inf_nan=False)] = None,
) -> Response:
    """Stores a message of the customer's and sees to its answer."""
    if len(said.text) > LONGEST_TEXT:
        raise Refused(413, "too_long", f"A message may have {LONGEST_TEXT} characters.")
    if is_blank(said.text):
        raise Refused(422, "blank", "The message is empty.")
    await _slow_down(request, parts, visitor)
    public_id, moment = visitor.conversation, now()

    def stored(session: Session) -> tuple[Message, bool]:
        conversation = conversation_of(session, visitor)
        payload = _pressed(session, conversation, said)
        return conversations.receive(
            session,
            conversation,
            text=said.text,
            external_id=f"{public_id}:{said.client_id}",
            client_id=said.client_id,
            payload=payload,
            now=moment,
        )

    with parts.bus.listening(public_id) as subscription:
        message = await parts.relay.hear(public_id, stored)
        if not wait:
            return Json({"message": shown(message)}, status_code=202)
        replies = await _replies(parts, subscription, message, wait)
    if replies is None:
        return Json({"message": shown(message)}, status_code=202)
    return Json({"message": shown(message), "replies": replies})


async def _slow_down(request: Request, parts: Parts, visitor: Visitor) -> None:
    """Raises Refused if the visitor, their address or everybody together says too much."""
    rate = parts.settings.messages_per_minute
    await take_token(parts, "messages", visitor.visitor, rate)
    await take_token(parts, "messages_of_address", address_of(request), rate * VISITORS_PER_ADDRESS)
    await take_token(parts, "messages_in_all", "desk", rate * VISITORS_AT_ONCE)


def _pressed(session: Session, conversation: Conversation, said: schemas.Said) -> str | None:
    """The payload of the button that the message presses, if it does. Raises Refused for one that was never shown."""
    if said.payload is None and len(said.text) > LONGEST_TYPED_TITLE:
        return None
    payload = conversations.offered_payload(session, conversation, title=said.text, payload=said.payload)
    if said.payload is not None and payload is None:
        raise Refused(422, "unknown_button", "No button with this payload was shown in this conversation.")
    return payload


async def _replies(
    parts: Parts, subscription: Subscription, message: Message, seconds: float
) -> list[dict[str, Any]] | None:
    """The replies to the message's turn, or None if they do not come in time."""
    ends = time.monotonic() + seconds
    look_now = message.turn is not None
    while True:
        if look_now:
            replies = await parts.store.read(lambda session: _stored_replies(session, message.id))
            if replies is not None:
                return replies
        left = ends - time.monotonic()
        if left <= 0:
            return None
        try:
            event = await subscription.next(min(left, LOOK_AGAIN_SECONDS))
        except TooSlow:
            event = None
        except Ended:
            return None
        # Another gateway may have answered without our hearing of it: the store knows.
        look_now = event is None
        if event is not None and event.kind is Kind.ANSWERED and message.seq in event.data["lines"]:
            found: list[dict[str, Any]] = event.data["replies"]
            return found


def _stored_replies(session: Session, message_id: int) -> list[dict[str, Any]] | None:
    message = session.get(Message, message_id)
    if message is None or message.turn is None:
        return None
    return [dict(shown(reply)) for reply in conversations.replies_to(session, message)]


@router.get("/messages", responses={200: {"model": schemas.History}, **schemas.errors(401, 422, 429, 503)})
async def history(
    parts: PartsOf,
    visitor: VisitorOf,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> Response:
    """Both sides, oldest first: what came after a message, or without ``after`` the latest."""
    await take_token(parts, "reads", visitor.visitor, parts.settings.messages_per_minute * READS_PER_MESSAGE)

    def read(session: Session) -> dict[str, Any]:
        conversation = conversation_of(session, visitor)
        messages = conversations.history(session, conversation, after=after, limit=limit)
        handoff = handoff_state(session, conversation)
        return {
            "messages": [shown(message) for message in messages],
            "handoff": handoff.active,
            "owner_speaks": handoff.owner,
        }

    return Json(await parts.store.read(read))


class HandoffState(NamedTuple):
    """Whether the owner was called, and whether it is she who speaks."""

    active: bool
    owner: bool


def handoff_state(session: Session, conversation: Conversation) -> HandoffState:
    if conversation.status is not ConversationStatus.HANDED_OFF:
        return HandoffState(False, False)
    handoff = handoffs.open_handoff(session, conversation)
    return HandoffState(handoff is not None, handoff is not None and handoff.taken_at is not None)


@router.post("/typing", status_code=204, responses=schemas.errors(401, 429))
async def typing(parts: PartsOf, visitor: VisitorOf) -> Response:
    """The customer is writing: further lines may be on their way."""
    await take_token(parts, "reads", visitor.visitor, parts.settings.messages_per_minute * READS_PER_MESSAGE)
    parts.relay.typing(visitor.conversation)
    return Response(status_code=204)


@router.post("/feedback", status_code=204, responses=schemas.errors(400, 401, 413, 422, 429, 503))
async def give_feedback(parts: PartsOf, visitor: VisitorOf, scored: schemas.Scored) -> Response:
    """A score from 1 to 5 for the conversation or one of its messages."""
    await take_token(parts, "feedback", visitor.visitor, parts.settings.messages_per_minute)
    moment = now()

    def given(session: Session) -> None:
        conversation = conversation_of(session, visitor)
        if scored.message_id is not None and scored.message_id > conversation.last_seq:
            raise Refused(422, "unknown_message", "This conversation has no message with that id.")
        feedback.give(
            session,
            conversation,
            score=scored.score,
            comment=scored.comment,
            message_seq=scored.message_id,
            now=moment,
        )

    await parts.store.write(given)
    return Response(status_code=204)
