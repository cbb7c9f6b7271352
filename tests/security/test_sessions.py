"""Getting into somebody's conversation: forged, changed, old and borrowed tokens, and asking for what is another's."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from itsdangerous import Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from sqlalchemy import func, select

import crm
from crm.models import Author, Conversation, Feedback, Message
from gateway.sessions import TOKEN_DAYS, sign_identity
from tests.gateway.conftest import Gateway, Visitor
from tests.support.fake_rasa import FakeRasa

KEY = "a key for the tests"
SALT = "desk web session"
SHA256 = {"digest_method": hashlib.sha256}
CALLS = [
    ("GET", "messages", None),
    ("POST", "messages", {"text": "I am you", "client_id": "forged"}),
    ("GET", "events", None),
    ("POST", "feedback", {"score": 1}),
    ("POST", "typing", None),
    ("POST", "telegram", None),
]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwt(algorithm: str, claims: object, key: bytes = b"") -> str:
    head = b64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + "." + b64(json.dumps(claims).encode())
    return head + "." + (b64(hmac.new(key, head.encode(), hashlib.sha256).digest()) if key else "")


class At(TimestampSigner):
    """Signs as if it were then."""

    shift = 0

    def get_timestamp(self) -> int:
        return int(time.time()) + self.shift


def signed_at(shift: int, content: object) -> str:
    signer = type("Shifted", (At,), {"shift": shift})
    return str(URLSafeTimedSerializer(KEY, salt=SALT, signer=signer, signer_kwargs=SHA256).dumps(content))


def forgeries(token: str, conversation: str) -> dict[str, str]:
    """Made by somebody who knows the conversation's name and holds a good token of their own, but not the key."""
    payload, stamp, signature = token.split(".")
    content = ["somebody", conversation]
    named = b64(json.dumps(content).encode())
    raw = base64.urlsafe_b64decode(signature + "==")
    return {
        "another conversation under my signature": f"{named}.{stamp}.{signature}",
        "no signature": f"{named}.{stamp}.",
        "no signature and no dot": f"{named}.{stamp}",
        "the payload alone": named,
        "the signature first": f"{signature}.{stamp}.{named}",
        "an empty payload": f".{stamp}.{signature}",
        "a later time": f"{payload}.{b64((int(time.time()) + 99).to_bytes(4, 'big'))}.{signature}",
        "no time": f"{payload}.{signature}",
        "one bit changed": f"{payload}.{stamp}.{b64(bytes([raw[0] ^ 1]) + raw[1:])}",
        "half a signature": f"{payload}.{stamp}.{signature[:20]}",
        "signature of zeros": f"{payload}.{stamp}.{b64(bytes(32))}",
        "another key": str(URLSafeTimedSerializer("guess", salt=SALT, signer_kwargs=SHA256).dumps(content)),
        "an empty key": str(URLSafeTimedSerializer(" ", salt=SALT, signer_kwargs=SHA256).dumps(content)),
        "the key with another salt": str(URLSafeTimedSerializer(KEY, signer_kwargs=SHA256).dumps(content)),
        "the key for the owner's cookie": str(URLSafeSerializer(KEY, "desk owner session").dumps(content)),
        "the weaker digest": str(URLSafeTimedSerializer(KEY, salt=SALT).dumps(content)),
        "the key without deriving": Signer(KEY, salt=SALT, key_derivation="none").sign(f"{named}.{stamp}").decode(),
        "an identity of the shop's": sign_identity({"customer_id": "1", "exp": time.time() + 60}, KEY),
        "JWT without a signature": jwt("none", {"visitor": "somebody", "conversation": conversation}),
        "JWT by another key": jwt("HS256", {"conversation": conversation}, b"guess"),
        "JWT by the key": jwt("HS256", {"conversation": conversation}, KEY.encode()),
        "compressed without end": "." + b64(b"\x78\x9c" + bytes(600)) + f".{stamp}.{signature}",
        "the conversation's name": conversation,
        "a list of tokens": f"{token},{token}",
        "a wildcard": "*",
        "true": "true",
        "nothing but spaces": "%20%20",
        "two tokens": f"{token} {token}",
        "very long": token * 50,
    }


