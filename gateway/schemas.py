"""The bodies of the chat API: what is accepted, and what is promised in /api/openapi.json."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, StrictInt

from gateway.messages import ShownMessage
from gateway.texts import clean


def _cleaned(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_cleaned)]
ClientId = Annotated[Text, Field(min_length=1, max_length=128, description="Chosen by the client, once per message.")]


class SessionWanted(BaseModel):
    """``identity`` is a token signed by the shop's own site, see docs/widget.md."""

    language: Annotated[Text, Field(max_length=64)] | None = None
    page_url: Annotated[Text, Field(max_length=8_000)] | None = None
    identity: Annotated[Text, Field(max_length=4_000)] | None = None


class Said(BaseModel):
    text: Annotated[Text, Field(description="1 to 4,000 characters.")]
    client_id: ClientId
    payload: Annotated[Text, Field(max_length=2_000)] | None = None


class Scored(BaseModel):
    score: Annotated[StrictInt, Field(ge=1, le=5)]
    comment: Annotated[Text, Field(max_length=4_000)] | None = None
    message_id: Annotated[StrictInt, Field(ge=1, le=2**31 - 1)] | None = None


class ShopShown(BaseModel):
    name: str | dict[str, str]
    languages: list[str]


class SessionOpened(BaseModel):
    token: str
    conversation_id: str
    language: str
    shop: ShopShown
    handoff: bool
    telegram: bool


class Accepted(BaseModel):
    message: ShownMessage


class Replied(BaseModel):
    message: ShownMessage
    replies: list[ShownMessage]


class History(BaseModel):
    messages: list[ShownMessage]
    handoff: bool
    owner_speaks: bool


class ErrorDetail(BaseModel):
    code: str
    message: str


class Error(BaseModel):
    error: ErrorDetail


_MEANING = {
    400: "The body cannot be read.",
    401: "No valid session.",
    404: "No such thing.",
    413: "Too long.",
    422: "A field is missing or wrong.",
    429: "Too many requests; see Retry-After.",
    503: "A part is down; see Retry-After.",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, for its description."""
    return {status: {"model": Error, "description": _MEANING[status]} for status in statuses}


class TelegramLink(BaseModel):
    """``url`` opens the shop's bot and works once; ``wording`` is what following it agrees to."""

    url: str
    wording: str
    expires_in: int
