"""The life of the demo shop's orders: when they are placed, what they cost, how they leave and what goes wrong."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from shopping import LAST_DAY, Shelf, Shopper, Variant, basket, days_of, discount

ORDERS = 400
WAITING = 12  # the newest orders, not yet packed
SHOP_ZONE = ZoneInfo("Asia/Shanghai")

NEW_YEAR_HOLIDAY = (date(2026, 2, 17), date(2026, 2, 23))  # nothing is packed

# VAT collected at checkout where the shop is registered for small parcels; dearer parcels pay at the border.
VAT_PERCENT = {"GB": 20, "IE": 23, "DE": 19, "FR": 20, "NL": 21, "SE": 25, "PT": 23, "ES": 21}
VAT_UP_TO = Decimal(1100)

ORDERS_PER_RHYTHM = {
    "devoted": (13, 18),
    "regular": (6, 10),
    "lapsed": (4, 8),
    "now": (2, 4),
    "once": (1, 1),
    "new": (1, 2),
    "none": (0, 0),
}
HOURS = {"chinese": [1] * 7 + [6] * 5 + [10] * 6 + [16] * 5 + [5], "western": [4] * 7 + [2] * 5 + [3] * 5 + [5] * 7}

NOTES = {
    "chinese": ["请放门卫处，谢谢", "送礼用，麻烦包好看一点", "工作日请送公司前台", "卡片请写：生日快乐，愿你天天开心"],
    "western": [
        "Please leave it with the neighbour at number 12.",
        "It's a present, please no prices in the box.",
        "Card: Happy birthday, Mum! Love from all of us",
        "The doorbell is broken, please knock.",
    ],
}


@dataclass
class Order:
    """One order on its way through the shop."""

    shopper: Shopper
    created: datetime
    lines: list[tuple[Variant, int]]
    code: str
    off: Decimal
    shipping: Decimal
    tax: Decimal
    method: str
    note: str
    paid: datetime | None = None
    sent: datetime | None = None
    waiting_sku: str = ""  # the line that is sent later
    cancelled: datetime | None = None
    refunded: Decimal = Decimal("0.00")
    number: int = 0

    @property
    def goods(self) -> Decimal:
        return sum((v.price * q for v, q in self.lines), Decimal("0.00"))

    @property
    def total(self) -> Decimal:
        return self.goods - self.off + self.shipping + self.tax

    @property
    def money(self) -> str:
        if self.paid is None:
            return "voided" if self.cancelled else "pending"
        if not self.refunded:
            return "paid"
        return "refunded" if self.refunded == self.total else "partially_refunded"

    @property
    def parcel(self) -> str:
        if self.sent is None:
            return "unfulfilled"
        return "partial" if self.waiting_sku else "fulfilled"


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def counts(shoppers: list[Shopper], rng: Random) -> dict[str, int]:
    """How many orders each customer placed: `ORDERS` in all, the difference carried by the regulars."""
    plan = {s.email: rng.randint(*ORDERS_PER_RHYTHM[s.rhythm]) for s in shoppers}
    regulars = [s.email for s in shoppers if s.rhythm in {"devoted", "regular"}]
    while (missing := ORDERS - sum(plan.values())) != 0:
        plan[rng.choice(regulars)] += 1 if missing > 0 else -1
    return plan


def moments(shoppers: list[Shopper], rng: Random) -> list[tuple[datetime, Shopper]]:
    """When every order was placed, oldest first; the newest ones fall into the last three days."""
    plan = counts(shoppers, rng)
    placed: list[tuple[datetime, Shopper]] = []
    for shopper in shoppers:
        for day in days_of(shopper, plan[shopper.email], rng):
            hour = rng.choices(range(24), HOURS[shopper.circle])[0]
            at = time(hour, rng.randrange(60), rng.randrange(60))
            placed.append((datetime.combine(day, at, SHOP_ZONE), shopper))
    placed.sort(key=lambda p: p[0])
    active = [s for s in shoppers if s.rhythm in {"devoted", "regular", "new", "now"}]
    start = datetime.combine(LAST_DAY - timedelta(2), time(19), SHOP_ZONE)
    for shopper in rng.sample(active, WAITING):
        latest = max(n for n, (_, who) in enumerate(placed) if who is shopper)
        placed[latest] = (start + timedelta(seconds=rng.randrange(46 * 3600)), shopper)
    return sorted(placed, key=lambda p: p[0])


def shipping_cost(shop: dict[str, Any], country: str, goods: Decimal) -> Decimal:
    if goods >= Decimal(str(shop["shipping"]["free_over"])):
        return Decimal("0.00")
    regions = shop["shipping"]["regions"]
    default = next(r for r in regions if not r["countries"])
    region = next((r for r in regions if country in r["countries"]), default)
    return cents(Decimal(str(region["cost"])))


def vat(country: str, goods: Decimal, shipping: Decimal) -> Decimal:
    if goods > VAT_UP_TO:
        return Decimal("0.00")
    return cents((goods + shipping) * VAT_PERCENT.get(country, 0) / 100)


def place(shop: dict[str, Any], shelf: Shelf, shopper: Shopper, at: datetime, rng: Random) -> Order:
    lines = basket(shopper, shelf, at.date(), rng)
    goods = sum((v.price * q for v, q in lines), Decimal("0.00"))
    code, off = discount(shopper, goods, at.date(), rng)
    shipping = shipping_cost(shop, shopper.country, goods - off)
    tax = vat(shopper.country, goods - off, shipping)
    if shopper.country == "CN":
        method = rng.choices(["WeChat Pay", "Alipay"], [5, 4])[0]
    else:
        methods = ["Shopify Payments"] * 6 + ["PayPal Express Checkout"] * 3 + ["Alipay"] * (2 * shopper.chinese)
        method = rng.choice(methods)
    note = rng.choice(NOTES[shopper.circle]) if rng.random() < 0.06 else ""
    shopper.orders += 1
    paid = at + timedelta(seconds=rng.randint(20, 240))
    return Order(shopper, at, lines, code, off, shipping, tax, method, note, paid)


def pack_and_send(orders: list[Order], rng: Random) -> None:
    """Everything but the newest orders leaves within two days, in the afternoon."""
    for order in orders[:-WAITING]:
        day = order.created.date() + timedelta(1 if order.created.hour < 14 else 2)
        if NEW_YEAR_HOLIDAY[0] <= day <= NEW_YEAR_HOLIDAY[1]:
            day = NEW_YEAR_HOLIDAY[1] + timedelta(1)
        order.sent = datetime.combine(day, time(rng.randint(15, 17), rng.randrange(60), rng.randrange(60)), SHOP_ZONE)


def mishaps(orders: list[Order], rng: Random) -> None:
    """Cancelled, refunded, waiting for a bank transfer, or sent in two parcels."""
    older = orders[: -WAITING - 12]
    picked = rng.sample(older, 40)
    for order in picked[:12]:
        order.sent = None
        order.cancelled = order.created + timedelta(hours=rng.randint(1, 20))
        order.refunded = order.total
    for order in picked[12:15]:
        order.sent = order.paid = None
        order.method = "Bank Transfer"
        order.cancelled = order.created + timedelta(days=5, hours=2)
    for order in picked[15:25]:
        order.refunded = order.total
    for order in picked[25:]:
        variant, _ = rng.choice(order.lines)
        order.refunded = cents(variant.price * (order.goods - order.off) / order.goods)
        if order.refunded == order.total:
            order.refunded = cents(order.total / 2)
    recent = [o for o in orders[-WAITING - 20 : -WAITING - 1] if len(o.lines) > 1]
    for order in rng.sample(recent, 3):
        order.waiting_sku = order.lines[-1][0].sku
    for order in [orders[-WAITING - 1], *rng.sample(orders[-WAITING:], 3)]:
        order.sent = order.paid = None
        order.waiting_sku = ""
        order.method = "Bank Transfer"
    late = orders[-4]
    late.method, late.paid = "Alipay", late.created + timedelta(minutes=1)
    late.cancelled, late.refunded = late.created + timedelta(minutes=25), late.total
