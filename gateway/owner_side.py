"""The owner's part in conversations: she is told, she speaks, she returns them, or her silence does."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from crm import availability, handoffs, notices, preferences, returns, satisfaction, takeover
from crm.logs import safe_trace
from crm.models import Conversation, HandoffReason, Message, OwnerNoticeKind, ReturnedBy
from crm.shop import Shop
from crm.types import now as utc_now
from gateway.answering import Answering
from gateway.bus import Bus, Event, Kind
from gateway.messages import shown
from gateway.owner_notes import OwnerNotes
from gateway.relay import Relay
from gateway.store import Store
from gateway.wording import Wording

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 2.0
RARE = 15  # of so many looks, one is for what has time


class OwnerSide:
    """Every change is in the store before anybody is told of it; any gateway may make the next one."""

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        relay: Relay,
        answering: Answering,
        wording: Wording,
        shop: Shop,
        base_url: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store, self._bus, self._relay, self._answering = store, bus, relay, answering
        self._wording, self._shop, self._clock = wording, shop, clock
        self.notes = OwnerNotes(wording, shop, base_url)
        self._news = asyncio.Event()
        self.notices_waiting = asyncio.Event()
        relay.owner_side = self

    # what the owner does

    async def say(self, public_id: str, text: str, *, key: str) -> Message:
        """Her words to the customer, at once. Raises ConversationNotFound."""

        def work(session: Session) -> tuple[Message, bool]:
            return takeover.say(session, takeover.lock(session, public_id), text, key=key, now=self._clock())

        message, new = await self._store.write(work)
        if new:
            self.tell(public_id, message, owner=True)
        return message

    async def take(self, public_id: str) -> None:
        """She reads along and answers; the bot is silent. Raises ConversationNotFound."""
        await self._store.write(
            lambda session: takeover.take(session, takeover.lock(session, public_id), now=self._clock())
        )
        self._bus.publish(public_id, Event(Kind.HANDOFF, {"active": True, "owner": True}))

    async def give_back(self, public_id: str) -> None:
        """The bot speaks again, and says so. Raises ConversationNotFound."""

        def work(session: Session) -> Message | None:
            conversation = takeover.lock(session, public_id)
            line = self._wording.say("bot_is_back", conversation.language)
            return takeover.give_back(session, conversation, line=line, by=ReturnedBy.OWNER, now=self._clock())

        self.tell(public_id, await self._store.write(work), owner=False)
        self._bus.publish(public_id, Event(Kind.HANDOFF, {"active": False, "owner": False}))

    # what she is told

    def heard(self, session: Session, conversation: Conversation, lines: Sequence[Message]) -> None:
        """Called in the transaction that stores what a customer said to the owner: it is passed on to her."""
        wanted = preferences.load(session)
        who, text = self.notes.lines(session, conversation, lines, wanted)
        waits = availability.notice_not_before(wanted, self._shop, now=self._clock(), urgent=True)
        notices.pass_on(session, conversation, who, text, now=self._clock(), not_before=waits)

    def wake(self) -> None:
        """Something may have been handed over or written for her."""
        self._news.set()
        self.notices_waiting.set()

    async def watch_forever(self) -> None:
        """Announces handoffs, ends silences, asks whether a matter was settled."""
        looks = 0
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass
            woken, looks = self._news.is_set(), looks + 1
            self._news.clear()
            steps = [self._announce, self._end_silences]
            if woken or looks % RARE == 0:
                steps.append(self._ask_satisfaction)
            for work in steps:
                try:
                    await work()
                except Exception as error:
                    log.error("owner's side failed step=%s %s", work.__name__, safe_trace(error))

    async def _announce(self) -> None:
        def any_news(session: Session) -> bool:
            return bool(notices.unannounced(session, limit=1) or returns.unannounced(session, limit=1))

        if not await self._store.read(any_news):
            return
        if await self._store.write(self._write_notices):
            self.notices_waiting.set()
        await self._store.write(lambda session: notices.forget_old(session, now=self._clock()))

    def _write_notices(self, session: Session) -> int:
        written = 0
        wanted, moment = preferences.load(session), self._clock()
        for handoff in notices.unannounced(session):
            if not notices.claim_handoff(session, handoff, now=moment):
                continue
            conversation = session.get_one(Conversation, handoff.conversation_id)
            text, buttons = self.notes.handoff(session, conversation, handoff, wanted)
            urgent = handoff.reason is HandoffReason.ANGRY
            written += notices.write(
                session,
                OwnerNoticeKind.HANDOFF,
                text,
                now=moment,
                conversation=conversation,
                buttons=buttons,
                not_before=availability.notice_not_before(wanted, self._shop, now=moment, urgent=urgent),
            )
        for request in returns.unannounced(session):
            if not returns.claim(session, request, now=moment):
                continue
            conversation = session.get_one(Conversation, request.conversation_id)
            text, buttons = self.notes.return_request(session, conversation, request, wanted)
            written += notices.write(
                session,
                OwnerNoticeKind.RETURN_REQUEST,
                text,
                now=moment,
                conversation=conversation,
                buttons=buttons,
                not_before=availability.notice_not_before(wanted, self._shop, now=moment, urgent=False),
            )
        return written

    async def _end_silences(self) -> None:
        def look(session: Session) -> Sequence[str]:
            silence = timedelta(minutes=preferences.load(session).return_after_minutes)
            return takeover.fallen_silent(session, silence=silence, now=self._clock())

        for public_id in await self._store.read(look):
            said, answers, returned = await self._store.write(
                lambda session, public_id=public_id: self._end_silence(session, public_id)  # type: ignore[misc]
            )
            self.tell(public_id, said, owner=False)
            self._bus.publish(public_id, Event(Kind.HANDOFF, {"active": not returned, "owner": False}))
            if answers:
                self._relay.wake(public_id)

    def _end_silence(self, session: Session, public_id: str) -> tuple[Message | None, bool, bool]:
        """What is said, whether the bot now answers, whether the handoff is over."""
        conversation, moment = takeover.lock(session, public_id), self._clock()
        handoff = handoffs.open_handoff(session, conversation)
        silence = timedelta(minutes=preferences.load(session).return_after_minutes)
        if handoff is None or handoff.taken_at is None or (handoff.spoke_at or moment) >= moment - silence:
            return None, False, handoff is None  # another gateway was here first, or she spoke just now
        line = self._wording.say("owner_is_silent", conversation.language)
        said = takeover.let_bot_stand_in(session, conversation, line=line, now=moment)
        wanted = preferences.load(session)
        note = self.notes.returned(session, conversation, wanted, unanswered=said is not None)
        waits = availability.notice_not_before(wanted, self._shop, now=moment, urgent=False)
        notices.write(session, OwnerNoticeKind.RETURNED, note, now=moment, conversation=conversation, not_before=waits)
        self.notices_waiting.set()
        if said is not None:
            return said, True, False
        line = self._wording.say("bot_is_back", conversation.language)
        said = takeover.give_back(session, conversation, line=line, by=ReturnedBy.SILENCE, now=moment)
        return said, False, True

    async def _ask_satisfaction(self) -> None:
        moment = self._clock()
        due = await self._store.read(lambda session: satisfaction.due(session, now=moment))
        for public_id in due:
            said = await self._store.write(
                lambda session, public_id=public_id: satisfaction.ask(  # type: ignore[misc]
                    session,
                    takeover.lock(session, public_id),
                    question=lambda language: self._wording.say("ask_satisfaction", language),
                    now=moment,
                )
            )
            self.tell(public_id, said, owner=None)

    def tell(self, public_id: str, message: Message | None, *, owner: bool | None) -> None:
        """Carries a stored message to the customer's screen; ``owner`` says whether the owner speaks from now on."""
        if message is None:
            return
        self._bus.publish(public_id, Event(Kind.MESSAGE, dict(shown(message))))
        if owner:
            self._bus.publish(public_id, Event(Kind.HANDOFF, {"active": True, "owner": True}))
        outlet = self._answering.outlets.get(message.channel)
        if outlet is not None:
            outlet.deliver(message.conversation_id)
