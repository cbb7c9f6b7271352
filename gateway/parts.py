"""The parts of a running gateway, made once in app.py and handed to whoever needs them."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from crm.settings import Settings
from crm.shop import Shop
from gateway.answering import Answering
from gateway.bus import Bus
from gateway.limits import Limiter
from gateway.metrics import Metrics
from gateway.owner_side import OwnerSide
from gateway.rasa_client import RasaClient
from gateway.readiness import Readiness
from gateway.relay import Relay
from gateway.sessions import Tokens
from gateway.store import Store
from gateway.teaching import Teaching
from gateway.wording import Wording


@dataclass(frozen=True)
class Parts:
    settings: Settings
    store: Store
    bus: Bus
    limiter: Limiter
    metrics: Metrics
    rasa: RasaClient
    readiness: Readiness
    relay: Relay
    owner_side: OwnerSide
    answering: Answering
    tokens: Tokens
    shop: Shop
    wording: Wording
    teaching: Teaching


async def parts_of(request: Request) -> Parts:
    return cast(Parts, request.app.state.parts)
