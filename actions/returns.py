"""Returns and exchanges: the policy, registering one, and what became of it and of the money."""

import re
from datetime import timedelta

from rasa_sdk.events import FollowupAction, SlotSet
from sqlalchemy.orm import Session

from actions import slots
from actions.base import DeskAction
from actions.knowledge import passage_for
from actions.orders import OrderAction
from actions.topics import beyond
from actions.turn import Event, Turn
from crm import knowledge, returns, tickets
from crm.models import Conversation, FinancialStatus, Order, OrderState, ReturnRequest, ReturnStatus, TicketKind
from crm.text import normal

_ASKS_ABOUT_POLICY = re.compile(
    r"\b(can i|could i|is it possible|do you (accept|take|allow|offer)|how (long|many days|do|does|can)|policy|"
    r"what if|returnable|who pays|allowed|conditions?|rules?)\b|能退|能不能|可以退|可不可以|可以换|能换|几天|多少天|"
    r"多久|政策|规定|条件|运费谁|谁出|怎么退|如何退|怎么换|如何换|怎样|支持|无理由|吗|嗎|么$"
)
_DAMAGED = re.compile(
    r"\b(?:broken?|cracked|crack|damaged|shattered|smashed|leak(?:ed|ing|s)|torn|faulty|defective|chipped)\b|"
    r"碎|裂|摔坏|坏了|破损|破了|漏|有瑕疵|烂"
)
_OWN_ORDER = re.compile(
    r"\b(my (order|parcel|package)|i (want|would like|need|wish) to (return|exchange|send)|i'd like to|"
    r"send (it|this|them) back|i bought|start a return)\b|"
    r"我要退|我想退|想退|要退|申请退|帮我退|我要换|想换|要换|退了吧|买的|我的订单|收到的"
)

_STANDS = {
    ReturnStatus.REQUESTED: "utter_return_waits",
    ReturnStatus.APPROVED: "utter_return_approved",
    ReturnStatus.RECEIVED: "utter_return_received",
    ReturnStatus.REFUNDED: "utter_return_refunded",
    ReturnStatus.DECLINED: "utter_return_declined",
}


def return_policy(turn: Turn) -> str:
    """The shop's rule in one or two sentences; empty when it states none."""
    rules = turn.shop.returns
    if rules is None or rules.days is None:
        return ""
    conditions = rules.conditions.in_language(turn.language) if rules.conditions else ""
    if conditions:
        return turn.phrase("utter_return_policy", days=rules.days, conditions=conditions.rstrip("。. "))
    return turn.phrase("utter_return_policy_days", days=rules.days)


def tell_return(turn: Turn, order: Order, request: ReturnRequest) -> str | None:
    """How a return stands, with the line that the shop added. Returns what a plain "yes" would start."""
    note = turn.phrase("utter_return_note", note=request.decision_note) if request.decision_note else ""
    turn.say(_STANDS[request.status], number=order.number, extra=note)
    return "action_handoff" if request.status is ReturnStatus.DECLINED else None


class OfferReturn(DeskAction):
    """Tells the policy to who asks about it; starts the form for who wants to send something back."""

    def name(self) -> str:
        return "action_return_options"

    def act(self, turn: Turn) -> list[Event]:
        said = normal(turn.text)
        about_own = bool(turn.detail("order_number")) or bool(_OWN_ORDER.search(said))
        asks = bool(_ASKS_ABOUT_POLICY.search(said)) or said.rstrip().endswith("?")
        if _DAMAGED.search(said):
            turn.say("utter_sorry_damaged")
        if turn.slot(slots.JOB) == "return" or (about_own and not asks) or turn.detail("order_number"):
            return [FollowupAction("return_form")]
        if not asks and not turn.pressed:
            return [FollowupAction("return_form")]
        self._tell_rules(turn)
        return [SlotSet(slots.OFFER, "return_form")]

    @staticmethod
    def _tell_rules(turn: Turn) -> None:
        """One answer: the shop's rule, or the article's passage that answers this very question better."""
        policy = return_policy(turn)
        general = bool(policy) and not beyond(turn.text, "return")
        passage = (
            None
            if general
            else passage_for(turn, at_least=knowledge.FITS_BETTER if policy else knowledge.FITS_THE_TOPIC)
        )
        rule = passage.text if passage is not None else policy
        offer = turn.phrase("utter_return_offer")
        text = f"{rule}\n{offer}" if passage is not None else turn.joined([rule, offer])
        turn.write(text, buttons=turn.buttons("utter_return_offer"), named="utter_return_policy")


class RequestReturn(OrderAction):
    subject = "return_form"

    def name(self) -> str:
        return "action_request_return"

    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        state = order.state
        if state in (OrderState.CANCELLED, OrderState.REFUNDED):
            turn.say("utter_return_cancelled", number=order.number)
        elif state in (OrderState.PREPARING, OrderState.AWAITING_PAYMENT):
            turn.say("utter_return_not_shipped", number=order.number)
            return "cancellation_form"
        elif (known := returns.latest(session, order)) is not None:
            return tell_return(turn, order, known)
        else:
            returns.ask(
                session,
                conversation,
                order,
                request_key=f"{turn.request_key}:return:{order.number}",
                reason=str(turn.slot(slots.RETURN_REASON) or turn.text),
                now=turn.now,
            )
            if self._too_late(turn, order):
                turn.say("utter_return_too_late", number=order.number, days=turn.shop.returns.days)
            else:
                turn.say("utter_return_requested", number=order.number, extra=return_policy(turn))
        return None

    @staticmethod
    def _too_late(turn: Turn, order: Order) -> bool:
        """Counted from the latest day the parcel can have arrived, in the customer's favour."""
        rules = turn.shop.returns
        if rules is None or rules.days is None or order.fulfilled_at is None:
            return False
        region = turn.shop.shipping.region_for(order.country) if order.country else None
        travel = region.days[1] if region is not None else 14
        return order.fulfilled_at + timedelta(days=travel + rules.days) < turn.now


class TellRefundStatus(OrderAction):
    subject = "refund_form"

    def name(self) -> str:
        return "action_refund_status"

    def about(self, turn: Turn, session: Session, conversation: Conversation, order: Order) -> str | None:
        amount = turn.amount(order.refunded_minor or order.total_minor, order.currency)
        if order.financial_status is FinancialStatus.REFUNDED:
            turn.say("utter_refund_done", number=order.number, amount=amount)
        elif order.refunded_minor:
            turn.say("utter_refund_partly", number=order.number, amount=amount)
        elif order.state is OrderState.CANCELLED:
            turn.say("utter_refund_cancelled", number=order.number)
            # Money may be owed: that is for the owner to see, not for a bot to judge.
            session.flush()
            tickets.open_ticket(
                session,
                conversation,
                kind=TicketKind.COMPLAINT,
                request_key=f"{turn.request_key}:refund:{order.number}",
                text=turn.whole,
                order=order,
                now=turn.now,
            )
        elif (known := returns.latest(session, order)) is not None:
            return tell_return(turn, order, known)
        else:
            turn.say("utter_refund_none", number=order.number)
            return "action_handoff"
        return None
