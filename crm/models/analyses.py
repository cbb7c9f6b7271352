from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from crm.models.base import Base


class AnalysisStatus(StrEnum):
    """Only what is ``COMPLETE`` is read by anybody; ``FAILED`` and left-over ``RUNNING`` ones are undone."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


class ModelName(StrEnum):
    CHURN = "churn"
    SEGMENTS = "segments"
    VALUE = "value"
    NEXT_AMOUNT = "next_amount"
    RECOMMENDATIONS = "recommendations"
    FORECAST = "forecast"
    SENTIMENT = "sentiment"


class Segment(StrEnum):
    HIGH_VALUE = "high_value"
    LOYAL = "loyal"
    PRICE_SENSITIVE = "price_sensitive"
    NEW = "new"
    AT_RISK = "at_risk"


class RecommendationList(StrEnum):
    BUY_AGAIN = "buy_again"
    NEW_FOR_YOU = "new_for_you"


class Analysis(Base):
    """One run of all models over the store as it stood at ``as_of``; what it found hangs on it."""

    __tablename__ = "analyses"
    __table_args__ = (Index(None, "status", "as_of"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    as_of: Mapped[datetime]
    status: Mapped[AnalysisStatus] = mapped_column(default=AnalysisStatus.RUNNING)
    started_at: Mapped[datetime]
    worker: Mapped[str | None]  # who runs it: machine and process
    alive_at: Mapped[datetime | None]  # their last sign of life
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ModelRun(Base):
    """What one model did in an analysis: from which data, how set, how good, which alternative it beat.

    ``champion`` is the alternative that serves; the others of the same analysis lost against it on the last closed
    window. ``fallback`` says that the data was too small for a model and a simple rule is used.
    """

    __tablename__ = "model_runs"
    __table_args__ = (UniqueConstraint("analysis_id", "model", "method"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"))
    model: Mapped[ModelName]
    method: Mapped[str]
    champion: Mapped[bool]
    fallback: Mapped[bool] = mapped_column(default=False)
    drifted: Mapped[bool] = mapped_column(default=False)
    data_from: Mapped[datetime | None]
    data_until: Mapped[datetime]
    rows: Mapped[int]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    versions: Mapped[dict[str, str]] = mapped_column(default=dict)
    note: Mapped[str | None]
    finished_at: Mapped[datetime]


class CustomerScore(Base):
    """What is expected of one customer. Money in the shop's currency, smallest unit; horizons in days in the names."""

    __tablename__ = "customer_scores"
    __table_args__ = (UniqueConstraint("analysis_id", "customer_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    churn_risk: Mapped[float]  # probability of no order within the horizon
    segment: Mapped[Segment]
    outlier: Mapped[bool] = mapped_column(default=False)
    cluster: Mapped[int | None]
    expected_orders_90d: Mapped[float]
    expected_orders_365d: Mapped[float]
    value_90d_minor: Mapped[int] = mapped_column(BigInteger)
    value_365d_minor: Mapped[int] = mapped_column(BigInteger)
    next_amount_minor: Mapped[int] = mapped_column(BigInteger)
    purchase_intent: Mapped[float]  # probability of an order within 30 days
    reasons: Mapped[list[dict[str, Any]]]  # code and its figures, weightiest first


class SegmentMovement(Base):
    """How many customers went from one segment (NULL: had not bought yet) to another since the analysis before."""

    __tablename__ = "segment_movements"
    __table_args__ = (UniqueConstraint("analysis_id", "before", "after"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"))
    before: Mapped[Segment | None]
    after: Mapped[Segment]
    customers: Mapped[int]


class Recommendation(Base):
    """One product for one customer; ``because_of`` is the product that led to it."""

    __tablename__ = "recommendations"
    __table_args__ = (UniqueConstraint("analysis_id", "customer_id", "list", "rank"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    list: Mapped[RecommendationList]
    rank: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), index=True)
    score: Mapped[float]
    reason: Mapped[str]
    because_of_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="SET NULL"))


class Forecast(Base):
    """Expected sales of one day, in all (``total``), of a segment, or of a product group (``group:…``)."""

    __tablename__ = "forecasts"
    __table_args__ = (UniqueConstraint("analysis_id", "series", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"))
    series: Mapped[str]
    day: Mapped[date]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    low_minor: Mapped[int] = mapped_column(BigInteger)  # 80 % interval
    high_minor: Mapped[int] = mapped_column(BigInteger)


class StockOut(Base):
    """When a product is expected to be sold out, at the rate it sold lately."""

    __tablename__ = "stock_outs"
    __table_args__ = (UniqueConstraint("analysis_id", "product_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    analysis_id: Mapped[int] = mapped_column(ForeignKey("analyses.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), index=True)
    stock: Mapped[int]
    sold_per_week: Mapped[float]
    expected_on: Mapped[date]
    earliest_on: Mapped[date]


class MessageSentiment(Base):
    """How a customer's message sounds: −1 (angry) to 1 (delighted)."""

    __tablename__ = "message_sentiments"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(index=True)
    score: Mapped[float]
    model: Mapped[str]
    corrected: Mapped[bool] = mapped_column(default=False)


class ComplaintTopic(Base):
    """What the complaints of one week (its Monday) were about; ``terms`` are the words that tell it from others."""

    __tablename__ = "complaint_topics"
    __table_args__ = (UniqueConstraint("week", "language", "topic"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    week: Mapped[date] = mapped_column(index=True)
    language: Mapped[str]
    topic: Mapped[str]
    terms: Mapped[list[str]]
    messages: Mapped[int]
