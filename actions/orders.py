"""Orders: where one is, cancelling, changing, an invoice. The forms before made sure that it may be told."""

import re
from abc import abstractmethod
from typing import ClassVar

from rasa_sdk.events import FollowupAction, SlotSet
from sqlalchemy.orm import Session

import crm
from actions import slots
from actions.base import DeskAction
from actions.facts import arrival_window, day_range, handling_days, items_of
from actions.references import corrects
from actions.turn import Event, Turn
from actions.wording import Button
from crm import handoffs, orders, products, tickets
from crm.errors import OrderNotFound
from crm.models import Conversation, Order, OrderState, TicketKind
from crm.text import normal

DISPATCHED = (OrderState.SHIPPED, OrderState.PARTLY_SHIPPED)
# The forms that only tell something, and those after which something happens to the order.
TOLD_AGAIN = ("order_tracking_form", "refund_form")
DONE_TO_ORDERS = ("cancellation_form", "change_form", "return_form", "invoice_form")
# With a number and an address around it, a single verb can be all that a message says.
_VERBS = {
    "cancellation_form": re.compile(r"\bcancel\b|取消"),
    "refund_form": re.compile(r"\brefund(?:ed)?\b|退款|退了多少|退钱"),
    "invoice_form": re.compile(r"\binvoice\b|发票"),
}


class OrderAction(DeskAction):
    """Base of what is done with one order that the customer may know."""

    subject: ClassVar[str]  # the form that leads here

    @abstractmethod
    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        """Answers about the order. Returns the action that a plain "yes" to the answer would start."""

    def act(self, turn: Turn) -> list[Event]:
        number = str(turn.slot(slots.ORDER_NUMBER) or turn.slot(slots.LAST_ORDER) or "")
        with crm.session() as session:
            conversation = turn.conversation(session)
            try:
                order = orders.order_of(session, conversation, number)
            except OrderNotFound:
                turn.say("utter_order_not_found", number=number)
                return slots.reset(*slots.OF_A_JOB)
            offered = self.about(turn, session, conversation, order)
            orders.note_disclosure(session, conversation, order, self.name(), now=turn.now)
            told = order.number
        return [
            *slots.reset(*slots.OF_A_JOB),
            SlotSet(slots.LAST_ORDER, told),
            SlotSet(slots.SUBJECT, self.subject),
            SlotSet(slots.OFFER, offered),
        ]


class TellOrderStatus(OrderAction):
    subject = "order_tracking_form"

    def name(self) -> str:
        return "action_order_status"

    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        state = order.state
        values: dict[str, str] = {
            "number": order.number,
            "items": items_of(turn, order),
            "placed": turn.day(order.placed_at),
        }
        response = f"utter_order_{state}"
        if state is OrderState.PREPARING:
            values["handling"] = handling_days(turn)
        elif state is OrderState.SHIPPED and order.fulfilled_at is None:
            response += "_undated"
        elif state is OrderState.SHIPPED and order.fulfilled_at is not None:
            values["shipped"] = turn.day(order.fulfilled_at)
        elif state is OrderState.CANCELLED and order.cancelled_at is None:
            response += "_undated"
        elif state is OrderState.CANCELLED and order.cancelled_at is not None:
            values["cancelled"] = turn.day(order.cancelled_at)
        elif state is OrderState.REFUNDED:
            values["refunded"] = turn.amount(order.refunded_minor or order.total_minor, order.currency)
        window = arrival_window(turn, order)
        late = state in DISPATCHED and window is not None and window[1] < turn.now.date()
        if late and window is not None:
            values["latest"] = turn.day(window[1])
            response = "utter_order_overdue" if state is OrderState.SHIPPED else response
        more = self._on_the_way(turn, order, late=late) if state in DISPATCHED else []
        buttons: list[Button] = turn.buttons("utter_order_overdue", **values) if late else []
        turn.write(turn.joined([turn.phrase(response, **values), *more]), buttons=buttons, named=response)
        return "action_handoff" if late else None

    @staticmethod
    def _on_the_way(turn: Turn, order: Order, *, late: bool) -> list[str]:
        sentences = [
            turn.phrase("utter_order_tracking", tracking=shipment.tracking_number, carrier=shipment.carrier or "–")
            for shipment in order.shipments
            if shipment.tracking_number
        ]
        window = arrival_window(turn, order)
        region = turn.shop.shipping.region_for(order.country) if order.country else None
        if late:
            return sentences
        if window is not None:
            earliest, latest = turn.day(window[0]), turn.day(window[1])
            sentences.append(turn.phrase("utter_order_arrival_window", earliest=earliest, latest=latest))
        elif region is not None:
            name = region.name.in_language(turn.language)
            sentences.append(turn.phrase("utter_order_arrival", region=name, days=day_range(region.days)))
        return sentences


