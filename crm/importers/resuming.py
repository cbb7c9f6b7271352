"""Going on where an interrupted import stopped: each batch is stored together with how far it reaches."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from crm.importers.records import Context
from crm.importers.report import ImportReport
from crm.models import ImportProgress

GOES_ON_FOR = timedelta(days=1)
"""An import that was interrupted longer ago starts again: what counts as a date in the future has changed by then."""


class Resuming:
    """The progress of one import of one file."""

    def __init__(self, path: Path, report: ImportReport, context: Context) -> None:
        self._source, self._kind, self._now = report.source, report.kind, context.now
        self._digest = _digest(path, context)
        with context.open_session() as session:
            known = session.scalar(self._mine())
            fresh = known is not None and context.now - known.updated_at < GOES_ON_FOR
            self.records: int = known.records if known is not None and fresh else 0
            self.started_at: datetime = known.started_at if known is not None and fresh else context.now

    def _mine(self) -> Select[ImportProgress]:
        return select(ImportProgress).where(
            ImportProgress.source == self._source,
            ImportProgress.kind == self._kind,
            ImportProgress.digest == self._digest,
        )

    def reached(self, session: Session, records: int) -> None:
        """Call in the transaction that stores the batch ending with that record."""
        known = session.scalar(self._mine())
        if known is None:
            known = ImportProgress(source=self._source, kind=self._kind, digest=self._digest)
            session.add(known)
        known.records, known.started_at, known.updated_at = records, self.started_at, self._now

    def finished(self, session: Session) -> None:
        """The file is done; an older file of the same kind that was interrupted would undo what this one brought."""
        session.execute(
            delete(ImportProgress).where(ImportProgress.source == self._source, ImportProgress.kind == self._kind)
        )


def _digest(path: Path, context: Context) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(f"{context.shop.currency} {context.shop.timezone}".encode())
    return digest.hexdigest()
