"""What the owner set for herself: quiet hours, absence, when the bot speaks again."""

from datetime import datetime, time
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from crm.models import Preference

NAME = "owner"


class Preferences(BaseModel):
    """Times of day are in the shop's zone. ``away_until`` set and not over means that the owner is away."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    language: str | None = Field(default=None, pattern="^(en|zh)$")
    return_after_minutes: int = Field(default=30, ge=1, le=24 * 60)
    quiet_from: time | None = time(22, 0)
    quiet_until: time | None = time(8, 0)
    wake_when_angry: bool = True
    away_until: datetime | None = None
    ask_satisfaction: bool = True

    def is_away(self, now: datetime) -> bool:
        return self.away_until is not None and self.away_until > now


def load(session: Session) -> Preferences:
    row = session.get(Preference, NAME)
    return Preferences() if row is None else Preferences.model_validate(row.value)


def save(session: Session, preferences: Preferences, *, now: datetime) -> None:
    value: dict[str, Any] = preferences.model_dump(mode="json")
    row = session.get(Preference, NAME)
    if row is None:
        session.add(Preference(name=NAME, value=value, updated_at=now))
    else:
        row.value, row.updated_at = value, now
    session.flush()
