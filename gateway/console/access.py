"""Who is signed in, and that what a page sends really comes from a page of ours."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Path, Request
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy.orm import Session
from starlette.responses import Response

from crm import staff
from crm.models import StaffMember, StaffRole, StaffSession
from crm.types import now
from gateway.errors import Refused
from gateway.parts import Parts, parts_of
from gateway.texts import clean

COOKIE = "desk_owner"
LARGEST_ID = 2**31 - 1
MOST_IDS = 500
# Of a conversation, customer, product and so on, in an address.
Id = Annotated[int, Path(ge=0, le=LARGEST_ID)]
PATH = "/owner"
LONGEST_FIELD = 50_000


class NotSignedIn(Exception):
    """Nobody is; pages lead to the sign-in, fragments answer 401."""


class NotPermitted(Exception):
    """A helper wanted what only the owner may."""


@dataclass(frozen=True)
class SignedIn:
    """A member of the shop's staff, and the secret that their own pages send along."""

    member: StaffMember
    token: str
    csrf: str

    @property
    def is_owner(self) -> bool:
        return self.member.role is StaffRole.OWNER

    def must_be_owner(self) -> None:
        """Raises NotPermitted."""
        if not self.is_owner:
            raise NotPermitted


def _serializer(parts: Parts) -> URLSafeSerializer:
    return URLSafeSerializer(
        parts.settings.require("secret_key"), salt="desk owner session", signer_kwargs={"digest_method": hashlib.sha256}
    )


def csrf_of(parts: Parts, token: str) -> str:
    key = parts.settings.require("secret_key").encode()
    return hmac.new(key, b"csrf\0" + token.encode(), hashlib.sha256).hexdigest()


def set_cookie(parts: Parts, request: Request, response: Response, token: str) -> None:
    secure = request.url.scheme == "https" or parts.settings.base_url.startswith("https://")
    signed = _serializer(parts).dumps(token)
    response.set_cookie(
        COOKIE,
        signed if isinstance(signed, str) else signed.decode(),
        max_age=int(staff.SESSION_LASTS.total_seconds()),
        path=PATH,
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def forget_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path=PATH)


def token_in(parts: Parts, request: Request) -> str | None:
    """The token in the cookie, if our signature is on it."""
    try:
        token = _serializer(parts).loads(request.cookies.get(COOKIE, "")[:500])
    except BadData:
        return None
    return token if isinstance(token, str) else None


async def signed_in(request: Request, parts: Annotated[Parts, Depends(parts_of)]) -> SignedIn:
    """Raises NotSignedIn."""
    token = token_in(parts, request)
    if token is None:
        raise NotSignedIn
    moment = now()

    def find(session: Session) -> tuple[StaffSession, StaffMember] | None:
        found = staff.session_of(session, token, now=moment)
        return (found, found.member) if found is not None else None

    found = await parts.store.read(find)
    if found is None:
        raise NotSignedIn
    open_session, member = found
    if open_session.last_seen_at < moment - staff.NOTED_EVERY:
        await parts.store.write(lambda session: staff.note_seen(session, open_session.id, now=moment))
    return SignedIn(member=member, token=token, csrf=csrf_of(parts, token))


async def owner_only(who: Annotated[SignedIn, Depends(signed_in)]) -> SignedIn:
    """Raises NotSignedIn, NotPermitted."""
    who.must_be_owner()
    return who


SignedInOf = Annotated[SignedIn, Depends(signed_in)]
OwnerOf = Annotated[SignedIn, Depends(owner_only)]


def check_origin(request: Request, parts: Parts) -> None:
    """What another site's page sends is refused, whatever it holds. Raises Refused."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "foreign_page", "This was sent from another site.")
    origin = request.headers.get("Origin")
    if origin and origin != "null":
        sent = urlsplit(origin).netloc
        if sent not in (request.headers.get("Host", ""), urlsplit(parts.settings.base_url).netloc):
            raise Refused(403, "foreign_page", "This was sent from another site.")


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, cleaned. Raises Refused."""
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=400)
    except ValueError:
        raise Refused(400, "malformed_form", "The form cannot be read.") from None
    return {name: clean(value)[:LONGEST_FIELD] for name, value in pairs}


async def form_of(
    request: Request, parts: Annotated[Parts, Depends(parts_of)], who: Annotated[SignedIn, Depends(signed_in)]
) -> Mapping[str, str]:
    """A form that one of our own pages sent. Raises NotSignedIn, Refused."""
    check_origin(request, parts)
    fields = await fields_of(request)
    given = request.headers.get("X-Desk-Token") or fields.pop("csrf", "")
    if not hmac.compare_digest(given.encode(), who.csrf.encode()):
        raise Refused(403, "stale_page", "This page is out of date; load it again.")
    return fields


def ids_in(text: str) -> list[int]:
    """The ids in a list such as ``4,7``; what is none is left out."""
    found = (int(part) for part in text.split(",") if part.isascii() and part.isdecimal() and len(part) < 11)
    return [number for number in found if number <= LARGEST_ID][:MOST_IDS]


FormOf = Annotated[Mapping[str, str], Depends(form_of)]
