"""What is said to a turn: by the bot, by the channel itself, or as an apology when the bot cannot."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from crm import satisfaction, turns
from crm.conversations import Reply, Understanding
from crm.models import Channel, Message
from gateway.bus import Bus, Event, Kind
from gateway.messages import reply_from
from gateway.metrics import Metrics
from gateway.rasa_client import NoAnswer, RasaClient
from gateway.texts import language_of
from gateway.wording import Wording

log = logging.getLogger(__name__)
LONGEST_TURN = 8_000


class Outlet(Protocol):
    """A channel that has to be called to reach the customer."""

    def typing(self, address: str) -> None: ...

    def deliver(self, conversation_id: int) -> None: ...

    def own_answer(self, lines: Sequence[Message], language: str) -> list[Reply] | None:
        """The answer to lines that the bot need not see; None for all others."""
        ...

    def stands_alone(self, line: Message) -> bool:
        """Whether the line must not be joined with others."""
        ...

    def as_typed(self, line: Message) -> str:
        """The line's words without the channel's own notes."""
        ...


@dataclass(frozen=True)
class TurnAnswer:
    """What is said to a turn. ``needs_owner`` is the summary for the owner when the bot could not answer."""

    replies: list[Reply]
    understanding: Understanding | None = None
    needs_owner: str | None = None
    outcome: str = "answered"


class Answering:
    def __init__(self, *, bus: Bus, rasa: RasaClient, wording: Wording, metrics: Metrics) -> None:
        self._bus, self._rasa, self._wording, self._metrics = bus, rasa, wording, metrics
        self.outlets: dict[Channel, Outlet] = {}

    def joined(self, turn: turns.Turn) -> list[Message]:
        """The lines that make one turn: a burst in full, but a pressed button or a command only by itself."""
        outlet = self.outlets.get(turn.channel)
        taken: list[Message] = []
        length = 0
        for line in turn.lines:
            alone = line.payload is not None or (outlet is not None and outlet.stands_alone(line))
            length += len(line.text) + 1
            if taken and (alone or length > LONGEST_TURN):
                break
            taken.append(line)
            if alone:
                break
        return taken

    async def answer(self, turn: turns.Turn, lines: Sequence[Message]) -> TurnAnswer:
        """The bot's answer, the channel's own, or an apology; never none and never two."""
        outlet = self.outlets.get(turn.channel)
        if satisfaction.score_in(lines[0].payload) is not None:
            thanks = Reply(text=self._wording.say("thanks_for_score", turn.language), language=turn.language)
            return TurnAnswer([thanks], outcome="own_answer")
        if outlet is not None:
            own = outlet.own_answer(lines, turn.language)
            if own is not None:
                return TurnAnswer(own, outcome="own_answer")
            if turn.address is not None:
                outlet.typing(turn.address)
        text = "\n".join(outlet.as_typed(line) if outlet else line.text for line in lines)
        self._bus.publish(turn.public_id, Event(Kind.TYPING, {"author": "bot", "on": True}))
        began = time.perf_counter()
        try:
            answer = await self._ask(turn, text, lines[0].payload)
        except NoAnswer as failure:
            log.warning("no answer conversation=%s turn=%d kind=%s", turn.public_id, turn.number, failure.kind)
            self._metrics.errors.labels(f"rasa_{failure.kind}").inc()
            answer = self._apology(turn, text)
        finally:
            self._metrics.rasa_seconds.observe(time.perf_counter() - began)
            self._bus.publish(turn.public_id, Event(Kind.TYPING, {"author": "bot", "on": False}))
        return answer

    async def _ask(self, turn: turns.Turn, text: str, payload: str | None) -> TurnAnswer:
        """Raises NoAnswer."""
        metadata: dict[str, Any] = {
            "turn_id": f"{turn.public_id}:{turn.number}",
            "conversation_id": turn.public_id,
            "channel": turn.channel.value,
            "language": turn.language,
        }
        if turn.unheard:
            # The bot was not asked meanwhile; it hears now what it needs to go on from where the owner left.
            metadata["meanwhile"] = [{"author": m.author.value, "text": m.text} for m in turn.unheard]
        answer = await self._rasa.turn(turn.public_id, text, payload, metadata)
        if answer.failed_actions:
            raise NoAnswer("action_failed")
        visible: list[Reply] = []
        for raw in answer.replies:
            reply = reply_from(raw, language=turn.language)
            # Who asks the same twice in one breath is answered once.
            if reply is not None and reply not in visible:
                visible.append(reply)
        if not visible:
            raise NoAnswer("empty")
        return TurnAnswer(visible, answer.understanding)

    def _apology(self, turn: turns.Turn, text: str) -> TurnAnswer:
        language = language_of(text, turn.language)
        sorry = Reply(text=self._wording.say("desk_down", language), language=language)
        summary = self._wording.say("owner_summary", language, text=text[:500])
        return TurnAnswer([sorry], needs_owner=summary, outcome="apology")
