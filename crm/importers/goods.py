"""Finding the product that an order line names, by sku, then title; for sources without a catalogue, making it."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.importers.records import ProductRecord, VariantRecord
from crm.models import Product, Variant
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
    """What the newest line so far says about a product that this import made."""

    sku: str
    title: str
    price_minor: int
    placed_at: datetime
    changed: bool = True


class Goods:
    """All products by sku and title; as large as the catalogue, not as the file."""

    def __init__(self, session: Session) -> None:
        self._by_sku: dict[str, int] = {}
        self._by_title: dict[str, int] = {}
        self._latest: dict[str, _Latest] = {}
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

    def note(self, sku: str, title: str, price_minor: int, placed_at: datetime) -> None:
        """Remembers a line of a product that is in no catalogue; the newest line names and prices it."""
        key = sku_key(sku)
        known = self._latest.get(key)
        if known is None:
            if key not in self._by_sku and not is_charge(sku, title):
                self._latest[key] = _Latest(key, title or key, price_minor, placed_at)
        elif placed_at > known.placed_at:
            known.placed_at = placed_at
            if (price_minor, title or known.title) != (known.price_minor, known.title):
                known.price_minor, known.title, known.changed = price_minor, title or known.title, True

    def noted(self, currency: str) -> list[ProductRecord]:
        """The products to make or correct, as ``note`` found them since the last call."""
        records = []
        for latest in self._latest.values():
            if latest.changed:
                latest.changed = False
                english, chinese = split_languages(latest.title)
                variant = VariantRecord("", latest.sku, {}, latest.price_minor, None, currency, None)
                records.append(ProductRecord(latest.sku, latest.title, english, chinese, variants=[variant]))
        return records

    def made(self, ids: dict[str, int]) -> None:
        """``ids`` per external id of the products that were stored."""
        for external_id, product_id in ids.items():
            self._by_sku[sku_key(external_id)] = product_id