class CancelOrder(OrderAction):
    """Passes a cancellation on while it is still possible; the owner carries it out."""

    subject = "cancellation_form"

    def name(self) -> str:
        return "action_cancel_order"

    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        state = order.state
        if state in (OrderState.CANCELLED, OrderState.REFUNDED):
            turn.say("utter_cancel_already", number=order.number)
        elif state is OrderState.DELIVERED:
            turn.say("utter_cancel_delivered", number=order.number)
            return "return_form"
        elif state is OrderState.PARTLY_SHIPPED:
            self._ask_owner(turn, session, conversation, order)
            turn.say("utter_cancel_partly", number=order.number)
        elif state is OrderState.SHIPPED:
            turn.say("utter_cancel_too_late", number=order.number)
        else:
            self._ask_owner(turn, session, conversation, order)
            turn.say("utter_cancel_requested", number=order.number)
        return None

    @staticmethod
    def _ask_owner(turn: Turn, session: Session, conversation: Conversation, order: Order) -> None:
        tickets.open_ticket(
            session,
            conversation,
            kind=TicketKind.CANCELLATION,
            request_key=f"{turn.request_key}:cancel:{order.number}",
            text=turn.whole,
            order=order,
            now=turn.now,
        )


class ChangeOrder(OrderAction):
    """Passes a change on to the owner, late or not: only the owner can say what is still possible."""

    subject = "change_form"

    def name(self) -> str:
        return "action_change_order"

    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        if order.state in (OrderState.CANCELLED, OrderState.REFUNDED):
            turn.say("utter_change_cancelled", number=order.number)
            return None
        details = str(turn.slot(slots.CHANGE_DETAILS) or turn.whole)
        tickets.open_ticket(
            session,
            conversation,
            kind=TicketKind.ORDER_CHANGE,
            request_key=f"{turn.request_key}:change:{order.number}",
            text=details,
            order=order,
            now=turn.now,
        )
        late = order.state in (*DISPATCHED, OrderState.DELIVERED)
        turn.say(
            "utter_change_too_late" if late else "utter_change_requested",
            number=order.number,
            details=details[:160],
        )
        return None


class RequestInvoice(OrderAction):
    subject = "invoice_form"

    def name(self) -> str:
        return "action_request_invoice"

    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        tickets.open_ticket(
            session,
            conversation,
            kind=TicketKind.INVOICE,
            request_key=f"{turn.request_key}:invoice:{order.number}",
            text=turn.whole,
            order=order,
            now=turn.now,
        )
        turn.say("utter_invoice_requested", number=order.number)
        return None


class TakeDetail(DeskAction):
    """A detail given out of the blue: an order number, a product, a rating. Goes on with what it fits."""

    def name(self) -> str:
        return "action_inform"

    def act(self, turn: Turn) -> list[Event]:
        if turn.detail("order_number"):
            return [FollowupAction(self._meant(turn))]
        if turn.detail("rating"):
            return [FollowupAction("feedback_form")]
        if turn.detail("email", "phone"):
            return self._contact(turn)
        if turn.detail("budget"):
            return [FollowupAction("action_recommend")]
        if turn.slot(slots.PRODUCT_ID) is not None and self._names_a_variant(turn):
            return [FollowupAction("action_product_info")]
        return [FollowupAction("action_answer_question")]

    @staticmethod
    def _meant(turn: Turn) -> str:
        """What another order number is for. Nothing is changed on an order that was only mentioned."""
        for form, verb in _VERBS.items():
            if verb.search(normal(turn.text)):
                return form
        subject = str(turn.slot(slots.SUBJECT) or "order_tracking_form")
        if subject in TOLD_AGAIN or (subject in DONE_TO_ORDERS and corrects(turn.text, turn.intent)):
            return subject
        return "order_tracking_form"

    @staticmethod
    def _contact(turn: Turn) -> list[Event]:
        with crm.reading() as session:
            conversation = turn.conversation(session)
            with_owner = handoffs.open_handoff(session, conversation) is not None
        if with_owner and not turn.slot(slots.ORDER_NUMBER):
            turn.say("utter_contact_noted")
            return []
        return [FollowupAction("order_tracking_form")]

    @staticmethod
    def _names_a_variant(turn: Turn) -> bool:
        with crm.reading() as session:
            found = products.by_ids(session, [int(turn.slot(slots.PRODUCT_ID))])
            return bool(found) and bool(products.variants_named(found[0], turn.text))
