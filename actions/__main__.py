"""The action server: ``python -m actions``. Listens on DESK_ACTIONS_URL's port, for Rasa only."""

import hmac
import logging
import sys
from typing import Any
from urllib.parse import urlsplit

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Request, Sanic, json
from sanic.response import HTTPResponse

import crm
from actions import desk
from crm import migrate
from crm.errors import CrmError
from crm.settings import Settings, load_settings

log = logging.getLogger("actions")


def make_app(settings: Settings) -> Sanic[Any, Any]:
    """The SDK's server behind the shared secret, and with errors that tell nothing of the conversation."""
    executor = ActionExecutor()
    executor.register_package("actions")
    app: Sanic[Any, Any] = create_app(executor, cors_origins=[])
    secret = settings.require("internal_secret").encode()

    @app.on_request
    async def check_secret(request: Request) -> HTTPResponse | None:
        if request.path == "/health":
            return None
        given = str(request.args.get("token") or "").encode()
        if not hmac.compare_digest(given, secret):
            return json({"error": "the shared secret is missing or wrong"}, status=401)
        return None

    @app.exception(Exception)
    async def say_little(request: Request, error: Exception) -> HTTPResponse:
        # The SDK's own handler would send the whole conversation back inside the error.
        status = getattr(error, "status_code", 500)
        if status >= 500:
            log.exception("action server failed path=%s", request.path, exc_info=error)
        return json({"error": type(error).__name__}, status=status)

    return app


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("rasa_sdk").setLevel(logging.WARNING)
    logging.getLogger("sanic").setLevel(logging.WARNING)
    try:
        settings = load_settings()
        migrate.check(crm.bind(settings.database_url))
        desk.open_shop(settings.shop_file)
        app = make_app(settings)
    except CrmError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the one sentence the owner has to read
        return 2
    at = urlsplit(settings.actions_url)
    app.run(
        host=at.hostname or "127.0.0.1",
        port=at.port or 5055,
        single_process=True,
        access_log=False,
        motd=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
