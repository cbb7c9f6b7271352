"""Complaints, quotes and feedback: what the owner has to hear about."""

from rasa_sdk.events import SlotSet

import crm
from actions import slots
from actions.anger import sounds_angry
from actions.base import DeskAction
from actions.handoff import back_at, hand_over
from actions.turn import Event, Turn
from crm import feedback, orders, products, tickets
from crm.errors import OrderNotFound
from crm.models import HandoffReason, TicketKind

CONTENT = 4  # scores from here on are thanked for, below they are regretted


class FileComplaint(DeskAction):
    """Writes the complaint down and gets the owner: nobody wants to complain to a machine."""

    def name(self) -> str:
        return "action_file_complaint"

    def act(self, turn: Turn) -> list[Event]:
        details = str(turn.slot(slots.COMPLAINT_DETAILS) or turn.text)
        number = turn.detail("order_number") or turn.slot(slots.ORDER_NUMBER) or turn.slot(slots.LAST_ORDER)
        with crm.session() as session:
            conversation = turn.conversation(session)
            order = None
            if number and not isinstance(number, list):
                try:
                    order = orders.order_of(session, conversation, str(number))
                except OrderNotFound:
                    # Unproven: the number stays in the text for the owner, and nothing is said about it.
                    order = None
            tickets.open_ticket(
                session,
                conversation,
                kind=TicketKind.COMPLAINT,
                request_key=f"{turn.request_key}:complaint",
                text=details,
                order=order,
                contact=turn.detail("email", "phone"),
                now=turn.now,
            )
        angry = sounds_angry(details)
        hand_over(turn, HandoffReason.ANGRY if angry else HandoffReason.REQUEST)
        if angry:
            turn.say("utter_handoff_angry", extra=back_at(turn))
        elif order is not None:
            turn.say("utter_complaint_filed_order", number=order.number)
        else:
            turn.say("utter_complaint_filed")
        return slots.reset(*slots.OF_A_JOB)


class RequestQuote(DeskAction):
    def name(self) -> str:
        return "action_request_quote"

    def act(self, turn: Turn) -> list[Event]:
        named = str(turn.slot(slots.PRODUCT))
        quantity = int(float(turn.slot(slots.QUANTITY)))
        contact = str(turn.slot(slots.REPLY_TO))
        with crm.session() as session:
            found = products.mentioned(session, named)
            product = found[0] if len(found) == 1 else None
            tickets.open_ticket(
                session,
                turn.conversation(session),
                kind=TicketKind.QUOTE,
                request_key=f"{turn.request_key}:quote",
                text=named,
                product=product,
                quantity=quantity,
                contact=contact,
                now=turn.now,
            )
        title = products.title_in(product, turn.language) if product is not None else named[:80]
        hand_over(turn, HandoffReason.REQUEST)
        turn.say("utter_quote_requested", title=title, quantity=quantity, contact=contact)
        return slots.reset(*slots.OF_A_JOB)


class SaveFeedback(DeskAction):
    def name(self) -> str:
        return "action_save_feedback"

    def act(self, turn: Turn) -> list[Event]:
        score = min(5, max(1, int(float(turn.slot(slots.RATING)))))
        with crm.session() as session:
            feedback.give(
                session, turn.conversation(session), score=score, comment=turn.text.strip() or None, now=turn.now
            )
        turn.say("utter_feedback_thanks" if score >= CONTENT else "utter_feedback_sorry")
        return [*slots.reset(*slots.OF_A_JOB), SlotSet(slots.FAILURES, None), SlotSet(slots.SUBJECT, "feedback_form")]
