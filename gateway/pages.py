"""The widget's file, the demo page, and what they may know about the shop."""

from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from gateway.responses import Json
from gateway.shop import facts_shown
from gateway.web import PartsOf

router = APIRouter(tags=["pages"])
FOLDER = Path(__file__).with_name("widget")
WIDGET_CACHE_SECONDS = 300


@router.get("/api/shop")
async def shop(parts: PartsOf) -> Response:
    """What anybody may know about the shop."""
    return Json(facts_shown(parts.shop))


@router.get("/widget.js", include_in_schema=False)
async def widget(request: Request) -> Response:
    response = await _file(request, FOLDER, "widget.js")
    response.headers["Cache-Control"] = f"public, max-age={WIDGET_CACHE_SECONDS}"
    # Shops load it from their own origin.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@router.get("/", include_in_schema=False)
async def landing(request: Request) -> Response:
    return await _file(request, FOLDER / "demo", "index.html")


async def _file(request: Request, folder: Path, name: str) -> Response:
    if not (folder / name).is_file():
        raise HTTPException(404)
    return await StaticFiles(directory=folder).get_response(name, request.scope)


def install(app: FastAPI) -> None:
    app.include_router(router)
    if (FOLDER / "demo").is_dir():
        app.mount("/demo", StaticFiles(directory=FOLDER / "demo", html=True), name="demo")
