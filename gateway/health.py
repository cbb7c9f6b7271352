"""Whether the desk lives, whether every part answers, and the counters."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from gateway.metrics import CONTENT_TYPE
from gateway.responses import Json
from gateway.web import PartsOf

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Response:
    """The gateway runs."""
    return Json({"status": "ok"})


@router.get("/readyz")
async def readyz(parts: PartsOf) -> Response:
    """200 once messages are answered: store, Rasa and actions all answer."""
    found = await parts.readiness.parts_ready()
    ready = all(found.values())
    body = {"status": "ok" if ready else "not_ready", "parts": {n: "ok" if up else "down" for n, up in found.items()}}
    return Json(body) if ready else Json(body, status_code=503, headers={"Retry-After": "1"})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(parts: PartsOf) -> Response:
    """Counters and durations for Prometheus."""
    return Response(parts.metrics.text(), headers={"Content-Type": CONTENT_TYPE})
