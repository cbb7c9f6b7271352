"""Where Telegram brings updates in webhook mode."""

import logging
from typing import cast

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from crm.logs import safe_trace
from gateway.errors import Refused
from gateway.responses import Json
from gateway.telegram.service import WEBHOOK_PATH, TelegramService

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


@router.post(WEBHOOK_PATH)
async def webhook(request: Request) -> Response:
    """Answers 200 once the update is stored; Telegram repeats it until then."""
    service = cast(TelegramService | None, request.app.state.telegram)
    if service is None:
        raise HTTPException(404)
    if not service.accepts(request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")):
        raise Refused(401, "unauthorized", "This address is for Telegram only.")
    try:
        update = await request.json()
    except (ValueError, RecursionError):
        raise Refused(400, "malformed_json", "The body is not valid JSON.") from None
    if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
        raise Refused(422, "invalid", "This is not an update.")
    try:
        await service.take(update)
    except SQLAlchemyError:
        raise  # not stored: Telegram brings it again
    except Exception as error:
        # One that cannot be understood would otherwise be repeated and hold up all that come after it.
        log.error("update skipped update=%d %s", update["update_id"], safe_trace(error))
    return Json({"ok": True})
