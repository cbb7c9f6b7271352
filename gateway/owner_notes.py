"""What the owner reads on Telegram, put together from wording.toml in her language."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from crm import briefing, money, suggestions
from crm.briefing import Briefing
from crm.models import Author, Conversation, Handoff, Message, ReturnRequest
from crm.preferences import Preferences
from crm.shop import Shop
from gateway.wording import Wording

LONGEST_LINE = 400
MOST_ITEMS = 5
LONGEST_SUGGESTION = 700


def callback(what: str, conversation: Conversation) -> str:
    """What a button of the owner's sends back."""
    return f"o:{what}:{conversation.id}"


class OwnerNotes:
    def __init__(self, wording: Wording, shop: Shop, base_url: str) -> None:
        self._say, self._shop, self._base_url = wording.say, shop, base_url
        self._knows = wording.sentences

    def language(self, wanted: Preferences) -> str:
        return wanted.language or self._shop.digest_language

    def who(self, session: Session, conversation: Conversation, language: str) -> str:
        name = briefing.name_of(session, conversation)
        return name or self._say("note_visitor", language, number=str(conversation.identity_id))

    def handoff(
        self, session: Session, conversation: Conversation, handoff: Handoff, wanted: Preferences
    ) -> tuple[str, list[dict[str, Any]]]:
        """Text and buttons that announce a handoff."""
        language = self.language(wanted)
        told = briefing.brief(session, conversation, handoff)
        channel = self._say(f"note_channel_{conversation.channel.value}", language)
        parts = [
            f"🔔 {self.who(session, conversation, language)} · {channel}",
            self._say(f"note_reason_{handoff.reason.value}", language),
            self._facts(told, language),
            "",
            *self._lines(told.lines, language),
        ]
        buttons = [
            {"title": self._say("note_take", language), "data": callback("take", conversation)},
            {"title": self._say("note_open", language), "url": self.link(conversation)},
        ]
        suggested = suggestions.suggest(session, conversation)[:1]
        if suggested:
            parts += ["", self._say("note_suggestion", language), suggested[0][:LONGEST_SUGGESTION]]
            buttons.insert(1, {"title": self._say("note_send", language), "data": callback("send", conversation)})
        parts += ["", self._say("note_how", language)]
        return "\n".join(part for part in parts if part is not None), buttons

    def return_request(
        self, session: Session, conversation: Conversation, request: ReturnRequest, wanted: Preferences
    ) -> tuple[str, list[dict[str, Any]]]:
        """Text and buttons that say what somebody wants to send back."""
        language, order = self.language(wanted), request.order
        total = money.show(order.total_minor, order.currency, language)
        lines = (
            f"↩️ {self.who(session, conversation, language)}",
            self._say("note_return", language, number=order.number, total=total),
            *(f"• {line.title} × {line.quantity}" for line in order.lines[:MOST_ITEMS]),
            f"▸ {request.reason[:LONGEST_LINE]}",
        )
        url = f"{self._base_url}/owner/returns#return-{request.id}"
        return "\n".join(lines), [{"title": self._say("note_decide", language), "url": url}]

    def lines(
        self, session: Session, conversation: Conversation, lines: Sequence[Message], wanted: Preferences
    ) -> tuple[str, str]:
        """Who speaks, and what they say, while the owner holds the conversation."""
        who = self.who(session, conversation, self.language(wanted))
        return f"💬 {who}", "\n".join(line.text[:LONGEST_LINE] for line in lines)

    def returned(self, session: Session, conversation: Conversation, wanted: Preferences, *, unanswered: bool) -> str:
        language = self.language(wanted)
        name = "note_bot_stands_in" if unanswered else "note_returned"
        return self._say(name, language, who=self.who(session, conversation, language))

    def link(self, conversation: Conversation) -> str:
        return f"{self._base_url}/owner/conversations/{conversation.id}"

    def _facts(self, told: Briefing, language: str) -> str | None:
        facts = []
        if told.about and f"intent_{told.about}" in self._knows:
            facts.append(self._say(f"intent_{told.about}", language))
        for order in told.orders:
            state = self._say(f"state_{order.state.value if order.state else 'unproven'}", language)
            facts.append(self._say("note_order", language, number=order.number, state=state))
        facts.append(self._say(f"mood_{told.mood.value}", language))
        return " · ".join(facts)

    def _lines(self, lines: Sequence[Message], language: str) -> list[str]:
        signs = {Author.CUSTOMER: "▸", Author.BOT: self._say("note_bot", language), Author.OWNER: "✎"}
        return [f"{signs[line.author]} {line.text[:LONGEST_LINE]}" for line in lines if line.text.strip()]
