from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base
from crm.sealing import SealedJson


class AlertKind(StrEnum):
    ANGRY_VALUABLE = "angry_valuable"
    COMPLAINTS_RISING = "complaints_rising"
    PAYMENT_TROUBLE = "payment_trouble"
    DESK_UNHEALTHY = "desk_unhealthy"
    MODEL_DRIFT = "model_drift"


class Alert(Base):
    """Something the owner should know before the next digest; one per ``key``."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[AlertKind]
    data: Mapped[dict[str, Any]] = mapped_column(SealedJson("alert"), default=dict)  # may name a customer
    opened_at: Mapped[datetime] = mapped_column(index=True)
    notified_at: Mapped[datetime | None]
