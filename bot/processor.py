"""Rasa's message processor and agent, with the waste of every turn left out. bot/README.md has the figures."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.agent import Agent
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.core.exceptions import AgentNotReady
from rasa.core.nlg import NaturalLanguageGenerator
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import TrackerStore
from rasa.engine import loader
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecutionRejected, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.data import TrainingType
from rasa.utils.endpoints import EndpointConfig

from bot.clauses import clauses_of
from bot.entities import REQUESTED_SLOT
from bot.graph import PlainGraphRunner
from bot.meanwhile import events_of

log = logging.getLogger(__name__)

# What is remembered of the ranking; the rest is never asked for and would be stored and sent with every turn.
RANKING_KEPT = 5
# Of the several requests in one message, these are worth an answer of their own.
SURE = 0.5
LONGEST_HEARD = 2_000
REQUESTS = frozenset(
    "track_order cancel_order change_order return_or_refund refund_status delivery_info payment_info invoice_request "
    "product_info product_availability recommend_products discount_info complaint talk_to_human contact_info "
    "quote_request warranty_info account_data delete_my_data stop_messages".split()
)


class DeskProcessor(MessageProcessor):
    @staticmethod
    def _load_model(model_path: str | Path) -> tuple[str, ModelMetadata, PlainGraphRunner]:
        with TemporaryDirectory() as folder:
            metadata, runner = loader.load_predict_graph_runner(
                Path(folder), Path(model_path), LocalModelStorage, PlainGraphRunner
            )
        return Path(model_path).name, metadata, runner

    async def answer(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        """The rest of Rasa's `handle_message`, once the tracker is there and the message is understood."""
        await self._handle_message_with_tracker(message, tracker)
        if self.model_metadata.training_type != TrainingType.NLU:
            tracker = await self.run_action_extract_slots(message.output_channel, tracker)
            await self._run_prediction_loop(message.output_channel, tracker)
        await self.save_tracker(tracker)

    def _parse_message_with_graph(
        self, message: UserMessage, tracker: DialogueStateTracker, only_output_properties: bool = True
    ) -> dict[str, Any]:
        # Tells the detail extractor what a form is asking for, on a copy: the customer's message stays as it came.
        asked = UserMessage(
            message.text,
            sender_id=message.sender_id,
            message_id=message.message_id,
            metadata={**(message.metadata or {}), REQUESTED_SLOT: _requested_slot(tracker)},
        )
        parsed = super()._parse_message_with_graph(asked, tracker, only_output_properties)
        if tracker is not None:
            self._note_other_requests(message, parsed)
        parsed["intent_ranking"] = parsed.get("intent_ranking", [])[:RANKING_KEPT]
        parsed.pop("text_tokens", None)
        parsed.pop("metadata", None)
        return parsed

    def _note_other_requests(self, message: UserMessage, parsed: dict[str, Any]) -> None:
        """Finds what else a message asks for; the actions read it from the metadata field `also`."""
        found = [(clause, self._clause(clause)) for clause in clauses_of(message.text or "")]
        requests = [(c, p) for c, p in found if p["intent"]["name"] in REQUESTS and p["intent"]["confidence"] >= SURE]
        if not requests:
            return
        intents = [understood["intent"]["name"] for _, understood in requests]
        if parsed["intent"]["name"] not in intents:
            # Together they read as neither: the first of them is the main one.
            parsed["intent"], parsed["intent_ranking"] = requests[0][1]["intent"], requests[0][1]["intent_ranking"]
        main = intents.index(parsed["intent"]["name"])
        also = [
            {
                "intent": understood["intent"]["name"],
                "confidence": understood["intent"]["confidence"],
                "text": clause,
                "entities": understood["entities"],
            }
            for number, (clause, understood) in enumerate(requests)
            if number != main
        ]
        if also:
            message.metadata = {**(message.metadata or {}), "also": also}

    def _clause(self, text: str) -> dict[str, Any]:
        return super()._parse_message_with_graph(UserMessage(text), None, True)

    async def _run_action(
        self,
        action: Action,
        tracker: DialogueStateTracker,
        output_channel: OutputChannel,
        nlg: NaturalLanguageGenerator,
        prediction: PolicyPrediction,
    ) -> bool:
        try:
            # As in Rasa: a copy, because a rejection must leave no trace of the policy's events.
            seen = tracker.copy() if prediction.events else tracker
            seen.update_with_events(prediction.events, self.domain)
            events: list[Event] = await action.run(output_channel, nlg, seen, self.domain)
        except ActionExecutionRejection:
            tracker.update(ActionExecutionRejected(action.name(), prediction.policy_name, prediction.max_confidence))
            return self.should_predict_another_action(action.name())
        except Exception as error:
            # Rasa would log the whole error, and an action server's error repeats the conversation word for word.
            log.error(
                "action failed action=%s sender=%s error=%s", action.name(), tracker.sender_id, type(error).__name__
            )
            note_failure(output_channel, action.name())
            events = []
        self._log_action_on_tracker(tracker, action, events, prediction)
        if any(isinstance(event, UserUttered) for event in events or []):
            tracker = await self.run_action_extract_slots(output_channel, tracker)
        await self.execute_side_effects(events or [], tracker, output_channel)
        return self.should_predict_another_action(action.name())


