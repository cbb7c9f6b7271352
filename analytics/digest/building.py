"""Building one week's digest, and keeping it in the archive."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from analytics.digest.links import Links, PreviewLinks, RealLinks
from analytics.digest.page import Context, Page
from analytics.digest.rendering import Rendered, render, with_pictures_at
from analytics.digest.words import Words
from analytics.digest.writing import write
from crm.models import Digest, DigestPicture, OwnerLink
from crm.shop import Shop
from crm.weeks import Week


@dataclass(frozen=True)
class Built:
    page: Page
    rendered: Rendered
    pictures: dict[str, bytes]


def build(session: Session, shop: Shop, week: Week, *, links: Links, now: datetime) -> Built:
    """The digest of that week in the owner's language. Writes nothing but what ``links`` writes."""
    context = Context(session, week, shop, Words(shop.digest_language, shop), links, now)
    page = write(context)
    return Built(page, render(page), context.pictures)


def preview(session: Session, shop: Shop, week: Week, folder: Path, *, base_url: str, now: datetime) -> list[Path]:
    """Writes digest.html, digest.txt and the pictures into ``folder``; the store stays as it is."""
    built = build(session, shop, week, links=PreviewLinks(base_url), now=now)
    folder.mkdir(parents=True, exist_ok=True)
    html = with_pictures_at(built.rendered.html, lambda name: f"{name}.png", list(built.pictures))
    files = {
        "digest.html": html.encode(),
        "digest.txt": built.rendered.text.encode(),
        **{f"{name}.png": png for name, png in built.pictures.items()},
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def stored(session: Session, week: Week) -> Digest | None:
    return session.scalar(select(Digest).where(Digest.week == week.label))


def store(session: Session, shop: Shop, week: Week, *, base_url: str, secret: str, now: datetime) -> Digest:
    """Builds the digest and puts it into the archive. One that was not sent yet is built anew in its place."""
    digest = stored(session, week)
    if digest is not None and digest.deliveries:
        return digest
    if digest is None:
        digest = Digest(week=week.label, starts_at=week.starts_at, ends_at=week.ends_at)
        _fill(digest, shop, Rendered("", "", "", ""), {}, now)
        session.add(digest)
        session.flush()
    # Links of an earlier building lead nowhere any more: each thing to do has one link at a time.
    session.execute(delete(OwnerLink).where(OwnerLink.digest_id == digest.id, OwnerLink.used_at.is_(None)))
    built = build(session, shop, week, links=RealLinks(session, base_url, secret, digest.id, now), now=now)
    _fill(digest, shop, built.rendered, asdict(built.page), now)
    digest.pictures.clear()
    session.flush()  # the old ones go before new ones of the same name come
    digest.pictures.extend(DigestPicture(name=name, png=png) for name, png in built.pictures.items())
    session.flush()
    return digest


def _fill(digest: Digest, shop: Shop, rendered: Rendered, facts: dict[str, object], now: datetime) -> None:
    digest.language = shop.digest_language
    digest.subject, digest.html = rendered.subject, rendered.html
    digest.text, digest.short_text = rendered.text, rendered.short_text
    digest.facts, digest.built_at = facts, now
