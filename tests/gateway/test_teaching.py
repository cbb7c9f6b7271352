"""Teaching by answering, as the console and the digest's links do it."""

import re

import httpx
import pytest
from sqlalchemy import select

from crm import knowledge, open_questions, owner_links, session
from crm.models import KnowledgeArticle, Lesson, LessonStatus, Message, OwnerLinkKind
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor
from tests.gateway.test_console import Console, browser, helper, owner, settings  # noqa: F401 - fixtures
from tests.gateway.test_takeover import says
from tests.support.factories import an_article

CAMELS = {"do": "answer", "language": "en", "title": "Camels", "body": "Camels wait in the yard."}


@pytest.fixture(autouse=True)
def fresh_indexes() -> None:
    knowledge.forget_indexes()


def not_understood(text: str, told: str = "") -> int:
    """Marks the customer's line as one that nothing answered; its number."""
    with session() as opened:
        message = opened.scalars(select(Message).where(Message.author == "customer", Message.text == text)).one()
        message.intent, message.language = "out_of_scope", "en"
        if told:
            answer = opened.scalars(select(Message).where(Message.author == "bot", Message.turn == message.turn)).one()
            answer.text = told
        return message.id


def looked_up(question: str) -> str | None:
    with session() as opened:
        found = knowledge.look_up(opened, question, "en", limit=1)
        return found[0].text if found and found[0].score >= knowledge.SURE else None


async def page_after(owner: Console, answer: httpx.Response) -> str:  # noqa: F811
    assert answer.status_code == 303, answer.text
    return (await owner.http.get(answer.headers["Location"])).text


async def test_an_answer_is_tried_told_and_taken_back_with_one_tap(owner: Console, park: Visitor) -> None:  # noqa: F811
    await park.hears("may I bring my camel?")
    number = not_understood("may I bring my camel?")

    taught = await owner.sends("/questions", **CAMELS, ids=str(number), questions="may I bring my camel?")

    page = await page_after(owner, taught)
    assert "Learned." in page
    assert "No right answer changes." in page
    assert looked_up("may I bring a camel") == "Camels wait in the yard."
    back = await owner.sends(taught.headers["Location"].removeprefix("/owner") + "/back")
    assert "Taken back." in await page_after(owner, back)
    assert looked_up("may I bring a camel") is None
    assert "may I bring my camel?" in (await owner.http.get("/owner/questions")).text


async def test_what_would_cost_a_right_answer_is_refused_and_shown(owner: Console, park: Visitor) -> None:  # noqa: F811
    with session() as opened:
        an_article(opened, "yard", "The yard", "Camels wait in the yard.", questions=("where do camels wait?",))
    await park.hears("where do camels wait?")
    number = not_understood("where do camels wait?", told="Camels wait in the yard.")

    taught = await owner.sends(
        "/questions",
        do="answer",
        ids=str(number),
        language="en",
        title="where do camels wait?",
        body="Camels wait here. Camels wait there.",
        questions="where do camels wait?\nwhere camels wait",
    )

    page = await page_after(owner, taught)
    assert "Not learned" in page
    assert "The yard" in page
    assert "Say it in other words" in page
    assert looked_up("where do camels wait?") == "Camels wait in the yard."
    with session() as opened:
        assert opened.scalars(select(KnowledgeArticle)).one().slug == "yard"
        assert [lesson.status for lesson in opened.scalars(select(Lesson))] == [LessonStatus.REFUSED]


async def test_an_article_that_has_the_answer_learns_the_wording(owner: Console, park: Visitor) -> None:  # noqa: F811
    with session() as opened:
        an_article(opened, "yard", "Animals", "Camels wait in the yard.", questions=("where do camels wait?",))
    await park.hears("parking for my dromedary?")
    number = not_understood("parking for my dromedary?")

    await owner.sends(
        "/questions", do="article", ids=str(number), language="en", slug="yard", questions="parking for my dromedary?"
    )

    assert looked_up("parking for a dromedary") == "Camels wait in the yard."
    gone = await owner.sends("/questions", do="article", language="en", slug="gone", questions="anything")
    assert gone.status_code == 409


async def test_the_owners_reply_in_the_conversation_is_ready_to_be_taught(
    owner: Console,  # noqa: F811
    gateway: Gateway,
    park: Visitor,
) -> None:
    await park.hears("may I bring my camel?")
    not_understood("may I bring my camel?")
    reply = await says(gateway, park, "Yes, camels wait in the yard.")

    talk = (await owner.http.get(f"/owner/conversations/{reply.conversation_id}")).text
    link = re.search(r'href="(/owner/lessons/new\?reply=\d+)"', talk)
    assert link is not None
    form = (await owner.http.get(link[1])).text
    assert "Yes, camels wait in the yard." in form
    assert "may I bring my camel?" in form
    assert "Yes, camels wait in the yard." in (await owner.http.get("/owner/questions")).text
    with session() as opened:
        (question,) = open_questions.grouped(opened, now=now())
        assert question.reply == "Yes, camels wait in the yard."


async def test_a_reply_that_answers_nothing_unknown_is_not_offered(
    owner: Console,  # noqa: F811
    gateway: Gateway,
    park: Visitor,
) -> None:
    await park.hears("hello")
    reply = await says(gateway, park, "Hello, this is the owner.")

    assert "/owner/lessons/new" not in (await owner.http.get(f"/owner/conversations/{reply.conversation_id}")).text
    assert (await owner.http.get(f"/owner/lessons/new?reply={reply.id}")).status_code == 404


async def test_the_digests_link_teaches_only_what_makes_nothing_worse(gateway: Gateway) -> None:
    with session() as opened:
        an_article(opened, "yard", "where do camels wait?", "Camels wait in the yard.", questions=("camels where",))
        token = owner_links.make(
            opened,
            OwnerLinkKind.ADD_ARTICLE,
            secret=gateway.parts.settings.require("secret_key"),
            now=now(),
            data={"questions": ["where do camels wait?", "camels where"], "language": "en"},
        )

    page = await gateway.http.post(
        f"/owner/do/{token}", data={"title": "where do camels wait? camels where", "text": "Camels wait here."}
    )

    assert "Not saved" in page.text
    assert looked_up("where do camels wait?") == "Camels wait in the yard."


async def test_lessons_are_listed_with_what_became_of_them(owner: Console, helper: Console) -> None:  # noqa: F811
    await helper.sends("/questions", **CAMELS, ids="", questions="may I bring my camel?")

    page = (await owner.http.get("/owner/lessons")).text

    assert "Camels" in page
    assert "learned" in page
    assert "mei" in page.lower()
    assert (await owner.http.get("/owner/lessons/999")).status_code == 404
    assert (await owner.sends("/lessons/1/try")).status_code == 303
