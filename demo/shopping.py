"""What is bought when, with what, and by whom: the habits behind the demo shop's made-up orders."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

FIRST_DAY = date(2025, 9, 20)
LAST_DAY = date(2026, 11, 20)

# A taste is a weighted choice of what an order starts from (product handles).
TASTES: dict[str, dict[str, int]] = {
    "scent": {
        "osmanthus-noon-candle": 6,
        "first-frost-candle": 5,
        "fig-and-rain-candle": 5,
        "cedar-attic-candle": 4,
        "drying-day-candle": 3,
        "summer-lotus-candle": 14,
        "beeswax-tapers": 2,
        "plain-tealights": 1,
    },
    "incense": {
        "camphor-wood-incense": 7,
        "old-library-incense": 5,
        "mugwort-rain-incense": 4,
        "osmanthus-cones": 4,
        "incense-sampler": 3,
        "mountain-incense-burner": 2,
    },
    "table": {
        "mist-mug": 6,
        "persimmon-bowl": 5,
        "full-moon-plate": 4,
        "one-stem-vase": 3,
        "tall-ash-vase": 1,
        "trinket-dish": 2,
        "seconds-mug": 2,
        "linen-napkins": 3,
        "linen-table-runner": 2,
    },
    "home": {
        "linen-cushion-cover": 6,
        "washed-linen-throw": 3,
        "linen-pillowcases": 4,
        "waffle-hand-towel": 4,
        "linen-kitchen-towels": 4,
        "linen-apron": 3,
        "house-robe": 2,
        "drawer-sachets": 3,
        "linen-eye-pillow": 3,
    },
    "diffuser": {
        "reed-diffuser": 12,
        "diffuser-refill": 1,
        "scent-stone": 4,
        "eucalyptus-mint-oil": 4,
        "yuzu-ginger-oil": 4,
        "clean-slate-room-spray": 3,
    },
    "gifts": {
        "slow-evening-box": 5,
        "housewarming-box": 3,
        "incense-sampler": 3,
        "trinket-dish": 3,
        "osmanthus-noon-candle": 3,
        "linen-eye-pillow": 3,
        "one-stem-vase": 2,
    },
}

# What goes into the same basket: (product, chance).
TOGETHER: dict[str, list[tuple[str, float]]] = {
    "osmanthus-noon-candle": [("wick-trimmer-and-snuffer", 0.3), ("osmanthus-cones", 0.15)],
    "first-frost-candle": [("wick-trimmer-and-snuffer", 0.3), ("cedar-attic-candle", 0.25)],
    "fig-and-rain-candle": [("wick-trimmer-and-snuffer", 0.25), ("drying-day-candle", 0.2)],
    "cedar-attic-candle": [("first-frost-candle", 0.25), ("old-library-incense", 0.15)],
    "beeswax-tapers": [("candle-dish", 0.65), ("linen-napkins", 0.15)],
    "plain-tealights": [("candle-dish", 0.4)],
    "camphor-wood-incense": [("pebble-incense-holder", 0.5), ("old-library-incense", 0.25)],
    "old-library-incense": [("pebble-incense-holder", 0.45), ("camphor-wood-incense", 0.2)],
    "mugwort-rain-incense": [("pebble-incense-holder", 0.35), ("camphor-wood-incense", 0.25)],
    "osmanthus-cones": [("mountain-incense-burner", 0.25), ("osmanthus-noon-candle", 0.15)],
    "incense-sampler": [("pebble-incense-holder", 0.55)],
    "mountain-incense-burner": [("osmanthus-cones", 0.6), ("camphor-wood-incense", 0.3)],
    "mist-mug": [("persimmon-bowl", 0.3), ("trinket-dish", 0.15), ("linen-kitchen-towels", 0.1)],
    "persimmon-bowl": [("full-moon-plate", 0.45), ("linen-napkins", 0.15)],
    "full-moon-plate": [("persimmon-bowl", 0.4), ("linen-napkins", 0.2)],
    "linen-napkins": [("linen-table-runner", 0.4), ("beeswax-tapers", 0.2)],
    "linen-table-runner": [("linen-napkins", 0.5), ("candle-dish", 0.15)],
    "linen-cushion-cover": [("washed-linen-throw", 0.25)],
    "washed-linen-throw": [("linen-cushion-cover", 0.5)],
    "linen-pillowcases": [("linen-eye-pillow", 0.35), ("drawer-sachets", 0.25)],
    "linen-eye-pillow": [("drawer-sachets", 0.3)],
    "linen-apron": [("linen-kitchen-towels", 0.55)],
    "waffle-hand-towel": [("clean-slate-room-spray", 0.15), ("linen-kitchen-towels", 0.15)],
    "house-robe": [("linen-eye-pillow", 0.25)],
    "reed-diffuser": [("diffuser-refill", 0.2), ("scent-stone", 0.1)],
    "scent-stone": [("eucalyptus-mint-oil", 0.5), ("yuzu-ginger-oil", 0.4)],
    "eucalyptus-mint-oil": [("yuzu-ginger-oil", 0.35), ("scent-stone", 0.15)],
    "yuzu-ginger-oil": [("eucalyptus-mint-oil", 0.3), ("scent-stone", 0.15)],
    "one-stem-vase": [("trinket-dish", 0.2)],
    "trinket-dish": [("wrapping-cloth", 0.35)],
}

TOGETHER_LIFT = 1.5

# Chances of one more thing, and another: dear shipping makes fuller baskets.
FURTHER_THINGS = {"chinese": (0.25, 0.0), "western": (0.75, 0.45)}

USED_UP = {
    "osmanthus-noon-candle",
    "first-frost-candle",
    "fig-and-rain-candle",
    "cedar-attic-candle",
    "drying-day-candle",
    "summer-lotus-candle",
    "beeswax-tapers",
    "plain-tealights",
    "camphor-wood-incense",
    "old-library-incense",
    "mugwort-rain-incense",
    "osmanthus-cones",
    "diffuser-refill",
    "eucalyptus-mint-oil",
    "yuzu-ginger-oil",
    "clean-slate-room-spray",
    "drawer-sachets",
    "wrapping-cloth",
}
SETS = {"mist-mug": (2, 4), "persimmon-bowl": (2, 4), "full-moon-plate": (2, 4), "linen-cushion-cover": (2, 2)}

# Products and variants that were not on the shelf the whole time: handle or SKU → first and last day of sale.
ON_SALE: dict[str, tuple[date, date]] = {
    "summer-lotus-candle": (date(2026, 6, 1), date(2026, 8, 31)),
    "mountain-incense-burner": (FIRST_DAY, date(2026, 10, 18)),
    "drying-day-candle": (FIRST_DAY, date(2026, 11, 5)),
    "linen-table-runner": (FIRST_DAY, date(2026, 10, 30)),
    "CE-MUG-INK": (FIRST_DAY, date(2026, 11, 11)),
    "yuzu-ginger-oil": (date(2026, 3, 3), LAST_DAY),
    "slow-evening-box": (date(2025, 11, 1), LAST_DAY),
    "wrapping-cloth": (date(2025, 11, 1), LAST_DAY),
}
MAINLAND_ONLY = {"clean-slate-room-spray"}


@dataclass(frozen=True)
class Season:
    """A stretch of days on which people buy more or less, and the code that was mailed out for it, if any."""

    first: date
    last: date
    pull: float
    who: str = "all"  # all, chinese or western
    code: str = ""
    percent: int = 0
    amount: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    gifts: bool = False


SEASONS = [
    Season(date(2025, 11, 8), date(2025, 11, 11), 10.0, "chinese", "SINGLES15", percent=15),
    Season(date(2025, 11, 28), date(2025, 12, 1), 8.0, "western", "FRIDAY20", percent=20),
    Season(date(2025, 12, 2), date(2025, 12, 14), 3.0, "western", gifts=True),
    Season(date(2026, 2, 3), date(2026, 2, 16), 2.4, "chinese", "NEWYEAR66", amount=Decimal(66), minimum=Decimal(299)),
    Season(date(2026, 2, 17), date(2026, 2, 23), 0.15, "chinese"),
    Season(date(2026, 5, 1), date(2026, 5, 9), 1.8, "all", gifts=True),
    Season(date(2026, 6, 16), date(2026, 6, 18), 5.0, "chinese", "JUNE12", percent=12),
    Season(date(2026, 7, 10), date(2026, 8, 15), 0.6),
    Season(date(2026, 9, 10), date(2026, 9, 24), 1.7, "chinese", gifts=True),
    Season(date(2026, 11, 8), date(2026, 11, 11), 12.0, "chinese", "SINGLES15", percent=15),
    Season(date(2026, 11, 12), date(2026, 11, 20), 1.6, "western", gifts=True),
]


@dataclass(frozen=True)
class Variant:
    """One thing that can be put into a basket."""

    handle: str
    sku: str
    name: str
    price: Decimal
    compare_at: str
    ships: bool


@dataclass
class Shopper:
    """A customer with habits. `owned` grows from order to order."""

    email: str
    country: str
    taste: str
    rhythm: str
    traits: frozenset[str]
    marketing: bool
    owned: dict[str, Variant] = field(default_factory=dict)
    orders: int = 0

    @property
    def chinese(self) -> bool:
        return self.country in {"CN", "HK", "TW"}

    @property
    def circle(self) -> str:
        return "chinese" if self.chinese else "western"


def seasons_of(shopper: Shopper, day: date) -> list[Season]:
    return [s for s in SEASONS if s.first <= day <= s.last and s.who in {"all", shopper.circle}]


def pull(shopper: Shopper, day: date) -> float:
    """How likely this customer is to order on this day, relative to an ordinary day in the first autumn."""
    weight = 1.0 + 0.5 * (day - FIRST_DAY).days / (LAST_DAY - FIRST_DAY).days
    if day.weekday() in {5, 6}:
        weight *= 1.3
    seasons = seasons_of(shopper, day)
    for season in seasons:
        weight *= season.pull
    if "thrifty" in shopper.traits:
        weight *= 4.0 if any(s.code for s in seasons) else 0.2
    return weight


def days_of(shopper: Shopper, count: int, rng: Random) -> list[date]:
    """`count` different days, at least three apart where there is room, within the customer's time with the shop."""
    length = (LAST_DAY - FIRST_DAY).days
    first, last = {
        "devoted": (rng.randint(0, 12), length - 3),
        "regular": (rng.randint(0, 120), length - 3),
        "lapsed": (rng.randint(0, 30), rng.randint(170, 240)),
        "new": (length - rng.randint(40, 60), length - 3),
    }.get(shopper.rhythm, (rng.randint(0, 60), length - 3))
    open_days = [FIRST_DAY + timedelta(n) for n in range(first, last + 1)]
    chosen: list[date] = []
    while len(chosen) < count:
        apart = [d for d in open_days if all(abs((d - c).days) >= 3 for c in chosen)]
        day = rng.choices(apart, [pull(shopper, d) for d in apart])[0]
        chosen.append(day)
    return sorted(chosen)


