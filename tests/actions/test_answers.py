import pytest
from sqlalchemy import select

import crm
from actions.anger import sounds_angry, vents
from actions.forms import ValidateComplaint, ValidateFeedback, ValidateQuote
from actions.handoff import HandOff
from actions.knowledge import Affirm, AnswerQuestion, Clarify
from actions.orders import TakeDetail
from actions.privacy import StopMessages, TellAccountData
from actions.products import Recommend, TellAvailability, TellProductInfo
from actions.returns import OfferReturn
from actions.service import FileComplaint, RequestQuote, SaveFeedback
from actions.shop_info import TellContact, TellDelivery, TellDiscounts, TellPayment
from crm import conversations, handoffs, orders, revisions
from crm.models import (
    Consent,
    Feedback,
    Handoff,
    HandoffReason,
    Product,
    ShownRecommendation,
    StockWait,
    Ticket,
    TicketKind,
    Variant,
)
from tests.actions.conftest import NOW, Chat


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("how much is the celadon gaiwan", "en", "S$42.00"),
        ("celadn gaiwen price?", "en", "S$42.00"),
        ("青瓷盖碗多少钱", "zh", "42"),
        ("青瓷蓋碗多少錢", "zh", "42"),
        ("盖碗怎么卖", "zh", "42"),
    ],
)
async def test_a_product_is_found_in_both_languages_and_misspelt(chat: Chat, text: str, language: str, expected: str):
    answer = await chat.hears(TellProductInfo(), text, intent="product_info", language=language)
    assert expected in answer.text


async def test_stock_is_told_as_it_is(chat: Chat):
    gone = await chat.hears(TellAvailability(), "do you have the Smoky Lapsang?", intent="product_availability")
    assert "out of stock" in gone.text
    assert [card["title"] for card in gone.cards] == ["Jasmine Pearls"]
    few = await chat.hears(TellAvailability(), "青瓷盖碗有货吗", intent="product_availability", language="zh")
    assert "仅剩 3 件" in few.text


async def test_who_asks_for_what_is_sold_out_is_remembered_once(chat: Chat):
    for _ in range(2):
        await chat.hears(TellAvailability(), "do you have the Smoky Lapsang?", intent="product_availability")
    await chat.hears(TellAvailability(), "青瓷盖碗有货吗", intent="product_availability", language="zh")

    with crm.reading() as session:
        wait = session.scalars(select(StockWait)).one()
        assert "Lapsang" in session.get_one(Product, wait.product_id).title


async def test_that_one_means_the_product_talked_about(chat: Chat):
    await chat.hears(TellProductInfo(), "how much is the bamboo scoop", intent="product_info")
    answer = await chat.hears(TellAvailability(), "and is it in stock?", intent="product_availability")
    assert "Bamboo Tea Scoop" in answer.text
    other = await chat.hears(TellAvailability(), "do you have umbrellas?", intent="product_availability")
    assert "Bamboo" not in other.text