FORGERIES = [*forgeries("YQ.YQ.YQ", "x")]


async def call(
    gateway: Gateway, method: str, path: str, body: Any, headers: dict[str, str], **parameters: str
) -> httpx.Response:
    return await gateway.http.request(method, f"/api/chat/{path}", json=body, headers=headers, params=parameters)


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_opens_nothing(gateway: Gateway, park: Visitor, lin: Visitor, forgery: str) -> None:
    token = forgeries(lin.session["token"], park.conversation_id)[forgery]
    for method, path, body in CALLS:
        answer = await call(gateway, method, path, body, {"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, path
        assert park.conversation_id not in answer.text
    assert (await call(gateway, "GET", "events", None, {}, token=token)).status_code == 401
    assert await park.history() == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda conversation: [conversation], id="too short"),
        pytest.param(lambda conversation: ["v", conversation, "owner"], id="too long"),
        pytest.param(lambda conversation: {"conversation": conversation}, id="a table"),
        pytest.param(lambda conversation: None, id="nothing"),
        pytest.param(lambda conversation: 7, id="a number"),
        pytest.param(lambda conversation: "ab", id="two letters"),
        pytest.param(lambda conversation: [1, 2], id="numbers"),
        pytest.param(lambda conversation: [None, None], id="nothings"),
        pytest.param(lambda conversation: [["v"], {"$ne": ""}], id="a question to a store"),
    ],
)
async def test_a_signed_token_of_another_shape_is_refused_and_breaks_nothing(
    gateway: Gateway, park: Visitor, content: Any
) -> None:
    token = signed_at(0, content(park.conversation_id))
    for method, path, body in CALLS:
        answer = await call(gateway, method, path, body, {"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, (path, answer.text)


@pytest.mark.parametrize(
    ("shift", "status"),
    [(-(TOKEN_DAYS * 86_400) - 60, 401), (-(TOKEN_DAYS * 86_400) + 60, 200), (86_400, 401)],
    ids=["after its end", "before its end", "from the future"],
)
async def test_a_token_is_good_for_its_time_only(gateway: Gateway, park: Visitor, shift: int, status: int) -> None:
    token = signed_at(shift, ["somebody", park.conversation_id])
    answer = await call(gateway, "GET", "messages", None, {"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


async def test_a_second_token_in_the_head_is_not_taken(gateway: Gateway, park: Visitor, lin: Visitor) -> None:
    await park.says("a secret of Ms Park's")
    headers = [("Authorization", lin.headers["Authorization"]), ("Authorization", park.headers["Authorization"])]
    answer = await gateway.http.get("/api/chat/messages", headers=headers)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "attempt",
    [
        {"params": {"conversation_id": "{0}"}},
        {"params": {"conversation": "{0}"}},
        {"params": {"visitor": "{0}"}},
        {"params": {"token": "{0}"}},
        {"params": {"after": "0", "id": "1", "limit": "500"}},
        {"headers": {"X-Conversation-Id": "{0}"}},
        {"headers": {"Cookie": "conversation_id={0}; token={0}; desk_owner={0}"}},
        {"headers": {"X-Original-URL": "/owner", "X-Rewrite-URL": "/owner"}},
        {"headers": {"X-HTTP-Method-Override": "DELETE"}},
        {"headers": {"Last-Event-ID": "0"}},
    ],
)
async def test_nothing_in_a_request_names_anothers_conversation(
    gateway: Gateway, park: Visitor, lin: Visitor, attempt: dict[str, dict[str, str]]
) -> None:
    await park.says("a secret of Ms Park's")
    filled = {kind: {n: v.format(park.conversation_id) for n, v in given.items()} for kind, given in attempt.items()}
    headers = {**filled.get("headers", {}), **lin.headers}
    answer = await gateway.http.get("/api/chat/messages", params=filled.get("params"), headers=headers)
    assert answer.status_code == 200
    assert answer.json()["messages"] == []


@pytest.mark.parametrize("path", ["messages/1", "messages/{0}", "conversations/{0}", "sessions/{0}", "customers/1"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_there_is_no_address_of_one_message_conversation_or_customer(
    gateway: Gateway, park: Visitor, lin: Visitor, method: str, path: str
) -> None:
    await park.says("a secret of Ms Park's")
    answer = await gateway.http.request(
        method, f"/api/chat/{path.format(park.conversation_id)}", headers=lin.headers, json={}
    )
    assert answer.status_code in (404, 405)
    assert len(await park.history()) == 2


async def test_fields_that_are_not_asked_for_change_nothing(gateway: Gateway, park: Visitor, lin: Visitor) -> None:
    body = {
        "text": "I am the owner",
        "client_id": "1",
        "author": "owner",
        "conversation_id": park.conversation_id,
        "customer_id": 1,
        "id": 99,
        "seq": 99,
        "created_at": "2020-01-01T00:00:00Z",
        "delivery": "sent",
    }
    answer = await lin.post("messages", body)
    assert answer.json()["message"]["author"] == "customer"
    assert answer.json()["message"]["id"] == 1
    assert await park.history() == []
    with crm.session() as session:
        assert session.scalars(select(Message.author).where(Message.text == body["text"])).one() == Author.CUSTOMER


async def test_the_shops_proof_of_a_customer_cannot_come_from_a_field(gateway: Gateway) -> None:
    visitor = await gateway.visitor(customer_id=1, identity=None, vouched={"customer_id": "1"}, conversation_id="x")
    with crm.session() as session:
        conversation = crm.conversations.by_public_id(session, visitor.conversation_id)
        assert conversation.identity.customer_id is None


async def test_a_score_cannot_be_given_for_anothers_message(gateway: Gateway, park: Visitor, lin: Visitor) -> None:
    for _ in range(3):
        await park.says("hello")
    for number in (1, 2, 6, 2**31 - 1):
        assert (await lin.post("feedback", {"score": 1, "message_id": number})).status_code == 422
    with crm.session() as session:
        assert session.scalar(select(func.count()).select_from(Feedback)) == 0


async def test_anothers_client_id_shows_nothing_of_theirs(park: Visitor, lin: Visitor) -> None:
    await park.says("a secret of Ms Park's", client_id="same")
    answer = await lin.says("mine", client_id="same")
    assert "secret" not in answer.text
    assert len(await lin.history()) == 2


@pytest.mark.parametrize("client_id", ["{0}:same", ":same", "../{0}:same", "same\x00"])
async def test_a_client_id_cannot_be_made_to_meet_anothers(
    park: Visitor, lin: Visitor, client_id: str, rasa: FakeRasa
) -> None:
    await park.says("a secret of Ms Park's", client_id="same")
    answer = await lin.says("mine", client_id=client_id.format(park.conversation_id))
    assert answer.status_code == 200
    assert "secret" not in answer.text
    assert rasa.texts == ["a secret of Ms Park's", "mine"]


async def test_a_stream_holds_its_own_conversation_only(gateway: Gateway, park: Visitor, lin: Visitor) -> None:
    await park.says("a secret of Ms Park's")
    url = f"/api/chat/events?last_event_id=0&conversation_id={park.conversation_id}"
    async with gateway.http.stream("GET", url, headers=lin.headers) as stream:
        lines = stream.aiter_lines()
        heard = [await anext(lines) for _ in range(3)]
        await park.says("another secret")
        await lin.says("mine")
        async for line in lines:
            heard.append(line)
            if "You said: mine" in line:
                break
    assert "secret" not in "\n".join(heard)


async def test_an_erased_conversation_is_dead_for_its_token(gateway: Gateway, park: Visitor) -> None:
    with crm.session() as session:
        session.delete(crm.conversations.by_public_id(session, park.conversation_id))
    for method, path, body in CALLS[:4]:
        assert (await call(gateway, method, path, body, park.headers)).status_code == 401, path
    with crm.session() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 0


async def test_names_of_conversations_cannot_be_counted_up(gateway: Gateway) -> None:
    names = {(await gateway.visitor()).conversation_id for _ in range(20)}
    assert len(names) == 20
    assert min(map(len, names)) >= 20
    assert not any(name.isdecimal() for name in names)