class Shelf:
    """The catalogue as a customer meets it: what is on sale on a day, and which variant is taken."""

    def __init__(self, variants: list[Variant]) -> None:
        self._of: dict[str, list[Variant]] = {}
        for variant in variants:
            self._of.setdefault(variant.handle, []).append(variant)

    def sells(self, key: str, shopper: Shopper, day: date) -> bool:
        first, last = ON_SALE.get(key, (FIRST_DAY, LAST_DAY))
        return first <= day <= last and (key not in MAINLAND_ONLY or shopper.country == "CN")

    def pick(self, handle: str, shopper: Shopper, day: date, rng: Random) -> Variant:
        """Usually the variant bought before; a refill smells like the diffuser it goes into."""
        variants = [v for v in self._of[handle] if self.sells(v.sku, shopper, day)]
        before = shopper.owned.get("reed-diffuser" if handle == "diffuser-refill" else handle)
        if before and rng.random() < 0.75:
            same = [v for v in variants if v.sku[-3:] == before.sku[-3:]]
            if same:
                return same[0]
        return rng.choices(variants, [4 if n == 0 else 2 for n in range(len(variants))])[0]


def first_thing(shopper: Shopper, shelf: Shelf, day: date, rng: Random) -> str:
    """What the order starts from: something used up, a present in the season for it, or something new."""
    used_up = [h for h in shopper.owned if h in USED_UP and shelf.sells(h, shopper, day)]
    if "reed-diffuser" in shopper.owned:
        used_up.append("diffuser-refill")
    if used_up and rng.random() < 0.4:
        return rng.choice(used_up)
    giving = any(s.gifts for s in seasons_of(shopper, day)) and rng.random() < 0.35
    taste = "gifts" if giving else shopper.taste if rng.random() < 0.85 else rng.choice(sorted(TASTES))
    choices = {
        handle: weight if handle in USED_UP or handle not in shopper.owned else weight / 3
        for handle, weight in TASTES[taste].items()
        if shelf.sells(handle, shopper, day)
    }
    return rng.choices(list(choices), list(choices.values()))[0]


