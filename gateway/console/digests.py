"""The archive of weekly digests, each shown exactly as it was sent."""

import base64

from fastapi import APIRouter, Request
from sqlalchemy import select
from sqlalchemy.orm import Session, defer, selectinload
from starlette.responses import HTMLResponse, Response

from crm.models import Digest
from gateway.console import pages
from gateway.console.access import SignedInOf
from gateway.errors import Refused
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)
MOST = 104
LETTER_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"
)


@router.get("/owner/digests")
async def digests_page(request: Request, parts: PartsOf, who: SignedInOf) -> Response:
    def read(session: Session) -> list[Digest]:
        wanted = select(Digest).options(defer(Digest.html), selectinload(Digest.deliveries))
        return [*session.scalars(wanted.order_by(Digest.starts_at.desc()).limit(MOST))]

    return pages.page(request, parts, "digests.html", who, digests=await parts.store.read(read))


async def _digest(parts: PartsOf, week: str) -> Digest:
    def read(session: Session) -> Digest | None:
        return session.scalar(select(Digest).where(Digest.week == week).options(selectinload(Digest.pictures)))

    found = await parts.store.read(read)
    if found is None:
        raise Refused(404, "not_found", "There is no digest of that week.")
    return found


@router.get("/owner/digests/{week}")
async def digest_page(request: Request, parts: PartsOf, who: SignedInOf, week: str) -> Response:
    return pages.page(request, parts, "digest.html", who, digest=await _digest(parts, week))


@router.get("/owner/digests/{week}/letter")
async def letter(parts: PartsOf, _who: SignedInOf, week: str) -> Response:
    """The mail itself, for a frame that may neither run nor load anything."""
    digest = await _digest(parts, week)
    html = digest.html
    for picture in digest.pictures:
        data = base64.b64encode(picture.png).decode()
        html = html.replace(f"cid:{picture.name}", f"data:image/png;base64,{data}")
    headers = {**pages.headers(), "Content-Security-Policy": LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(html, headers=headers)
