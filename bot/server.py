"""The HTTP server around Rasa: our channel and nothing else, on loopback unless told otherwise."""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop
from functools import partial
from pathlib import Path

from rasa.core import channels
from rasa.core.lock_store import LockStore
from rasa.core.run import create_http_input_channels
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.model import get_latest_model
from rasa.shared.core.domain import Domain
from sanic import Sanic

from bot import action_results
from bot.action_endpoint import KeepAliveEndpoint
from bot.processor import DeskAgent

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000  # of a call's body


class NoModel(Exception):
    """There is nothing to load; the message says where it was looked for."""


class NoTrackerStore(Exception):
    """The store that endpoints.yml names cannot be used."""


def model_file(where: str) -> Path:
    """The model `where` points to: a file, or the newest in a folder."""
    found = where if Path(where).is_file() else get_latest_model(where)
    if not found:
        raise NoModel(f"no model in {where}: run `python -m bot train` first")
    return Path(found)


def load_agent(model: str, endpoints_file: str) -> DeskAgent:
    action_results.prepare()
    endpoints = AvailableEndpoints.read_endpoints(endpoints_file)
    domain = Domain.empty()
    tracker_store = TrackerStore.create(endpoints.tracker_store, domain)
    if endpoints.tracker_store is not None and isinstance(tracker_store, InMemoryTrackerStore):
        # Rasa only warns, and every restart would then forget where each conversation stands.
        raise NoTrackerStore(f"tracker store {endpoints.tracker_store.type} of {endpoints_file} cannot be loaded")
    agent = DeskAgent(
        domain=domain,
        tracker_store=tracker_store,
        lock_store=LockStore.create(endpoints.lock_store),
        action_endpoint=KeepAliveEndpoint.like(endpoints.action) if endpoints.action else None,
    )
    agent.load_model(model_file(model))
    return agent


def application(model: str, endpoints: str, credentials: str) -> Sanic:
    app = Sanic("solodesk_bot", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = MOST_BYTES
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.config.ACCESS_LOG = False
    channels.channel.register(create_http_input_channels(None, credentials), app, route="/webhooks/")
    app.register_listener(partial(_load, model, endpoints), "before_server_start")
    app.register_listener(_close, "after_server_stop")
    return app


async def _load(model: str, endpoints: str, app: Sanic, _: AbstractEventLoop) -> None:
    app.ctx.agent = load_agent(model, endpoints)


async def _close(app: Sanic, _: AbstractEventLoop) -> None:
    agent = getattr(app.ctx, "agent", None)
    if agent is not None and isinstance(agent.action_endpoint, KeepAliveEndpoint):
        await agent.action_endpoint.close()


async def _say_ready(host: str, port: int, app: Sanic, _: AbstractEventLoop) -> None:
    print(f"bot ready on http://{host}:{port} model={app.ctx.agent.model_id}", flush=True)


def serve(*, host: str, port: int, model: str, endpoints: str, credentials: str) -> None:
    model_file(model)  # better said before the server starts than from inside it
    app = application(model, endpoints, credentials)
    app.register_listener(partial(_say_ready, host, port), "after_server_start")
    app.run(host=host, port=port, workers=1, access_log=False, motd=False, debug=False)
