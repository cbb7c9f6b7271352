"""What customers send on Telegram: stored first, and only then confirmed to Telegram."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from telegram import Bot, CallbackQuery, Update
from telegram import Message as TelegramMessage
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from crm import conversations, links
from crm.links import LinkGone
from crm.logs import safe_trace
from crm.models import Channel, Conversation, Identity, Message
from crm.types import now
from gateway.limits import Limiter, Rate
from gateway.relay import Relay
from gateway.store import Store
from gateway.telegram.bot import seconds_to_wait
from gateway.telegram.commands import EXPIRED, HUMAN, HUMAN_PAYLOAD, LINKED, command_in, token_in, words_of
from gateway.telegram.numbers import Numbers
from gateway.telegram.owner_chat import OwnerChat
from gateway.telegram.rendering import all_buttons, read_key
from gateway.texts import clean, is_blank, supported_language

log = logging.getLogger(__name__)
ALLOWED_UPDATES = ("message", "edited_message", "callback_query")
POLL_SECONDS = 25
BURST_SECONDS = 0.35
LONGEST_HOLD_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0
MOST_KNOWN_CHATS = 10_000


@dataclass(frozen=True)
class _Chat:
    """A private chat: the customer's address here, and who writes."""

    address: str
    name: str
    language: str


class Receiver:
    def __init__(
        self,
        bot: Bot,
        store: Store,
        relay: Relay,
        limiter: Limiter,
        owner_chat: OwnerChat,
        numbers: Numbers,
        *,
        per_minute: int,
        default_language: str,
        consent: Callable[[str], str],
    ) -> None:
        self._consent = consent
        self._bot, self._store, self._relay, self._limiter = bot, store, relay, limiter
        self._owner_chat, self._numbers = owner_chat, numbers
        self._rate, self._default_language = Rate(per_minute), default_language
        self._known: OrderedDict[str, str] = OrderedDict()
        self._background: set[asyncio.Task[None]] = set()

    async def poll_forever(self) -> None:
        """Takes updates in order. The next question confirms the last ones, and each was stored before it."""
        offset: int | None = None
        pause = 1.0
        while True:
            try:
                updates = await self._bot.get_updates(
                    offset=offset, timeout=POLL_SECONDS, allowed_updates=list(ALLOWED_UPDATES)
                )
                pause = 1.0
            except InvalidToken:
                log.error(
                    "Telegram does not accept DESK_TELEGRAM_TOKEN any more; the web chat goes on without Telegram."
                )
                return
            except TelegramError as error:
                if isinstance(error, Conflict):
                    log.warning("another program is polling with the same Telegram token")
                else:
                    log.warning("telegram gives no updates error=%s", type(error).__name__)
                await asyncio.sleep(seconds_to_wait(error) if isinstance(error, RetryAfter) else pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
                continue
            for update in updates:
                await self._take_surely(update)
                offset = update.update_id + 1

    async def _take_surely(self, update: Update) -> None:
        """Tries until the store takes it: confirming an update that is not stored would lose it."""
        pause = 0.5
        while True:
            try:
                await self.take(update)
            except SQLAlchemyError as error:
                log.error("update not stored yet update=%d %s", update.update_id, safe_trace(error))
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            except Exception as error:
                # An update that cannot be understood must not hold up all that come after it.
                log.error("update skipped update=%d %s", update.update_id, safe_trace(error))
                return
            else:
                return

    async def take(self, update: Update) -> None:
        """Stores what the update brings. Telegram repeats an update until it is confirmed: once is enough here."""
        if update.message is not None and update.message.chat.type == "private":
            self._numbers.heard(update.message.message_id)
        if await self._owner_chat.takes(update):
            return
        if update.message is not None:
            await self._take_message(update.message)
        elif update.edited_message is not None:
            await self._take_correction(update.edited_message)
        elif update.callback_query is not None:
            await self._take_press(update.callback_query)

    async def _take_message(self, message: TelegramMessage) -> None:
        chat = self._chat_of(message)
        if chat is None:
            return
        text = clean(words_of(message))
        command, token = command_in(text), token_in(text)
        if command is not None:
            # What follows /start in a link may be a secret of the link's; it is not kept.
            text = f"/{command}"
        if is_blank(text):
            return
        external_id = f"{chat.address}:{message.message_id}"
        payload = HUMAN_PAYLOAD if command == HUMAN else None
        public_id = await self._conversation(chat)

        def receive(session: Session) -> tuple[Message, bool]:
            conversation = conversations.by_public_id(session, public_id)
            pressed = payload or conversations.offered_payload(session, conversation, title=text, payload=None)
            said = f"{text} {self._follow(session, conversation, external_id, token)}" if token else text
            return conversations.receive(
                session, conversation, text=said, external_id=external_id, payload=pressed, now=now()
            )

        # Whoever writes faster than allowed is answered later and in one go; nothing is refused.
        wait = await self._limiter.wait_for(f"telegram:{chat.address}", self._rate)
        hold = max(BURST_SECONDS, min(LONGEST_HOLD_SECONDS, wait))
        await self._relay.hear(public_id, receive, hold_seconds=hold)

    def _follow(self, session: Session, conversation: Conversation, external_id: str, token: str) -> str:
        """Joins this account with the web visitor who was shown the link; returns how that ended."""
        if conversations.is_known(session, Channel.TELEGRAM, external_id):
            return LINKED  # Telegram repeats itself; what was stored the first time stands
        account = session.get_one(Identity, conversation.identity_id)
        try:
            links.continue_on(session, token, account, wording=self._consent, now=now())
        except LinkGone:
            return EXPIRED
        return LINKED

    async def _take_correction(self, message: TelegramMessage) -> None:
        chat = self._chat_of(message)
        if chat is None:
            return
        text = clean(words_of(message))
        public_id = await self._conversation(chat)
        external_id = f"{chat.address}:{message.message_id}"
        corrected = not is_blank(text) and not self._relay.is_asking(public_id)
        if corrected:
            corrected = await self._store.write(
                lambda session: conversations.correct(session, Channel.TELEGRAM, external_id, text)
            )
        if not corrected:
            log.info("an edit came after the answer conversation=%s", public_id)

    async def _take_press(self, query: CallbackQuery) -> None:
        shown = query.message
        key = read_key(query.data)
        chat = self._chat_of(shown, sender=query.from_user) if shown is not None else None
        if chat is not None and key is not None:
            public_id = await self._conversation(chat)
            button = await self._store.read(lambda session: _button(session, public_id, *key))
            if button is not None:
                title, payload = button

                def receive(session: Session) -> tuple[Message, bool]:
                    conversation = conversations.by_public_id(session, public_id)
                    return conversations.receive(
                        session, conversation, text=title, external_id=f"cb:{query.id}", payload=payload, now=now()
                    )

                await self._relay.hear(public_id, receive)
        self._later(self._confirm_press(query))

    async def _confirm_press(self, query: CallbackQuery) -> None:
        try:
            await self._bot.answer_callback_query(query.id)
            if query.message is not None and isinstance(query.message, TelegramMessage):
                await self._bot.edit_message_reply_markup(
                    chat_id=query.message.chat.id, message_id=query.message.message_id, reply_markup=None
                )
        except TelegramError as error:
            log.info("press not confirmed error=%s", type(error).__name__)

    def _chat_of(self, message: Any, sender: Any = None) -> _Chat | None:
        """The private chat a message is in; groups and other bots are not customers."""
        sender = sender or message.from_user
        if message.chat.type != "private" or sender is None or sender.is_bot:
            log.info("ignored a message outside a private chat")
            return None
        language = supported_language(sender.language_code, self._default_language)
        return _Chat(address=str(message.chat.id), name=clean(sender.full_name)[:200], language=language)

    async def _conversation(self, chat: _Chat) -> str:
        """The chat's one conversation, opened with its first message."""
        known = self._known.get(chat.address)
        if known is None:
            known = await self._store.write(lambda session: _conversation_of(session, chat))
            self._known[chat.address] = known
            if len(self._known) > MOST_KNOWN_CHATS:
                self._known.popitem(last=False)
        return known

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def stop(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


def _conversation_of(session: Session, chat: _Chat) -> str:
    moment = now()
    identity = conversations.identity_of(session, Channel.TELEGRAM, chat.address, now=moment, display_name=chat.name)
    conversation = conversations.latest_of(session, identity)
    if conversation is None:
        conversation = conversations.open_conversation(session, identity, language=chat.language, now=moment)
    return conversation.public_id


def _button(session: Session, public_id: str, message_id: int, index: int) -> tuple[str, str] | None:
    """Title and payload of a button, if it was shown in this very conversation."""
    message = session.get(Message, message_id)
    if message is None or session.get_one(Conversation, message.conversation_id).public_id != public_id:
        return None
    buttons = all_buttons(message)
    return (buttons[index]["title"], buttons[index]["payload"]) if index < len(buttons) else None