async def test_a_product_added_a_minute_ago_is_found(chat: Chat):
    await chat.hears(TellProductInfo(), "how much is the walnut tray", intent="product_info")
    with crm.session() as session:
        tray = Product(
            source="test", external_id="tray", title="Walnut Tray 胡桃木托盘", title_en="Walnut Tray",
            title_zh="胡桃木托盘", created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        tray.variants.append(Variant(price_minor=5500, currency="SGD", inventory=2))
        session.add(tray)
        revisions.bump(session, revisions.CATALOGUE)
    answer = await chat.hears(TellProductInfo(), "how much is the walnut tray", intent="product_info")
    assert "S$55.00" in answer.text


async def test_recommendations_go_with_what_was_named_and_say_why(chat: Chat):
    answer = await chat.hears(Recommend(), "what goes with jasmine pearls?", intent="recommend_products")
    assert answer.cards[0]["title"] == "Bamboo Tea Scoop"
    assert "Often bought with Jasmine Pearls" in answer.cards[0]["subtitle"]
    assert "Smoky Lapsang" not in [card["title"] for card in answer.cards]
    with crm.reading() as session:
        shown = session.scalars(select(ShownRecommendation).order_by(ShownRecommendation.rank)).all()
        assert [item.rank for item in shown] == list(range(1, len(answer.cards) + 1))


async def test_recommendations_keep_to_the_budget(chat: Chat):
    answer = await chat.hears(Recommend(), "a gift under 20", intent="recommend_products", budget=20)
    assert answer.cards
    assert "Celadon Gaiwan" not in [card["title"] for card in answer.cards]
    assert "S$20" in answer.text


async def test_what_was_just_bought_is_not_recommended(chat: Chat):
    with crm.session() as session:
        conversation = conversations.by_public_id(session, chat.public_id)
        assert orders.prove(session, conversation, "2003", "park@example.com", now=NOW).order is not None
    answer = await chat.hears(Recommend(), "what should I buy next", intent="recommend_products")
    titles = [card["title"] for card in answer.cards]
    assert titles
    assert not {"Jasmine Pearls", "Bamboo Tea Scoop"} & set(titles)


async def test_the_control_group_is_answered_with_what_sells_and_looking_closer_is_noted(chat: Chat, monkeypatch):
    monkeypatch.setattr("crm.shown_recommendations.CONTROL_SHARE", 1.0)
    with crm.session() as session:
        conversation = conversations.by_public_id(session, chat.public_id)
        assert orders.prove(session, conversation, "2003", "park@example.com", now=NOW).order is not None
    answer = await chat.hears(Recommend(), "what should I buy next", intent="recommend_products")
    assert answer.cards
    assert not any("bought with" in card["subtitle"] for card in answer.cards)
    with crm.reading() as session:
        shown = session.scalars(select(ShownRecommendation).order_by(ShownRecommendation.rank)).all()
        assert {item.personal for item in shown} == {False}
        product_id = shown[0].product_id
    await chat.hears(TellProductInfo(), "", intent="product_info", product_id=str(product_id))
    with crm.reading() as session:
        clicked = session.scalars(select(ShownRecommendation).where(ShownRecommendation.clicked_at.is_not(None))).all()
        assert [item.product_id for item in clicked] == [product_id]


async def test_delivery_names_the_place_its_days_and_costs(chat: Chat):
    answer = await chat.hears(TellDelivery(), "寄新加坡要几天", intent="delivery_info", language="zh")
    assert "2–3" in answer.text
    assert "5.00" in answer.text
    overview = await chat.hears(TellDelivery(), "how long does shipping take", intent="delivery_info")
    assert "8–14 days" in overview.text
    assert "S$60" in overview.text


async def test_shop_facts_come_from_the_shops_file(chat: Chat):
    assert "PayNow" in (await chat.hears(TellPayment(), "how can I pay", intent="payment_info")).text
    contact = await chat.hears(TellContact(), "几点开门", intent="contact_info", language="zh")
    assert "hello@lakehouse.example.com" in contact.text
    assert "周一至周五" in contact.text


async def test_a_fact_the_shop_does_not_state_is_not_made_up(chat: Chat):
    answer = await chat.hears(TellDiscounts(), "any student discount?", intent="discount_info")
    assert "owner" in answer.text
    assert answer.slot("offer") == "action_handoff"
    assert (await chat.hears(Affirm(), "yes", intent="affirm")).next_action == "action_handoff"


async def test_an_article_answers_a_question_outside_the_intents(chat: Chat):
    answer = await chat.hears(AnswerQuestion(), "how hot should the water be for green tea", intent="out_of_scope")
    assert "80 °C" in answer.text
    assert "How to brew" in answer.text


async def test_unsure_it_asks_with_readable_buttons_then_gets_a_person(chat: Chat):
    ranking = [{"name": "track_order", "confidence": 0.3}, {"name": "delivery_info", "confidence": 0.25}]
    first = await chat.hears(Clarify(), "the thing with the thing", intent="nlu_fallback", ranking=ranking)
    assert [button["title"] for button in first.buttons][:2] == ["Where is my order?", "Shipping times and costs"]
    assert first.buttons[0]["payload"] == "/track_order"
    second = await chat.hears(Clarify(), "no the other thing", intent="nlu_fallback", ranking=ranking)
    assert "asked the owner" in second.text
    with crm.reading() as session:
        assert session.scalars(select(Handoff.reason)).one() is HandoffReason.NOT_UNDERSTOOD


async def test_being_understood_in_between_starts_the_count_anew(chat: Chat):
    await chat.hears(Clarify(), "blorp", intent="nlu_fallback")
    await chat.hears(TellPayment(), "how can I pay", intent="payment_info")
    again = await chat.hears(Clarify(), "blorp", intent="nlu_fallback")
    assert "owner to answer" not in again.text


async def test_another_language_is_answered_honestly(chat: Chat):
    answer = await chat.hears(AnswerQuestion(), "Где мой заказ?", intent="out_of_scope", seen="other")
    assert "English and Chinese" in answer.text


async def test_a_person_is_fetched_once_with_a_summary(chat: Chat):
    with crm.session() as session:
        conversation = conversations.by_public_id(session, chat.public_id)
        conversations.receive(session, conversation, text="my cup came broken", external_id="1", now=NOW)
    first = await chat.hears(HandOff(), "a human please", intent="talk_to_human")
    assert "owner" in first.text
    assert "Mon-Fri" in first.text
    second = await chat.hears(HandOff(), "human!!", intent="talk_to_human")
    assert "already knows" in second.text
    with crm.reading() as session:
        handoff = session.scalars(select(Handoff)).one()
        assert "my cup came broken" in handoff.summary


async def test_a_complaint_is_written_down_and_reaches_the_owner(chat: Chat):
    said = "my bowl arrived in pieces, this is unacceptable!!"
    await chat.hears(ValidateComplaint(), said, intent="complaint")
    answer = await chat.hears(FileComplaint(), said, intent="complaint")
    assert "really sorry" in answer.text
    with crm.reading() as session:
        assert session.scalars(select(Ticket)).one().text == said
        assert session.scalars(select(Handoff.reason)).one() is HandoffReason.ANGRY


async def test_a_bare_complaint_is_asked_about(chat: Chat):
    asked = await chat.hears(ValidateComplaint(), "I want to complain", intent="complaint")
    assert asked.slot("requested_slot") == "complaint_details"


@pytest.mark.parametrize("text", ["THIS IS A TOTAL DISGRACE OF A SHOP", "你们就是骗子", "worst shop ever"])
def test_anger_is_heard(text: str):
    assert sounds_angry(text)


@pytest.mark.parametrize(("text", "language"), [("你们什么破店！！", "zh"), ("what a ridiculous joke of a shop", "en")])
async def test_venting_gets_the_owner_and_no_article(chat: Chat, text: str, language: str):
    answer = await chat.hears(AnswerQuestion(), text, intent="out_of_scope", language=language)

    assert answer.text
    with crm.reading() as session:
        assert session.scalars(select(Handoff.reason)).one() is HandoffReason.ANGRY


@pytest.mark.parametrize("text", ["有垃圾袋吗", "do you sell useless gadgets?", "能刻字吗！！"])
def test_a_question_is_no_venting(text: str):
    assert not vents(text)


@pytest.mark.parametrize("text", ["my order is late", "请问什么时候发货", "OK THX"])
def test_calm_words_are_not_anger(text: str):
    assert not sounds_angry(text)


async def test_a_quote_needs_product_quantity_and_address(chat: Chat):
    asked = await chat.hears(ValidateQuote(), "price for many gaiwans?", intent="quote_request")
    assert asked.slot("product") == "Celadon Gaiwan 青瓷盖碗"
    assert asked.slot("requested_slot") == "quantity"
    chat.form, chat.slots["requested_slot"] = "quote_form", "quantity"
    asked = await chat.hears(ValidateQuote(), "50", intent="inform")
    assert asked.slot("requested_slot") == "reply_to"
    chat.slots["requested_slot"] = "reply_to"
    await chat.hears(ValidateQuote(), "buyer@example.com", intent="inform", email="buyer@example.com")
    done = await chat.hears(RequestQuote(), "buyer@example.com", intent="inform")
    assert "50 × Celadon Gaiwan" in done.text
    with crm.reading() as session:
        ticket = session.scalars(select(Ticket)).one()
        assert (ticket.kind, ticket.quantity, ticket.contact) == (TicketKind.QUOTE, 50, "buyer@example.com")


async def test_feedback_is_kept(chat: Chat):
    asked = await chat.hears(ValidateFeedback(), "I'd like to rate you", intent="give_feedback")
    assert asked.slot("requested_slot") == "rating"
    await chat.hears(ValidateFeedback(), "5 stars", intent="inform", rating=5)
    done = await chat.hears(SaveFeedback(), "5 stars", intent="inform")
    assert "glad" in done.text
    with crm.reading() as session:
        assert session.scalars(select(Feedback.score)).all() == [5]


async def test_a_stranger_hears_only_of_the_conversation(chat: Chat):
    answer = await chat.hears(TellAccountData(), "what do you know about me", intent="account_data")
    assert "not linked" in answer.text


async def test_a_proven_customer_hears_what_is_stored_with_addresses_masked(chat: Chat):
    with crm.session() as session:
        conversation = conversations.by_public_id(session, chat.public_id)
        orders.prove(session, conversation, "2003", "park@example.com", now=NOW)
    answer = await chat.hears(TellAccountData(), "what do you know about me", intent="account_data")
    assert "Ms Park" in answer.text
    assert "2 orders" in answer.text
    assert "park@example.com" not in answer.text


async def test_marketing_stops_and_the_wish_is_recorded(chat: Chat):
    await chat.hears(StopMessages(), "退订", intent="stop_messages", language="zh")
    with crm.reading() as session:
        consent = session.scalars(select(Consent)).one()
        assert (consent.granted, consent.wording) == (False, "退订")


async def test_asking_about_returns_tells_the_policy_and_wanting_one_starts_it(chat: Chat):
    policy = await chat.hears(OfferReturn(), "can I return opened tea?", intent="return_or_refund")
    assert "14 days" in policy.text
    assert policy.slot("offer") == "return_form"
    wanted = await chat.hears(OfferReturn(), "我想退货", intent="return_or_refund", language="zh")
    assert wanted.next_action == "return_form"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"order_number": "2003"}, "order_tracking_form"),
        ({"rating": 4}, "feedback_form"),
        ({"budget": 50}, "action_recommend"),
    ],
)
async def test_a_detail_out_of_the_blue_goes_where_it_fits(chat: Chat, details: dict[str, object], expected: str):
    assert (await chat.hears(TakeDetail(), "x", **details)).next_action == expected


async def test_when_an_action_breaks_the_customer_hears_so_and_the_owner_knows(chat: Chat, monkeypatch):
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("actions.products.products_meant", broken)
    answer = await chat.hears(TellProductInfo(), "how much is the gaiwan", intent="product_info")
    assert "can't look that up right now" in answer.text
    assert "disk" not in answer.text
    with crm.reading() as session:
        conversation = conversations.by_public_id(session, chat.public_id)
        assert handoffs.open_handoff(session, conversation).reason is HandoffReason.DESK_DOWN
