"""How the store's records read in a sentence: an order's lines, a product's price and stock, a card."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from actions.turn import Card, Turn
from crm import products
from crm.models import Order, Product, Variant
from crm.text import split_languages

FEW = 5
SHORT_DESCRIPTION = 220


def items_of(turn: Turn, order: Order) -> str:
    """ "2 × Jasmine Pearls, 1 × Bamboo Scoop": what an order holds."""
    names = []
    for line in order.lines:
        title = _line_title(line.title, turn.language)
        names.append(f"{title} × {line.quantity}" if turn.language == "zh" else f"{line.quantity} × {title}")
    return turn.listed(names)


def _line_title(title: str, language: str) -> str:
    """ "Mist Mug 薄雾马克杯 - Ink blue 墨蓝" in one language: "Mist Mug (Ink blue)", "薄雾马克杯（墨蓝）"."""
    parts = []
    for part in title.split(" - "):
        english, chinese = split_languages(part)
        parts.append((chinese if language == "zh" else english) or part)
    if len(parts) == 1:
        return parts[0]
    version = " / ".join(parts[1:])
    return f"{parts[0]}（{version}）" if language == "zh" else f"{parts[0]} ({version})"


def price_of(turn: Turn, variants: Sequence[Variant]) -> tuple[str, str] | None:
    """Lowest and highest price as shown; None when nothing has a price."""
    if not variants:
        return None
    prices = [variant.price_minor for variant in variants]
    currency = variants[0].currency
    return turn.amount(min(prices), currency), turn.amount(max(prices), currency)


def stock_left(variants: Sequence[Variant]) -> int | None:
    """Pieces left; None where stock is not counted or may go below nothing."""
    if any(variant.inventory is None or variant.sells_when_empty for variant in variants):
        return None
    return sum(max(variant.inventory or 0, 0) for variant in variants)


def card_of(turn: Turn, product: Product, *, subtitle: str = "") -> Card:
    """A product as a card: price, what is left, and a way to ask for more."""
    title = products.title_in(product, turn.language)
    card = Card(title=title, buttons=[turn.button("utter_card_details", "product_info", product_id=product.id)])
    prices = price_of(turn, product.variants)
    if prices:
        card["price"] = prices[0] if prices[0] == prices[1] else f"{prices[0]} – {prices[1]}"
    if subtitle:
        card["subtitle"] = subtitle
    left = stock_left(product.variants)
    if not products.in_stock(product):
        card["badge"] = turn.phrase("utter_badge_out")
    elif left is not None and left <= FEW:
        card["badge"] = turn.phrase("utter_badge_few", count=left)
    if product.image_url:
        card["image"] = product.image_url
    if product.url:
        card["url"] = product.url
    return card


def description_of(turn: Turn, product: Product) -> str:
    """The first sentences of the product's description in the customer's language."""
    text = products.description_in(product, turn.language)
    if len(text) <= SHORT_DESCRIPTION:
        return text
    cut = max(text.rfind(mark, 0, SHORT_DESCRIPTION) for mark in (". ", "。", "！", "! ", "; ", "；"))
    return text[: cut + 1].strip() if cut > 40 else text[:SHORT_DESCRIPTION].rsplit(" ", 1)[0] + "…"


def handling_days(turn: Turn) -> str:
    days = turn.shop.shipping.handling_days
    return turn.phrase("utter_days_one" if days == 1 else "utter_days_many", days=days)


def day_range(days: tuple[int, int]) -> str:
    return str(days[0]) if days[0] == days[1] else f"{days[0]}–{days[1]}"


def arrival_window(turn: Turn, order: Order) -> tuple[date, date] | None:
    """First and last day on which a dispatched order should arrive; None without a dispatch day or a known region."""
    region = turn.shop.shipping.region_for(order.country) if order.country else None
    if order.fulfilled_at is None or region is None:
        return None
    sent = order.fulfilled_at.astimezone(ZoneInfo(turn.shop.timezone)).date()
    return sent + timedelta(days=region.days[0]), sent + timedelta(days=region.days[1])
