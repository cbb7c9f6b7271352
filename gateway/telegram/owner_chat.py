"""The owner's own chat with the bot: pairing, answering customers by replying, buttons under the notices."""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from telegram import Bot, CallbackQuery, Update
from telegram import Message as TelegramMessage
from telegram.error import TelegramError

from crm import notices, opening, owners, preferences, suggestions, takeover
from crm.models import Channel, Conversation, OwnerNoticeKind
from crm.shop import Shop
from crm.types import now as utc_now
from gateway.owner_notes import callback
from gateway.owner_side import OwnerSide
from gateway.store import Store
from gateway.texts import clean, is_blank
from gateway.wording import Wording

log = logging.getLogger(__name__)
# A message without reply belongs to the one conversation in hand, if that was handed over not too long ago.
IN_HAND_FOR = timedelta(days=2)
QUIET_FOR = timedelta(hours=12)
_PAIRING = re.compile(r"/start(?:@\w+)?\s+([A-HJ-NP-Z2-9]{10})", re.IGNORECASE)
_PRESS = re.compile(r"o:(take|back|send):(\d{1,15})")
LONGEST_TEXT = 4_000


class OwnerChat:
    def __init__(
        self,
        bot: Bot,
        store: Store,
        owner_side: OwnerSide,
        wording: Wording,
        shop: Shop,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._bot, self._store, self._owner_side = bot, store, owner_side
        self._wording, self._shop, self._clock = wording, shop, clock

    async def takes(self, update: Update) -> bool:
        """Whether the update was the owner's, and is dealt with."""
        query = update.callback_query
        if query is not None:
            chat = str(query.message.chat.id) if query.message is not None else ""
            if not _PRESS.fullmatch(query.data or "") or not await self._is_owner(chat):
                return False
            await self._take_press(query, chat)
            return True
        message = update.message or update.edited_message
        if message is None or message.chat.type != "private":
            return False
        chat = str(message.chat.id)
        code = _PAIRING.fullmatch((message.text or "").strip())
        if code is not None and await self._pair(code[1], chat):
            return True
        if not await self._is_owner(chat):
            return False
        if update.message is not None:
            await self._take_message(update.message, chat)
        return True

    async def _is_owner(self, chat: str) -> bool:
        return await self._store.read(lambda session: owners.is_owner(session, Channel.TELEGRAM, chat))

    async def _pair(self, code: str, chat: str) -> bool:
        def work(session: Session) -> bool:
            paired = owners.pair(session, code, channel=Channel.TELEGRAM, external_id=chat, now=self._clock())
            if paired:
                self._note(session, chat, "note_paired")
                notices.announce_again(session)
            return paired

        paired = await self._store.write(work)
        if paired:
            log.info("a Telegram chat is the owner's now")
            self._owner_side.wake()
        return paired

    async def _take_message(self, message: TelegramMessage, chat: str) -> None:
        text = clean(message.text or "")
        if text.startswith("/"):
            await self._take_command(text.split()[0].split("@")[0], chat)
        elif is_blank(text) or len(text) > LONGEST_TEXT:
            await self._tell(chat, "note_text_only")
        else:
            replied = message.reply_to_message.message_id if message.reply_to_message is not None else None
            await self._pass_on(text, chat, replied, key=f"tg:{chat}:{message.message_id}")

    async def _take_command(self, command: str, chat: str) -> None:
        if command == "/unpair":
            await self._tell(chat, "note_unpaired")
            await self._store.write(lambda session: owners.unpair(session, channel=Channel.TELEGRAM, external_id=chat))
        elif command == "/quiet":
            await self._be_quiet(chat)
        else:
            await self._tell(chat, "note_paired")

    async def _be_quiet(self, chat: str) -> None:
        hours = opening.hours_of(self._shop)
        moment = self._clock()
        until = hours.opens_at(moment + QUIET_FOR, self._shop.zone) if hours is not None else moment + QUIET_FOR

        def work(session: Session) -> None:
            wanted = preferences.load(session)
            preferences.save(session, wanted.model_copy(update={"away_until": until}), now=moment)

        await self._store.write(work)
        await self._tell(chat, "note_quiet", until=f"{until.astimezone(self._shop.zone):%Y-%m-%d %H:%M}")

    async def _pass_on(self, text: str, chat: str, replied: int | None, *, key: str) -> None:
        """The owner's words to the customer they are meant for."""

        def find(session: Session) -> tuple[str | None, bool]:
            if replied is not None:
                conversation = notices.conversation_of_reply(session, chat, replied)
            else:
                conversation = notices.conversation_in_hand(session, chat, since=self._clock() - IN_HAND_FOR)
            if conversation is None:
                return None, False
            return conversation.public_id, takeover.is_held(session, conversation)

        public_id, held = await self._store.read(find)
        if public_id is None:
            await self._tell(chat, "note_which")
            return
        await self._owner_side.say(public_id, text, key=key)
        if not held:
            await self._confirm_taken(chat, public_id)

    async def _take_press(self, query: CallbackQuery, chat: str) -> None:
        found = _PRESS.fullmatch(query.data or "")
        assert found is not None
        what, number = found[1], int(found[2])
        public_id = await self._store.read(lambda session: _public_id(session, number))
        if public_id is not None:
            if what == "take":
                await self._owner_side.take(public_id)
                await self._confirm_taken(chat, public_id)
            elif what == "back":
                await self._owner_side.give_back(public_id)
                await self._tell_about(chat, public_id, "note_given_back")
            else:
                await self._send_suggestion(chat, public_id, key=f"cb:{query.id}")
        try:
            await self._bot.answer_callback_query(query.id)
        except TelegramError as error:
            log.info("press not confirmed error=%s", type(error).__name__)

    async def _send_suggestion(self, chat: str, public_id: str, *, key: str) -> None:
        def suggested(session: Session) -> list[str]:
            return suggestions.suggest(session, takeover.lock(session, public_id))

        found = await self._store.write(suggested)
        if not found:
            await self._tell_about(chat, public_id, "note_no_suggestion")
            return
        await self._owner_side.say(public_id, found[0], key=key)
        await self._confirm_taken(chat, public_id)

    async def _confirm_taken(self, chat: str, public_id: str) -> None:
        await self._tell_about(chat, public_id, "note_taken", may_return=True)

    async def _tell_about(self, chat: str, public_id: str, name: str, *, may_return: bool = False) -> None:
        def work(session: Session) -> None:
            conversation = takeover.lock(session, public_id)
            language = self._owner_side.notes.language(preferences.load(session))
            who = self._owner_side.notes.who(session, conversation, language)
            back = {"title": self._wording.say("note_back", language), "data": callback("back", conversation)}
            notices.write(
                session,
                OwnerNoticeKind.ANSWER,
                self._wording.say(name, language, who=who),
                now=self._clock(),
                conversation=conversation,
                buttons=[back] if may_return else None,
                chat_id=chat,
            )

        await self._store.write(work)
        self._owner_side.wake()

    async def _tell(self, chat: str, name: str, **values: str) -> None:
        await self._store.write(lambda session: self._note(session, chat, name, **values))
        self._owner_side.wake()

    def _note(self, session: Session, chat: str, name: str, **values: str) -> None:
        language = self._owner_side.notes.language(preferences.load(session))
        text = self._wording.say(name, language, **values)
        notices.write(session, OwnerNoticeKind.ANSWER, text, now=self._clock(), chat_id=chat)


def _public_id(session: Session, number: int) -> str | None:
    conversation = session.get(Conversation, number)
    return conversation.public_id if conversation is not None else None
