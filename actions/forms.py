"""Forms: asking for what a job needs, one detail at a time, without losing the customer on the way.

A form asks for the next detail itself (so that nothing is asked twice), answers a question in between and goes on,
lets go when the customer wants something else, and respects a refusal.
"""

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from rasa_sdk.events import FollowupAction, SlotSet
from sqlalchemy.orm import Session

import crm
from actions import answers, requests, slots
from actions.base import DeskAction, leave_form
from actions.handoff import back_at, hand_over
from actions.interruptions import answer_in_between
from actions.knowledge import passage_for, tell
from actions.products import products_meant
from actions.references import (
    another,
    asks,
    continues,
    does_not_have,
    lets_go,
    longest_detail,
    says_nothing,
    says_what_happened,
)
from actions.topics import beyond
from actions.turn import Event, Turn
from crm import customers, orders
from crm.errors import OrderNotFound
from crm.models import HandoffReason, Order
from crm.passages import width

CONFIDENT = 0.6
LIKELY = 0.5
CERTAIN = 0.85  # to take something for a question where any words would be an answer
TOLERATED_MISSES = 2
_FEW_DIGITS = re.compile(r"(?<![\w.@+-])\d{1,6}(?![\w@-])")
_ONE_TO_FIVE = re.compile(r"(?<![\w.])[1-5](?![\w.])")
SAYS_ENOUGH = 3  # words beyond the request itself, for the opening message to count as its details
SHORT_REFUSAL = 14  # Latin letters wide; a longer "no, …" says something


@dataclass(frozen=True)
class Missing:
    """A detail that is still needed. ``said`` is true when the question was already put."""

    slot: str
    said: bool = False


def last_of(value: object) -> object:
    """The last of several values: a slot holds a list when a message brought more than one."""
    return (value[-1] if value else None) if isinstance(value, list) else value