def note_failure(output_channel: OutputChannel, action: str) -> None:
    failed = getattr(output_channel, "failed_actions", None)
    if failed is not None:
        failed.append(action)


def _requested_slot(tracker: DialogueStateTracker | None) -> str | None:
    if tracker is None or not tracker.slots or "requested_slot" not in tracker.slots:
        return None
    value = tracker.slots["requested_slot"].value
    return value if isinstance(value, str) else None


class DeskAgent(Agent):
    @staticmethod
    def _create_tracker_store(store: TrackerStore | EndpointConfig | None, domain: Domain) -> TrackerStore:
        # Rasa wraps the store in one that goes on in memory when it fails: the customer's details would be lost
        # without a word. Ours fails the call, and the gateway tries again.
        return TrackerStore.create(store, domain)

    def load_model(self, model_path: str | Path, fingerprint: str | None = None) -> None:
        self.processor = DeskProcessor(
            model_path=model_path,
            tracker_store=self.tracker_store,
            lock_store=self.lock_store,
            action_endpoint=self.action_endpoint,
            generator=self.nlg,
        )
        self.domain = self.processor.domain
        self._set_fingerprint(fingerprint)
        self.tracker_store.domain = self.domain
        if isinstance(self.nlg, TemplatedNaturalLanguageGenerator):
            self.nlg.responses = self.domain.responses

    async def converse(self, message: UserMessage) -> dict[str, Any]:
        """Handles a message, answers through its output channel, and returns how it was understood."""
        processor = self._ready_processor()
        async with self.lock_store.lock(message.sender_id):
            tracker = await processor.fetch_tracker_and_update_session(
                message.sender_id, message.output_channel, message.metadata
            )
            for event in await self._meanwhile(message):
                if not isinstance(event, SlotSet) or event.key in tracker.slots:
                    tracker.update(event, processor.domain)
            message.parse_data = await processor.parse_message(message, tracker)
            await processor.answer(message, tracker)
        return message.parse_data

    async def _meanwhile(self, message: UserMessage) -> list[Event]:
        """What the owner and the customer said to each other while the bot was not asked."""
        lines = (message.metadata or {}).pop("meanwhile", None)
        lines = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
        if not lines:
            return []
        heard = []
        for author in ("owner", "customer"):
            said = "\n".join(str(line.get("text", "")) for line in lines if line.get("author") == author)
            found = (await self.understand(said[-LONGEST_HEARD:]))["entities"] if said else []
            # Whose order it is can only be proven by the customer, not by what the owner writes.
            heard += [one for one in found if author == "customer" or one.get("entity") not in ("email", "phone")]
        return events_of(lines, heard)

    async def understand(self, text: str) -> dict[str, Any]:
        return await self._ready_processor().parse_message(UserMessage(text))

    def _ready_processor(self) -> DeskProcessor:
        if not isinstance(self.processor, DeskProcessor):
            raise AgentNotReady("the model is not loaded")
        return self.processor
