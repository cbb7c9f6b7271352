"""Who is talking: signed visitor tokens, and customers that the shop's own site vouches for."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from itsdangerous import BadData, URLSafeTimedSerializer

TOKEN_DAYS = 30
LONGEST_TOKEN = 1_000


@dataclass(frozen=True)
class Visitor:
    """What a token says."""

    visitor: str
    conversation: str


class BadToken(Exception):
    """Forged, expired or not ours."""


class Tokens:
    """Makes and reads the bearer tokens of the web chat."""

    def __init__(self, secret: str, *, max_age_seconds: int = TOKEN_DAYS * 86_400) -> None:
        self._max_age = max_age_seconds
        self._serializer = URLSafeTimedSerializer(
            secret, salt="desk web session", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def issue(self, visitor: Visitor) -> str:
        token = self._serializer.dumps([visitor.visitor, visitor.conversation])
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> Visitor:
        """Raises BadToken."""
        if len(token) > LONGEST_TOKEN:
            raise BadToken
        try:
            content = self._serializer.loads(token, max_age=self._max_age)
        except (BadData, ValueError, TypeError) as error:
            raise BadToken from error
        match content:
            case [str(visitor), str(conversation)]:
                return Visitor(visitor=visitor, conversation=conversation)
        raise BadToken


def address_mark(address: str, secret: str) -> str:
    """A one-way mark of a network address, by which attempts from one place are counted."""
    return hmac.new(secret.encode(), b"address " + address.encode(), hashlib.sha256).hexdigest()[:32]


def new_visitor() -> str:
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Vouched:
    """A customer as the shop's site names them: by the shop's own number or by e-mail."""

    customer_id: str | None
    email: str | None


def sign_identity(claims: dict[str, object], secret: str) -> str:
    """What the shop's site does: ``base64url(json) + "." + hex(HMAC-SHA256(base64url(json)))``."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{body}.{_mac(body, secret)}"


def read_identity(identity: str, secret: str, *, now: datetime) -> Vouched:
    """Raises BadToken unless the signature fits, it has not expired, and it names somebody."""
    body, _, mac = identity.rpartition(".")
    if not body or not hmac.compare_digest(_mac(body, secret).encode(), mac.lower().encode("utf-8", "replace")):
        raise BadToken
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        expires = float(claims["exp"])
        customer_id, email = claims.get("customer_id"), claims.get("email")
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadToken from error
    if not expires > now.timestamp() or not (customer_id or email):
        raise BadToken
    return Vouched(
        customer_id=str(customer_id) if customer_id else None, email=str(email).strip().lower() if email else None
    )


def _mac(body: str, secret: str) -> str:
    return hmac.new(secret.encode(), body.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