class DeskForm(DeskAction):
    """Base of all forms' validation actions."""

    ends_turn = False
    free_text: ClassVar[frozenset[str]] = frozenset()
    keeps_numbers: ClassVar[bool] = False  # a number in a message is for this form, whatever else it sounds like

    @property
    @abstractmethod
    def form(self) -> str:
        """The form's name in domain.yml; subclasses state it as a plain class attribute."""

    def name(self) -> str:
        return f"validate_{self.form}"

    @abstractmethod
    def gather(self, turn: Turn, details: dict[str, object]) -> Missing | list[Event] | None:
        """Looks what is known. ``details`` holds the slots' values and is changed in place.

        Returns what is missing, None when the job can be done, or events that end the form early.
        """

    def act(self, turn: Turn) -> list[Event]:
        details = {name: turn.slot(name) for name in slots.OF_A_JOB}
        requested = turn.slot(slots.REQUESTED_SLOT)
        # A form that was started by another action counts as active before it has asked for anything.
        if turn.active_form != self.form or requested is None:
            if turn.foreign and not turn.pressed:
                turn.say("utter_other_language")
                return [*leave_form(), SlotSet(slots.OFFER, "action_handoff"), FollowupAction("action_listen")]
            if events := self._rather_a_question(turn):
                return events
            self.prepare(turn, details)
            return self._go_on(turn, details)
        if events := self._elsewhere(turn, requested):
            return events
        if says_nothing(turn.text) and not turn.pressed and not turn.detail("rating"):
            # "?" or "…": somebody who waits, or who did not see the question.
            return self._ask_again(turn, requested)
        if requested in self.free_text and not turn.pressed:
            if self._asks_instead(turn):
                events, understood = answer_in_between(turn)
                if understood:
                    return [*events, *self._ask_again(turn, requested)]
            details[requested] = turn.whole.strip()
            return [*self._go_on(turn, details), *requests.taken(turn, turn.later)]
        if self.brings_detail(turn, requested, details):
            return self._go_on(turn, details)
        if turn.intent == "affirm" or answers.FORMS.get(turn.intent) == self.form:
            # "Ok, one moment", or the same request once more.
            return self._ask_again(turn, requested)
        return self._in_between(turn, requested)

    def _rather_a_question(self, turn: Turn) -> list[Event]:
        """Events when what seemed to begin the job only asks: "and the candle dish?" after another product."""
        if self.form != "order_tracking_form" and turn.confidence < LIKELY and self._began_it(turn):
            return [*leave_form(), FollowupAction("action_clarify")]
        if turn.pressed or turn.slot(slots.PRODUCT_ID) is None or not continues(turn.text):
            return []
        with crm.reading() as session:
            named = bool(products_meant(turn, session))
        return [*leave_form(), FollowupAction("action_product_info")] if named else []

    def _began_it(self, turn: Turn) -> bool:
        """Whether it was this message's wording that led here, not a button, an offer or a detail."""
        begun_by = "return_or_refund" if self.form == "return_form" else None
        own = next((intent for intent, form in answers.FORMS.items() if form == self.form), begun_by)
        return turn.intent == own and not turn.pressed and not turn.detail("order_number", "email", "phone", "rating")

    def _asks_instead(self, turn: Turn) -> bool:
        """Whether words that could be the answer are a question of the customer's."""
        telling = turn.intent in ("complaint", "inform", "affirm", "deny", "change_order", "smalltalk")
        return turn.confidence >= CERTAIN and asks(turn.text) and not telling

    def prepare(self, turn: Turn, details: dict[str, object]) -> None:
        """Takes what the opening message already says."""

    def brings_detail(self, turn: Turn, requested: str, details: dict[str, object]) -> bool:
        """Whether this message gives something the form can use; puts it into ``details``."""
        return any(entity.get("entity") in ("order_number", "email", "phone") for entity in turn.entities)

    def refused(self, turn: Turn, requested: str) -> str:
        """The response to somebody who will not give the requested detail."""
        return {slots.CONTACT: "utter_no_contact_given", slots.ORDER_NUMBER: "utter_no_order_number"}.get(
            requested, "utter_job_left"
        )

    # -------------------------------------------------------------------------------------------------- inside

    def _go_on(self, turn: Turn, details: dict[str, object]) -> list[Event]:
        outcome = self.gather(turn, details)
        kept = [SlotSet(name, value) for name, value in details.items()]
        if outcome is None:
            return [*kept, SlotSet(slots.REQUESTED_SLOT, None)]
        if isinstance(outcome, list):
            return outcome
        further = requests.others(turn)
        for clause in further:
            if requests.is_question(clause):
                answer_in_between(turn.reading(clause))
        jobs = [*turn.later, *(clause for clause in further if not requests.is_question(clause))]
        if not outcome.said:
            turn.say(f"utter_need_{outcome.slot}")
        return [*kept, *requests.taken(turn, jobs), SlotSet(slots.REQUESTED_SLOT, outcome.slot)]

    def _elsewhere(self, turn: Turn, requested: str) -> list[Event]:
        """Events when the customer left for something else; empty when they stay."""
        sure = turn.pressed or turn.confidence >= CONFIDENT
        open_question = requested in self.free_text and not turn.pressed
        given = turn.detail("order_number", "email", "phone")
        if not given and lets_go(turn.text):
            return [*leave_form(), FollowupAction("action_deny")]
        refuses = turn.intent == "deny" and sure
        if open_question:
            # "I don't like it" is an answer, "no" is none.
            refuses = refuses and turn.confidence >= CERTAIN and width(turn.text) <= SHORT_REFUSAL
        if not given and (refuses or (not open_question and does_not_have(turn.text))):
            turn.say(self.refused(turn, requested))
            return [*leave_form(), SlotSet(slots.OFFER, "action_handoff"), FollowupAction("action_listen")]
        if turn.intent == "talk_to_human" and sure:
            return [*leave_form(), FollowupAction("action_handoff")]
        if turn.intent in ("delete_my_data", "stop_messages") and sure:
            return [*leave_form(), FollowupAction(answers.action_for(turn.intent))]
        if self.keeps_numbers and self.brings_detail(turn, requested, {}) and not turn.detail("order_number"):
            return []
        other = answers.FORMS.get(turn.intent)
        if turn.intent == "return_or_refund":
            other = "return_form" if self.form != "return_form" else None
        if other is None or other == self.form or not sure or open_question:
            return []
        details = [SlotSet(name, turn.slot(name)) for name in (slots.ORDER_NUMBER, slots.CONTACT, slots.JOB)]
        start = "action_return_options" if other == "return_form" else other
        return [*leave_form(), *details, FollowupAction(start)]

    @staticmethod
    def _ask_again(turn: Turn, requested: str) -> list[Event]:
        turn.say(f"utter_need_{requested}")
        # Rasa takes a form that sets nothing but the requested slot for one that could not go on.
        return [SlotSet(slots.FAILURES, None), SlotSet(slots.REQUESTED_SLOT, requested)]

    def _in_between(self, turn: Turn, requested: str) -> list[Event]:
        """Answers a question, or says that nothing was understood, and asks again."""
        events, understood = answer_in_between(turn)
        if understood:
            return [*events, *self._ask_again(turn, requested)]
        misses = int(turn.slot(slots.FAILURES) or 0) + 1
        if misses >= TOLERATED_MISSES:
            hand_over(turn, HandoffReason.NOT_UNDERSTOOD)
            turn.say("utter_handoff_not_understood", extra=back_at(turn))
            return [*leave_form(), SlotSet(slots.FAILURES, None), FollowupAction("action_listen")]
        turn.say("utter_need_clearer", f"utter_need_{requested}")
        return [SlotSet(slots.FAILURES, misses), SlotSet(slots.REQUESTED_SLOT, requested)]


