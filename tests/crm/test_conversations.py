"""Both sides of a conversation, as the gateway writes them down."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

import crm
from crm import conversations, handoffs
from crm.conversations import Reply, Understanding
from crm.errors import ConversationNotFound
from crm.feedback import give
from crm.models import Author, Channel, Conversation, ConversationStatus, Delivery, HandoffReason, Message
from tests.crm.conftest import NOW

LEASE = timedelta(seconds=30)


@pytest.fixture
def session(store: Engine) -> Iterator[Session]:
    with crm.session() as opened:
        yield opened


@pytest.fixture
def lin(session: Session) -> Conversation:
    """林先生, who writes Chinese in the web chat."""
    identity = conversations.identity_of(session, Channel.WEB, "lin", now=NOW)
    return conversations.open_conversation(session, identity, language="zh", now=NOW)


def says(session: Session, conversation: Conversation, text: str, external_id: str) -> Message:
    return conversations.receive(session, conversation, text=text, external_id=external_id, now=NOW)[0]


def test_an_identity_is_made_once_and_remembers_its_latest_name(session: Session) -> None:
    first = conversations.identity_of(session, Channel.TELEGRAM, "7", now=NOW, display_name="Park")
    later = conversations.identity_of(session, Channel.TELEGRAM, "7", now=NOW + LEASE, display_name="Ms Park")
    web = conversations.identity_of(session, Channel.WEB, "7", now=NOW)
    assert first is later
    assert (later.display_name, later.last_seen_at) == ("Ms Park", NOW + LEASE)
    assert web is not later


def test_a_conversation_is_found_by_its_public_id_only(session: Session, lin: Conversation) -> None:
    assert conversations.by_public_id(session, lin.public_id) is lin
    assert len(lin.public_id) >= 24
    assert conversations.latest_of(session, lin.identity) is lin
    with pytest.raises(ConversationNotFound):
        conversations.by_public_id(session, str(lin.id))


def test_a_message_delivered_twice_is_stored_once(session: Session, lin: Conversation) -> None:
    first, is_new = conversations.receive(session, lin, text="你好", external_id="m1", now=NOW)
    again, is_new_again = conversations.receive(session, lin, text="你好", external_id="m1", now=NOW)
    assert (is_new, is_new_again) == (True, False)
    assert again is first
    assert len(conversations.history(session, lin)) == 1


def test_messages_of_both_sides_are_numbered_in_order(session: Session, lin: Conversation) -> None:
    line = says(session, lin, "在吗", "m1")
    conversations.answer(session, lin, [line], [Reply("在的"), Reply("请讲")], None, now=NOW)
    says(session, lin, "我的订单", "m2")
    told = conversations.history(session, lin)
    assert [(m.seq, m.author, m.text) for m in told] == [
        (1, Author.CUSTOMER, "在吗"),
        (2, Author.BOT, "在的"),
        (3, Author.BOT, "请讲"),
        (4, Author.CUSTOMER, "我的订单"),
    ]
    assert [m.seq for m in conversations.history(session, lin, after=2)] == [3, 4]
    assert [m.seq for m in conversations.history(session, lin, limit=2)] == [3, 4]


def test_a_burst_is_one_turn_and_its_answer_belongs_to_every_line(session: Session, lin: Conversation) -> None:
    lines = [says(session, lin, text, text) for text in ("订单", "2003", "到哪了")]
    assert conversations.waiting(session, lin) == lines
    assert conversations.conversations_waiting(session) == [lin.public_id]
    understanding = Understanding(intent="track_order", confidence=0.9, language="en")
    replies = conversations.answer(session, lin, lines, [Reply("Shipped")], understanding, now=NOW)
    assert list(conversations.replies_to(session, lines[2])) == replies
    assert {line.intent for line in lines} == {"track_order"}
    assert lin.language == "en"
    assert conversations.waiting(session, lin) == []
    assert conversations.conversations_waiting(session) == []


def test_a_message_without_an_answer_has_no_replies(session: Session, lin: Conversation) -> None:
    assert conversations.replies_to(session, says(session, lin, "在吗", "m1")) == []


def test_only_one_gateway_answers_at_a_time(session: Session, lin: Conversation) -> None:
    assert conversations.take_turn(session, lin.public_id, owner="a", now=NOW, lease=LEASE)
    assert conversations.take_turn(session, lin.public_id, owner="a", now=NOW, lease=LEASE)
    assert not conversations.take_turn(session, lin.public_id, owner="b", now=NOW, lease=LEASE)
    conversations.give_back_turn(session, lin.public_id, owner="b")  # not b's to give
    assert not conversations.take_turn(session, lin.public_id, owner="b", now=NOW, lease=LEASE)
    conversations.give_back_turn(session, lin.public_id, owner="a")
    assert conversations.take_turn(session, lin.public_id, owner="b", now=NOW, lease=LEASE)


def test_a_dead_gateways_turn_is_free_when_its_lease_ends(session: Session, lin: Conversation) -> None:
    conversations.take_turn(session, lin.public_id, owner="dead", now=NOW, lease=LEASE)
    assert not conversations.take_turn(session, lin.public_id, owner="b", now=NOW + LEASE, lease=LEASE)
    assert conversations.take_turn(session, lin.public_id, owner="b", now=NOW + LEASE + LEASE, lease=LEASE)


def test_a_button_counts_only_if_it_was_shown_here(session: Session, lin: Conversation) -> None:
    card = {"title": "Tea", "buttons": [{"title": "Buy", "payload": "/product_info"}]}
    buttons = [{"title": "查订单", "payload": "/track_order"}]
    conversations.add_message(
        session, lin, Reply("您好", buttons=buttons, cards=[card]), author=Author.BOT, now=NOW
    )  # fmt: skip

    def offered(title: str, payload: str | None) -> str | None:
        return conversations.offered_payload(session, lin, title=title, payload=payload)

    assert offered("查订单", "/track_order") == "/track_order"
    assert offered("anything", "/product_info") == "/product_info"
    assert offered("查订单", None) == "/track_order"
    assert offered("查订单", "/delete_my_data") is None
    assert offered("别的", None) is None


def test_web_messages_need_no_carrying_and_telegrams_wait_for_it(session: Session, lin: Conversation) -> None:
    park = conversations.identity_of(session, Channel.TELEGRAM, "7", now=NOW)
    telegram = conversations.open_conversation(session, park, language="en", now=NOW)
    sent = [
        conversations.add_message(session, conversation, Reply("Hi"), author=Author.OWNER, now=NOW)
        for conversation in (lin, telegram)
    ]
    assert [message.delivery for message in sent] == [Delivery.NOT_NEEDED, Delivery.PENDING]


def test_a_closed_conversation_opens_when_the_customer_writes(session: Session, lin: Conversation) -> None:
    lin.status, lin.closed_at = ConversationStatus.CLOSED, NOW
    says(session, lin, "还有个问题", "m9")
    assert (lin.status, lin.closed_at) == (ConversationStatus.OPEN, None)


def test_a_handoff_is_opened_once_and_given_back(session: Session, lin: Conversation) -> None:
    first = handoffs.hand_off(session, lin, reason=HandoffReason.ASKED, summary="wants a person", now=NOW)
    again = handoffs.hand_off(session, lin, reason=HandoffReason.ANGRY, summary="angry", now=NOW)
    assert again is first
    assert lin.status is ConversationStatus.HANDED_OFF
    handoffs.give_back(session, lin, now=NOW + LEASE)
    session.flush()
    assert lin.status is ConversationStatus.OPEN
    assert first.returned_at == NOW + LEASE
    assert handoffs.open_handoff(session, lin) is None


def test_a_score_lies_between_one_and_five(session: Session, lin: Conversation) -> None:
    assert give(session, lin, score=5, now=NOW).score == 5
    with pytest.raises(ValueError, match="not between 1 and 5"):
        give(session, lin, score=6, now=NOW)
