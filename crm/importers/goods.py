"""Finding the product that an order line names, by sku, then title; for sources without a catalogue, making it."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.importers.records import ProductRecord, VariantRecord
from crm.models import Product, Variant
from crm.parts import in_parts
from crm.text import split_languages

# Postage, fees and corrections stand among the lines of many order lists; they are money, not goods.
_CHARGE = re.compile(
    r"\b(?:postage|shipping|carriage|delivery (?:fee|charge)|bank charges?|fees?|commission|discount|manual|samples?|"
    r"adjust(?:ment)?|bad debt|rounding|surcharge|deposit|tip)\b|运费|邮费|快递费|手续费|优惠|折扣|补差|差价|定金",
    re.IGNORECASE,
)


def is_charge(sku: str, title: str) -> bool:
    """Whether a line is a charge, not goods: its title says so and its sku has no number of at least 3 digits."""
    return bool(_CHARGE.search(title)) and not re.search(r"\d{3}", sku)


def sku_key(sku: str) -> str:
    """Skus are typed by hand: "85123a" and "85123A" are one."""
    return sku.strip().upper()


@dataclass(slots=True)
class _Latest:
    """What the newest purchase so far says about a product that this import made."""

    sku: str | None
    title: str
    price_minor: int
    currency: str
    bought_at: datetime | None
    changed: bool = False


class Goods:
    """All products by sku and title; as large as the catalogue, not as the file."""

    def __init__(self, session: Session) -> None:
        self._by_sku: dict[str, int] = {}
        self._by_title: dict[str, int] = {}
        self._latest: dict[str, _Latest] = {}
        self._unmade: list[str] = []
        self._reopened = False
        for sku, product_id in session.execute(
            select(Variant.sku, Variant.product_id).where(Variant.sku.is_not(None)).order_by(Variant.id.desc())
        ):
            self._by_sku[sku_key(str(sku))] = product_id
        for title, product_id in session.execute(select(Product.title, Product.id).order_by(Product.id.desc())):
            self._by_title[title.casefold()] = product_id

    def find(self, sku: str | None, title: str) -> int | None:
        if sku and (product_id := self._by_sku.get(sku_key(sku))) is not None:
            return product_id
        known = self._by_title.get(title.casefold())
        # Shopify writes a line as "title - variant".
        while known is None and " - " in title:
            title = title.rpartition(" - ")[0]
            known = self._by_title.get(title.casefold())
        return known

    def note(self, sku: str | None, title: str, price_minor: int, currency: str, bought_at: datetime | None) -> None:
        """Remembers a line whose product is in no catalogue; the newest purchase names and prices the product.

        ``bought_at`` None: the line gives something back, so any purchase tells more.
        """
        key = sku_key(sku or title)
        known = self._latest.get(key)
        if known is None:
            if key and self.find(sku, title) is None and not is_charge(sku or "", title):
                own_sku = key if sku else None
                self._latest[key] = _Latest(own_sku, title or key, price_minor, currency, bought_at)
                self._unmade.append(key)
        elif bought_at is not None and (known.bought_at is None or bought_at > known.bought_at):
            known.bought_at = bought_at
            if (price_minor, title or known.title) != (known.price_minor, known.title):
                known.price_minor, known.title, known.changed = price_minor, title or known.title, True

    def reopen(self, session: Session, source: str, since: datetime) -> None:
        """Takes the products that an interrupted import made since then for this import's own; once is enough."""
        if self._reopened:
            return
        self._reopened = True
        made = select(Product.external_id, Product.title, Variant.sku, Variant.price_minor, Variant.currency)
        for external_id, title, sku, price_minor, currency in session.execute(
            made.join(Variant, Variant.product_id == Product.id).where(
                Product.source == source, Product.created_at >= since
            )
        ):
            self._latest.setdefault(external_id, _Latest(sku, title, price_minor, currency, None))

    def missing(self) -> list[ProductRecord]:
        """Products to make before the lines noted so far can be tied to them."""
        keys, self._unmade = self._unmade, []
        return [self._record(key) for key in keys]

    def corrected(self) -> list[ProductRecord]:
        """Products made in this import about which a later line told something newer."""
        return [self._record(key) for key, latest in self._latest.items() if latest.changed]

    def _record(self, key: str) -> ProductRecord:
        latest = self._latest[key]
        latest.changed = False
        english, chinese = split_languages(latest.title)
        variant = VariantRecord("", latest.sku, {}, latest.price_minor, None, latest.currency, None)
        return ProductRecord(key, latest.title, english, chinese, variants=[variant])

    def made(self, session: Session, source: str, external_ids: list[str]) -> None:
        """Call after ``missing`` products were stored."""
        for part in in_parts(external_ids):
            statement = select(Product.external_id, Product.id).where(
                Product.source == source, Product.external_id.in_(part)
            )
            for external_id, product_id in session.execute(statement):
                latest = self._latest[external_id]
                self._by_sku[external_id] = product_id
                if latest.sku is None:
                    self._by_title[latest.title.casefold()] = product_id
