"""The console's routes, its files, and what its pages do when something is refused."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.console import (
    catalogue,
    customers,
    digests,
    follow_ups,
    inbox,
    knowledge,
    lessons,
    pages,
    quotes,
    reports,
    returns,
    settings,
    sign_in,
)
from gateway.console.access import NotPermitted, NotSignedIn
from gateway.errors import error, http_refused

KEPT_SECONDS = 30 * 86_400
ROUTES = (
    sign_in,
    inbox,
    customers,
    knowledge,
    lessons,
    catalogue,
    returns,
    quotes,
    follow_ups,
    reports,
    digests,
    settings,
)


class _Files(StaticFiles):
    """Files whose address holds their fingerprint may be kept for long."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
        return response


async def _not_signed_in(request: Request, _: Exception) -> Response:
    if request.method != "GET" or request.headers.get("X-Fragment") or request.url.path.endswith("/events"):
        return error(401, "not_signed_in", "Sign in again.")
    return pages.go(f"/owner/sign-in?next={quote(request.url.path)}")


async def _not_permitted(request: Request, _: Exception) -> Response:
    if _is_read_by_a_person(request):
        return pages.page(request, request.app.state.parts, "error.html", status=403, code="owner_only")
    return error(403, "owner_only", "Only the owner may do this.")


def _is_read_by_a_person(request: Request) -> bool:
    return (
        request.url.path.startswith("/owner")
        and "text/html" in request.headers.get("Accept", "")
        and not request.headers.get("X-Fragment")
    )


async def _refused(request: Request, refused: Exception) -> Response:
    """A page for people, JSON for programs."""
    if not _is_read_by_a_person(request):
        return await http_refused(request, refused)
    assert isinstance(refused, HTTPException)
    code = getattr(refused, "code", "not_found" if refused.status_code == 404 else "")
    response = pages.page(request, request.app.state.parts, "error.html", status=refused.status_code, code=code)
    for name, value in (refused.headers or {}).items():
        response.headers[name] = value
    return response


def install(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(NotPermitted, _not_permitted)
    for routes in ROUTES:
        app.include_router(routes.router)
    app.mount("/owner/static", _Files(directory=pages.FOLDER / "static"), name="console")
