"""How refusals leave the desk: ``{"error": {"code", "message"}}`` with the right status."""

import logging
import math
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.responses import Json

log = logging.getLogger(__name__)
STORE_RETRY_SECONDS = 2


class Refused(HTTPException):
    """A request that is answered with an error; ``code`` is stable, ``message`` is for people."""

    def __init__(self, status: int, code: str, message: str, *, retry_after: float | None = None) -> None:
        # HTTP wants whole seconds; waiting a little too long is right, too short is not.
        headers = None if retry_after is None else {"Retry-After": str(max(1, math.ceil(retry_after)))}
        super().__init__(status, message, headers)
        self.code = code


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return Json({"error": {"code": code, "message": message}}, status_code=status, headers=headers)


def not_signed_in(message: str = "The session is missing, expired or not valid; open a new one.") -> Refused:
    return Refused(401, "unauthorized", message)


def too_many(retry_after: float) -> Refused:
    return Refused(429, "too_many_requests", "Too many requests; wait a little.", retry_after=retry_after)


async def http_refused(_request: Request, refused: Exception) -> Response:
    """A refusal as the chat API gives it."""
    assert isinstance(refused, HTTPException)
    phrase = HTTPStatus(refused.status_code).phrase
    code = getattr(refused, "code", phrase.lower().replace(" ", "_").replace("-", "_"))
    headers = dict(refused.headers or {})
    if refused.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return error(refused.status_code, code, str(refused.detail), headers)


async def _invalid(_request: Request, invalid: Exception) -> Response:
    assert isinstance(invalid, RequestValidationError)
    first = invalid.errors()[0]
    if first["type"] == "json_invalid":
        return error(400, "malformed_json", "The body is not valid JSON.")
    # The value itself stays out of the answer: it may be anything and of any size.
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return error(422, "invalid", f"{where}: {first['msg']}")


async def _store_failed(request: Request, failure: Exception) -> Response:
    # The message of a database error quotes the values, which are a customer's words.
    log.error("store failed path=%s error=%s", request.url.path, type(getattr(failure, "orig", failure)).__name__)
    return error(
        503,
        "store_unavailable",
        "The desk cannot write this down just now; try again.",
        {"Retry-After": str(STORE_RETRY_SECONDS)},
    )


def install(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, http_refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DBAPIError, _store_failed)
    app.add_exception_handler(PoolTimeout, _store_failed)
