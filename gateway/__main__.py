"""``python -m gateway``: serves the web chat and Telegram."""

import contextlib
import logging
import sys
from types import FrameType

import uvicorn

from crm import bind, migrate
from crm.errors import CrmError
from crm.settings import Settings, load_settings
from gateway import logs
from gateway.app import create_app
from gateway.bus import Bus
from gateway.connections import ConnectionLimits, bounded

log = logging.getLogger("gateway")
STOP_SECONDS = 2


class _Server(uvicorn.Server):
    """Lets open event streams go as soon as a stop is asked for, instead of waiting for them."""

    def __init__(self, config: uvicorn.Config, bus: Bus) -> None:
        super().__init__(config)
        self._bus = bus

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._bus.end()
        super().handle_exit(sig, frame)


def make_server(settings: Settings, limits: ConnectionLimits | None = None) -> uvicorn.Server:
    """A server for the bound store, not yet running."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=bounded(limits or ConnectionLimits(), trusted_proxies=settings.trusted_proxies),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies.strip()),
        forwarded_allow_ips=settings.trusted_proxies or None,
        backlog=512,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return _Server(config, app.state.parts.bus)


def main() -> int:
    logs.set_up()
    try:
        settings = load_settings()
        migrate.check(bind(settings.database_url))
        server = make_server(settings)
    except CrmError as error:
        log.error("%s", error)
        return 2  # what no restart mends; the supervisor gives up on it
    # The server ends in order first and then hands the Ctrl-C on.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