class OrderForm(DeskForm):
    """A form about one order: finds out which, and makes sure that it may be told."""

    def eligible(self, turn: Turn, order: Order) -> bool:
        """Whether an order may be what the customer means when none is named."""
        return True

    def more(self, turn: Turn, details: dict[str, object]) -> Missing | None:
        """What is needed beyond the order itself."""
        return None

    def gather(self, turn: Turn, details: dict[str, object]) -> Missing | list[Event] | None:
        contact = turn.detail("email", "phone") or details.get(slots.CONTACT)
        details[slots.CONTACT] = contact
        with crm.session() as session:
            number = turn.detail("order_number") or self._known_number(turn, session, details)
            if isinstance(number, Missing):
                return number
            if not number:
                return Missing(slots.ORDER_NUMBER)
            details[slots.ORDER_NUMBER] = number
            conversation = turn.conversation(session)
            proof: orders.Proof | None = None
            try:
                orders.order_of(session, conversation, number)
            except OrderNotFound:
                if not contact:
                    return Missing(slots.CONTACT)
                proof = orders.prove(session, conversation, number, str(contact), now=turn.now)
        if proof is not None and proof.order is None:
            # Only here, when the attempt is written: getting the owner writes as well.
            return self._unproven(turn, number, exhausted=proof.exhausted)
        return self.more(turn, details)

    def _known_number(self, turn: Turn, session: Session, details: dict[str, object]) -> str | Missing | None:
        """The order that is meant although this message does not name one."""
        if details.get(slots.ORDER_NUMBER):
            return str(last_of(details[slots.ORDER_NUMBER]))
        last = turn.slot(slots.LAST_ORDER)
        if last and not another(turn.text):
            return str(last)
        known = [o for o in orders.recent_orders(session, turn.conversation(session)) if self.eligible(turn, o)]
        if last:
            known = [order for order in known if order.number != last]
        if len(known) == 1:
            return known[0].number
        if known:
            conversation = turn.conversation(session)
            customers.note_disclosure(session, conversation, known[0].customer_id, "order_numbers", now=turn.now)
            turn.say(
                "utter_which_order",
                buttons=[
                    turn.titled(f"{o.number} · {turn.day(o.placed_at)}", "inform", order_number=o.number) for o in known
                ],
            )
            return Missing(slots.ORDER_NUMBER, said=True)
        return None

    def _unproven(self, turn: Turn, number: str, *, exhausted: bool) -> Missing | list[Event]:
        if exhausted:
            hand_over(turn, HandoffReason.VERIFICATION_LIMIT)
            turn.say("utter_handoff_verification", extra=back_at(turn))
            return [*leave_form(), FollowupAction("action_listen")]
        # Said alike for a number that does not exist and for one that is somebody else's.
        turn.say("utter_order_not_found", number=orders.normal_number(number))
        return Missing(slots.CONTACT, said=True)


class ValidateOrderTracking(OrderForm):
    form = "order_tracking_form"


class ValidateCancellation(OrderForm):
    form = "cancellation_form"

    def eligible(self, turn: Turn, order: Order) -> bool:
        return order.cancelled_at is None and order.fulfilled_at is None


class ValidateRefund(OrderForm):
    form = "refund_form"


class ValidateInvoice(OrderForm):
    form = "invoice_form"


