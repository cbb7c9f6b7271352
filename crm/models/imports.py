from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class ImportProgress(Base):
    """How far an import of one file has come; it is gone once the file is done."""

    __tablename__ = "import_progress"
    __table_args__ = (UniqueConstraint("source", "kind", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    digest: Mapped[str]  # of the file's content and of what its reading depends on
    records: Mapped[int]  # products, customers or orders that are stored
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
