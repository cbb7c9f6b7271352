"""The console's routes, its files, and what its pages do when something is refused."""

from urllib.parse import quote

from fastapi import FastAPI, Request
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
    pages,
    reports,
    settings,
    sign_in,
)
from gateway.console.access import NotPermitted, NotSignedIn
from gateway.errors import error

KEPT_SECONDS = 30 * 86_400
ROUTES = (sign_in, inbox, customers, knowledge, catalogue, follow_ups, reports, digests, settings)


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
    return error(403, "owner_only", "Only the owner may do this.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(NotPermitted, _not_permitted)
    for routes in ROUTES:
        app.include_router(routes.router)
    app.mount("/owner/static", _Files(directory=pages.FOLDER / "static"), name="console")
