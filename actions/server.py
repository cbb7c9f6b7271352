"""The action server: rasa-sdk's executor behind a shared secret, with errors that tell nothing of the conversation.

rasa-sdk's own server listens on every address, asks for no secret, and sends the conversation back inside errors.
"""

import hmac
import logging

import orjson
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sanic import Request, Sanic
from sanic.response import HTTPResponse, raw

log = logging.getLogger(__name__)

MOST_BYTES = 8_000_000  # a conversation and the domain travel with every call


def make_app(secret: str) -> Sanic:  # type: ignore[type-arg]  # Sanic's own parameters say nothing here
    """The server for Rasa's calls. ``secret`` must come as ``?token=`` with each."""
    executor = ActionExecutor()
    executor.register_package("actions")
    app = Sanic("solodesk_actions", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = MOST_BYTES
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.config.ACCESS_LOG = False
    expected = secret.encode()

    @app.get("/health")
    async def health(_: Request) -> HTTPResponse:
        return _json({"status": "ok"})

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        if not hmac.compare_digest(str(request.args.get("token") or "").encode(), expected):
            return _json({"error": "the shared secret is missing or wrong"}, status=401)
        try:
            call = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _json({"error": "the body is not JSON"}, status=400)
        try:
            result = await executor.run(call)
        except ActionExecutionRejection as rejection:
            return _json({"error": rejection.message, "action_name": rejection.action_name}, status=400)
        except ActionNotFoundException as missing:
            log.error("no such action name=%s", missing.action_name)
            return _json({"error": missing.message, "action_name": missing.action_name}, status=404)
        return _json(result.model_dump() if result else None)

    @app.exception(Exception)
    async def say_little(request: Request, error: Exception) -> HTTPResponse:
        status = getattr(error, "status_code", 500)
        if status >= 500:
            log.error("action server failed path=%s", request.path, exc_info=error)
        return _json({"error": type(error).__name__}, status=status)

    return app


def _json(body: object, *, status: int = 200) -> HTTPResponse:
    return raw(orjson.dumps(body), status=status, content_type="application/json")
