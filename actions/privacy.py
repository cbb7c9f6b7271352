"""What the shop knows about somebody, and their say in it."""

import re

from rasa_sdk.events import FollowupAction, SlotSet

import crm
from actions import desk, slots
from actions.base import DeskAction
from actions.handoff import hand_over
from actions.turn import Event, Turn
from crm import customers, links, privacy, tickets
from crm.models import HandoffReason, LinkPurpose, TicketKind
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
            return self._copy(turn)
        if _OWN_ORDERS.search(normal(turn.text)):
            return [FollowupAction("order_tracking_form")]
        with crm.session() as session:
            conversation = turn.conversation(session)
            known = customers.known_about(session, conversation)
            customer_id = conversation.identity.customer_id
            linked = customer_id is not None
            if linked:
                customers.note_disclosure(session, conversation, customer_id, self.name(), now=turn.now)
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

    @staticmethod
    def _copy(turn: Turn) -> list[Event]:
        """A link to all of it, for whoever is talking: a proven customer's records, a stranger's own conversation."""
        with crm.session() as session:
            conversation = turn.conversation(session)
            token = links.make(session, conversation, LinkPurpose.EXPORT, now=turn.now)
            identity = conversation.identity
            customers.note_disclosure(session, conversation, identity.customer_id, "export_link", now=turn.now)
        minutes = int(links.LASTS.total_seconds() // 60)
        turn.say("utter_account_copy_link", link=desk.link(f"my-data/{token}"), minutes=minutes)
        return slots.reset(slots.JOB)


class DeleteMyData(DeskAction):
    """Asks once, then forgets them; while an order is on its way, the owner carries it out."""

    def name(self) -> str:
        return "action_delete_my_data"

    def act(self, turn: Turn) -> list[Event]:
        confirmed = turn.slot(slots.JOB) in ("confirmed", "asked")
        if confirmed:
            return self._forget(turn)
        turn.say("utter_ask_delete_confirm")
        return [SlotSet(slots.OFFER, self.name()), SlotSet(slots.JOB, "asked")]

    def _forget(self, turn: Turn) -> list[Event]:
        with crm.reading() as session:
            needed = privacy.still_needed(session, privacy.of_conversation(session, turn.conversation(session)))
        if needed:
            return [*_open(turn, TicketKind.DATA_DELETION, "utter_deletion_requested"), SlotSet(slots.JOB, None)]
        with crm.session() as session:
            conversation = turn.conversation(session)
            receipt = privacy.erase(
                session,
                privacy.of_conversation(session, conversation),
                asked_by="customer",
                now=turn.now,
                answering=conversation,
            )
        turn.say("utter_deletion_done", receipt=receipt.pseudonym, day=turn.day(receipt.erased_at))
        return slots.reset(*slots.OF_A_JOB, slots.LAST_ORDER, slots.SUBJECT, slots.OFFER, slots.JOB)


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