class ValidateChange(OrderForm):
    form = "change_form"
    free_text = frozenset({slots.CHANGE_DETAILS})

    def _rather_a_question(self, turn: Turn) -> list[Event]:
        """Whether something can be done to an order at all is for the articles, as long as none is named."""
        known = turn.detail("order_number", "email", "phone") or turn.slot(slots.LAST_ORDER)
        passage = passage_for(turn) if asks(turn.text) and not known else None
        if passage is None:
            return super()._rather_a_question(turn)
        tell(turn, passage)
        if beyond(turn.text, "change"):
            return [*leave_form(), SlotSet(slots.OFFER, self.form), FollowupAction("action_listen")]
        return []

    def prepare(self, turn: Turn, details: dict[str, object]) -> None:
        # "Please send 1043 to Lakeside 4 instead" says it all; "I need to change my order" does not.
        said = longest_detail(turn, at_least=6)
        details[slots.CHANGE_DETAILS] = said if said and len(beyond(said, "change")) >= SAYS_ENOUGH else None

    def more(self, turn: Turn, details: dict[str, object]) -> Missing | None:
        return None if details.get(slots.CHANGE_DETAILS) else Missing(slots.CHANGE_DETAILS)


class ValidateReturn(OrderForm):
    form = "return_form"
    free_text = frozenset({slots.RETURN_REASON})

    def prepare(self, turn: Turn, details: dict[str, object]) -> None:
        said = longest_detail(turn, at_least=6)
        details[slots.RETURN_REASON] = said if said and len(beyond(said, "return")) >= SAYS_ENOUGH else None

    def more(self, turn: Turn, details: dict[str, object]) -> Missing | None:
        return None if details.get(slots.RETURN_REASON) else Missing(slots.RETURN_REASON)


class ValidateComplaint(DeskForm):
    form = "complaint_form"
    free_text = frozenset({slots.COMPLAINT_DETAILS})

    def prepare(self, turn: Turn, details: dict[str, object]) -> None:
        details[slots.COMPLAINT_DETAILS] = turn.text.strip() if says_what_happened(turn.text) else None

    def gather(self, turn: Turn, details: dict[str, object]) -> Missing | list[Event] | None:
        return None if details[slots.COMPLAINT_DETAILS] else Missing(slots.COMPLAINT_DETAILS)


class ValidateQuote(DeskForm):
    form = "quote_form"
    keeps_numbers = True
    free_text = frozenset({slots.PRODUCT})

    def prepare(self, turn: Turn, details: dict[str, object]) -> None:
        with crm.reading() as session:
            found = products_meant(turn, session)
            details[slots.PRODUCT] = found[0].title if len(found) == 1 else None

    def brings_detail(self, turn: Turn, requested: str, details: dict[str, object]) -> bool:
        """A number is the quantity, whenever it comes: given at first, corrected, or said again."""
        said = turn.detail("quantity") or (_FEW_DIGITS.search(turn.text) or [None])[0]
        if said is not None and not turn.detail("email", "phone"):
            details[slots.QUANTITY] = int(float(said))
            return True
        return bool(turn.detail("email", "phone"))

    def _asks_instead(self, turn: Turn) -> bool:
        if turn.slot(slots.REQUESTED_SLOT) != slots.PRODUCT or turn.confidence < LIKELY:
            return False
        with crm.reading() as session:
            named = bool(products_meant(turn, session))
        return not named and (turn.intent in answers.QUESTIONS or turn.intent in answers.PLEASANTRIES)

    def gather(self, turn: Turn, details: dict[str, object]) -> Missing | list[Event] | None:
        details[slots.REPLY_TO] = turn.detail("email", "phone") or details.get(slots.REPLY_TO)
        details[slots.QUANTITY] = last_of(details[slots.QUANTITY])
        if not details[slots.REPLY_TO]:
            with crm.reading() as session:
                known = customers.customer_of(session, turn.conversation(session))
                details[slots.REPLY_TO] = (known.email or known.phone) if known else None
        return next((Missing(s) for s in (slots.PRODUCT, slots.QUANTITY, slots.REPLY_TO) if not details[s]), None)


class ValidateFeedback(DeskForm):
    form = "feedback_form"
    keeps_numbers = True

    def brings_detail(self, turn: Turn, requested: str, details: dict[str, object]) -> bool:
        rating = turn.detail("rating") or (_ONE_TO_FIVE.search(turn.text) or [None])[0]
        details[slots.RATING] = int(float(rating)) if rating else None
        return rating is not None

    def refused(self, turn: Turn, requested: str) -> str:
        return "utter_feedback_words"

    def gather(self, turn: Turn, details: dict[str, object]) -> Missing | list[Event] | None:
        details[slots.RATING] = last_of(details.get(slots.RATING))
        return None if details[slots.RATING] else Missing(slots.RATING)
