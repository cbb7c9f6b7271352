from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.sealing import SealedJson


class LessonKind(StrEnum):
    """What the bot is given: an answer to tell, or an example of how customers say a thing it already does."""

    ARTICLE = "article"
    EXAMPLE = "example"


class LessonStatus(StrEnum):
    PROPOSED = "proposed"
    CHECKING = "checking"
    ADOPTED = "adopted"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"


class Lesson(Base):
    """Something the owner teaches the bot. It counts only while ``status`` is adopted.

    questions : customers' words that it is about
    slug      : of an article lesson: the article it makes or adds to
    intent    : of an example lesson: what the words ask for
    messages  : the customers' messages that were not understood and that it answers
    report    : what the replay found (crm.lessons.reports.Report); NULL before it was checked
    replaced  : the article as it was before the lesson was adopted; NULL if there was none
    taught    : the article as the lesson left it
    model     : of an example lesson: the file of the model that was trained with it
    """

    __tablename__ = "lessons"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[LessonKind]
    status: Mapped[LessonStatus] = mapped_column(index=True)
    language: Mapped[str]
    questions: Mapped[list[str]] = mapped_column(SealedJson("lesson", messages=True), default=list)
    title: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    slug: Mapped[str | None]
    intent: Mapped[str | None]
    messages: Mapped[list[int]] = mapped_column(default=list)
    report: Mapped[dict[str, Any] | None] = mapped_column(SealedJson("lesson", messages=True))
    replaced: Mapped[dict[str, Any] | None]
    taught: Mapped[dict[str, Any] | None]
    model: Mapped[str | None]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    rolled_back_at: Mapped[datetime | None]