def basket(shopper: Shopper, shelf: Shelf, day: date, rng: Random) -> list[tuple[Variant, int]]:
    """The lines of one order; remembers what the customer now owns."""
    handles = [first_thing(shopper, shelf, day, rng)]
    for handle in handles[:]:
        for other, chance in TOGETHER.get(handle, []):
            lasting = other not in USED_UP and other in shopper.owned
            if shelf.sells(other, shopper, day) and rng.random() < TOGETHER_LIFT * (chance / 4 if lasting else chance):
                handles.append(other)
    for chance in FURTHER_THINGS[shopper.circle]:
        if rng.random() < chance:
            extra = first_thing(shopper, shelf, day, rng)
            handles += [extra] * (extra not in handles)
    lines: list[tuple[Variant, int]] = []
    for handle in handles:
        variant = shelf.pick(handle, shopper, day, rng)
        quantity = 2 if handle in USED_UP and rng.random() < 0.15 else 1
        if handle in SETS and rng.random() < 0.45:
            quantity = rng.choice(SETS[handle])
        shopper.owned[handle] = variant
        lines.append((variant, quantity))
    return lines


def discount(shopper: Shopper, goods: Decimal, day: date, rng: Random) -> tuple[str, Decimal]:
    """The one code used on the order, if any, and what it takes off the goods."""
    offers: list[tuple[str, Decimal, float]] = []
    for season in seasons_of(shopper, day):
        if season.code and goods >= season.minimum:
            offers.append((season.code, season.amount or goods * season.percent / 100, 0.85))
    if "student" in shopper.traits:
        offers.append(("STUDENT12", goods * 12 / 100, 1.0))
    if shopper.orders == 0 and shopper.marketing:
        offers.append(("WELCOME10", goods / 10, 0.6))
    if shopper.orders >= 5:
        offers.append(("CIRCLE8", goods * 8 / 100, 0.4))
    for code, amount, chance in sorted(offers, key=lambda offer: -offer[1]):
        if rng.random() < chance:
            return code, amount.quantize(Decimal("0.01"))
    return "", Decimal("0.00")
