"""What the shop knows about somebody, and their say in it."""

import re

from rasa_sdk.events import FollowupAction, SlotSet

import crm
from actions import slots
from actions.base import DeskAction
from actions.handoff import hand_over
from actions.turn import Event, Turn
from crm import customers, tickets
from crm.models import HandoffReason, TicketKind
from crm.text import normal

_OWN_ORDERS = re.compile(
    r"\b(?:what|which).{0,20} (?:did|have|had|do) i (?:order|bought|buy|purchase)|\border history\b|"
    r"\bmy (?:past |previous |other )?orders\b|"
    r"我(?:都)?买[了过]?(?:什么|哪些|啥)|历史订单|订单记录|购买记录|我的订单有|我有哪些订单|我下过"
)


class TellAccountData(DeskAction):
    """Tells a proven customer what is stored, addresses masked; a stranger hears only of this conversation."""

    def name(self) -> str:
        return "action_account_data"

    def act(self, turn: Turn) -> list[Event]:
        if turn.slot(slots.JOB) == "copy":
            return _open(turn, TicketKind.DATA_EXPORT, "utter_account_copy_requested")
        if _OWN_ORDERS.search(normal(turn.text)):
            return [FollowupAction("order_tracking_form")]
        with crm.reading() as session:
            conversation = turn.conversation(session)
            known = customers.known_about(session, conversation)
            linked = conversation.identity.customer_id is not None
        messages = turn.counted("messages", known.messages)
        none = turn.phrase("utter_word_none")
        offer = turn.phrase("utter_account_data_offer")
        if linked:
            text = turn.phrase(
                "utter_account_data",
                name=known.name or none,
                email=customers.masked(known.email) or none,
                phone=customers.masked(known.phone) or none,
                orders=turn.counted("orders", known.orders),
                messages=messages,
                marketing=turn.phrase("utter_word_on" if known.accepts_marketing else "utter_word_off"),
            )
        else:
            days = turn.shop.privacy.retention_days
            text = turn.phrase("utter_account_data_stranger", messages=messages, days=days)
        turn.write(turn.joined([text, offer]), buttons=turn.buttons("utter_account_data_offer"))
        return []


class DeleteMyData(DeskAction):
    """Asks once, then registers the request; the owner carries it out."""

    def name(self) -> str:
        return "action_delete_my_data"

    def act(self, turn: Turn) -> list[Event]:
        confirmed = turn.slot(slots.JOB) in ("confirmed", "asked")
        if confirmed:
            return [*_open(turn, TicketKind.DATA_DELETION, "utter_deletion_requested"), SlotSet(slots.JOB, None)]
        turn.say("utter_ask_delete_confirm")
        return [SlotSet(slots.OFFER, self.name()), SlotSet(slots.JOB, "asked")]


class StopMessages(DeskAction):
    def name(self) -> str:
        return "action_stop_messages"

    def act(self, turn: Turn) -> list[Event]:
        with crm.session() as session:
            customers.stop_marketing(session, turn.conversation(session), wording=turn.text, now=turn.now)
        turn.say("utter_marketing_stopped")
        return []


def _open(turn: Turn, kind: TicketKind, response: str) -> list[Event]:
    with crm.session() as session:
        tickets.open_ticket(
            session,
            turn.conversation(session),
            kind=kind,
            request_key=f"{turn.request_key}:{kind}",
            text=turn.text,
            now=turn.now,
        )
    hand_over(turn, HandoffReason.REQUEST)
    turn.say(response)
    return slots.reset(slots.JOB)
