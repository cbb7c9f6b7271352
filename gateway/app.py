"""Putting the gateway's parts together."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware

from crm.settings import Settings
from crm.shop import load_shop
from gateway import errors, events, health, moods, own_data, pages, web
from gateway.answering import Answering
from gateway.bus import Bus
from gateway.console import app as console
from gateway.limits import Limiter, LocalLimiter, RedisLimiter
from gateway.links import routes as links
from gateway.metrics import Metrics
from gateway.middleware import BodyLimit, ChatCors, Failures, PlainAddresses, StrictHeaders
from gateway.owner_side import OwnerSide
from gateway.parts import Parts
from gateway.quotes import routes as quotes
from gateway.rasa_client import RasaClient
from gateway.readiness import Readiness
from gateway.redis_bus import RedisBus
from gateway.relay import Relay
from gateway.sessions import Tokens
from gateway.store import Store
from gateway.teaching import Teaching
from gateway.telegram import webhook
from gateway.telegram.service import TelegramService
from gateway.wording import Wording


def gateway_name(settings: Settings) -> str:
    """The same again after a restart: then its own leases need not run out first."""
    return f"{socket.gethostname()}:{settings.port}"


def make_parts(settings: Settings) -> Parts:
    """All parts, not yet started. The store has to be bound."""
    store, metrics, wording = Store(), Metrics(), Wording.load()
    name = gateway_name(settings)
    bus = RedisBus(settings.redis_url, name=name) if settings.redis_url else Bus()
    limiter: Limiter = RedisLimiter(settings.redis_url) if settings.redis_url else LocalLimiter()
    rasa = RasaClient(
        settings.rasa_url, settings.require("internal_secret"), timeout_seconds=settings.answer_timeout_seconds
    )
    answering = Answering(bus=bus, rasa=rasa, wording=wording, metrics=metrics)
    relay = Relay(
        store=store,
        bus=bus,
        answering=answering,
        metrics=metrics,
        name=name,
        answer_timeout_seconds=settings.answer_timeout_seconds,
    )
    relay.mood = moods.reader()
    shop = load_shop(settings.shop_file)
    owner_side = OwnerSide(
        store=store,
        bus=bus,
        relay=relay,
        answering=answering,
        wording=wording,
        shop=shop,
        base_url=settings.base_url,
    )
    return Parts(
        settings=settings,
        store=store,
        bus=bus,
        limiter=limiter,
        metrics=metrics,
        rasa=rasa,
        readiness=Readiness(store=store, rasa=rasa, actions_url=settings.actions_url),
        relay=relay,
        owner_side=owner_side,
        answering=answering,
        tokens=Tokens(settings.require("secret_key")),
        shop=shop,
        wording=wording,
        teaching=Teaching(store),
    )


def create_app(settings: Settings) -> FastAPI:
    """The gateway as an ASGI app; the store has to be bound before it starts."""
    origins = [origin.strip() for origin in settings.allowed_origins.split(",") if origin.strip()]
    app = FastAPI(
        title="Solodesk chat API",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        strict_content_type=False,
        middleware=[
            Middleware(StrictHeaders),
            Middleware(
                ChatCors,
                allow_origins=origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
                expose_headers=["Retry-After"],
                max_age=600,
            ),
            Middleware(PlainAddresses),
            Middleware(Failures),
            Middleware(BodyLimit),
        ],
    )
    app.state.parts = make_parts(settings)
    errors.install(app)
    for routes in (web, events, health, webhook, links, own_data, quotes):
        app.include_router(routes.router)
    console.install(app)
    pages.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    await parts.bus.start()
    telegram = TelegramService.from_parts(parts)
    app.state.telegram = telegram
    if telegram is not None:
        telegram.start()
    resuming = asyncio.create_task(parts.relay.resume_forever())
    watching = asyncio.create_task(parts.owner_side.watch_forever())
    try:
        yield
    finally:
        parts.bus.end()
        resuming.cancel()
        watching.cancel()
        await parts.relay.stop()
        await parts.teaching.stop()
        if telegram is not None:
            await telegram.stop()
        await asyncio.gather(resuming, watching, return_exceptions=True)
        await parts.bus.close()
        await parts.limiter.close()
        await parts.readiness.close()
        await parts.rasa.close()
        parts.store.close()
