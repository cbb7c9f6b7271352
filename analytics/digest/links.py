"""Where the digest's buttons lead: signed one-time links into the desk, and pages of the console."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from crm import owner_links
from crm.models import OwnerLinkKind


class Links(Protocol):
    def once(self, kind: OwnerLinkKind, subject_id: int | None = None, data: dict[str, Any] | None = None) -> str:
        """A link that does one thing, once."""

    def console(self, path: str) -> str:
        """A page of the console, behind the owner's sign-in."""


@dataclass(frozen=True)
class RealLinks:
    session: Session
    base_url: str
    secret: str
    digest_id: int
    now: datetime

    def once(self, kind: OwnerLinkKind, subject_id: int | None = None, data: dict[str, Any] | None = None) -> str:
        token = owner_links.make(
            self.session,
            kind,
            secret=self.secret,
            now=self.now,
            subject_id=subject_id,
            digest_id=self.digest_id,
            data=data,
        )
        return f"{self.base_url}/owner/do/{token}"

    def console(self, path: str) -> str:
        return f"{self.base_url}/owner/{path}".rstrip("/")


@dataclass(frozen=True)
class PreviewLinks:
    """For a look at the digest before it exists: one-time links lead to a page that says so."""

    base_url: str

    def once(self, kind: OwnerLinkKind, subject_id: int | None = None, data: dict[str, Any] | None = None) -> str:
        return f"{self.base_url}/owner/do/preview"

    def console(self, path: str) -> str:
        return f"{self.base_url}/owner/{path}".rstrip("/")
