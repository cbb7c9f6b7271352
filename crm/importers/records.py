"""What every source is turned into before it is stored. Amounts are in the smallest unit of their currency."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from crm import database
from crm.importers.report import Progress
from crm.models import FinancialStatus, FulfillmentStatus, ProductStatus
from crm.shop import Shop

ROWS_PER_BATCH = 2_000


def _silent(rows: int, done: int, in_all: int) -> None:
    """Nobody watches the progress."""


@dataclass(frozen=True)
class Context:
    """What an import needs to know: the shop, the present moment, who watches, which store."""

    shop: Shop
    now: datetime
    progress: Progress = _silent
    open_session: Callable[[], AbstractContextManager[Session]] = database.session


@dataclass(slots=True)
class VariantRecord:
    title: str
    sku: str | None
    options: dict[str, str]
    price_minor: int
    compare_at_minor: int | None
    currency: str
    inventory: int | None
    sells_when_empty: bool = False


@dataclass(slots=True)
class ProductRecord:
    external_id: str
    title: str
    title_en: str | None
    title_zh: str | None
    description: str = ""
    product_type: str | None = None
    tags: list[str] = field(default_factory=list)
    vendor: str | None = None
    image_url: str | None = None
    url: str | None = None
    status: ProductStatus = ProductStatus.ACTIVE
    variants: list[VariantRecord] = field(default_factory=list)


@dataclass(slots=True)
class CustomerRecord:
    """``external_id`` None: the source did not tell, so the e-mail or phone stands in until it does."""

    external_id: str | None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    country: str | None = None
    language: str | None = None
    accepts_marketing: bool = False
    created_at: datetime | None = None

    @property
    def key(self) -> str | None:
        return self.external_id or self.email or self.phone


@dataclass(slots=True)
class LineRecord:
    sku: str | None
    title: str
    quantity: int
    unit_price_minor: int
    discount_minor: int = 0
    fulfilled: bool = False


@dataclass(slots=True)
class OrderRecord:
    external_id: str
    number: str
    buyer: CustomerRecord | None
    email: str | None
    phone: str | None
    currency: str
    placed_at: datetime
    subtotal_minor: int = 0
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    total_minor: int = 0
    refunded_minor: int = 0
    discount_code: str | None = None
    financial_status: FinancialStatus = FinancialStatus.PAID
    fulfillment_status: FulfillmentStatus = FulfillmentStatus.UNFULFILLED
    country: str | None = None
    city: str | None = None
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    lines: list[LineRecord] = field(default_factory=list)
    lines_are_guessed: bool = False
    """The source tells what was bought, but not what each piece cost: lines that are stored already tell more."""
