"""The catalogue: which products a sentence mentions, in either language, misspellings included."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from crm import revisions
from crm.errors import ProductNotFound
from crm.models import Product, ProductStatus, Variant
from crm.text import HAN, han_pairs, latin_words, normal, split_languages

# Words that stand in many titles and in many questions alike; they never tell which product is meant.
COMMON_WORDS = frozenset(
    (
        "a an and any are at be buy by can do does for from get gift have how i in is it item me my new of on one or "
        "order product set shop small big large the this that to what which with you your size color colour price "
        "cost much 还 有 的 吗 多少 钱 我 你 个 是"
    ).split()
)
STRONG_COVERAGE = 0.6
WEAK_COVERAGE = 0.3
CLEARLY_AHEAD = 1.2


@dataclass(frozen=True)
class Mention:
    """A product that a sentence seems to name; ``coverage`` 0–1 is the share of its title that was said."""

    product_id: int
    coverage: float
    weight: float
    exact: bool


@dataclass
class _Name:
    product_id: int
    units: frozenset[str]
    text: str
    han: bool


@dataclass
class Catalogue:
    """The active products' names, ready to be matched. Made anew when the catalogue's revision changes."""

    revision: int
    names: list[_Name] = field(default_factory=list)
    categories: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def load(cls, session: Session, revision: int) -> "Catalogue":
        made = cls(revision)
        categories: dict[str, set[int]] = defaultdict(set)
        rows = session.execute(
            select(
                Product.id, Product.title, Product.title_en, Product.title_zh, Product.product_type, Product.tags
            ).where(Product.status == ProductStatus.ACTIVE)
        )
        for product_id, title, english, chinese, kind, tags in rows:
            for name in dict.fromkeys(n for n in (english, chinese, None if english or chinese else title) if n):
                made._add_name(product_id, normal(name))
            for label in (kind, *(tags or [])):
                for unit in _units(normal(label or "")):
                    categories[unit].add(product_id)
        made.categories = dict(categories)
        return made

    def _add_name(self, product_id: int, name: str) -> None:
        for han in (True, False):
            units = frozenset(_units(name, han=han)) - COMMON_WORDS
            if units:
                self.names.append(_Name(product_id, units, name, han))

    @cached_property
    def _by_unit(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = defaultdict(list)
        for position, name in enumerate(self.names):
            for unit in name.units:
                index[unit].append(position)
        return dict(index)

    @cached_property
    def _latin_units(self) -> list[str]:
        return [unit for unit in self._by_unit if not HAN.match(unit) and len(unit) >= 4]

    @cached_property
    def _han_names(self) -> list[tuple[int, str]]:
        runs = ((i, "".join(HAN.findall(name.text))) for i, name in enumerate(self.names) if name.han)
        return [(i, run) for i, run in runs if len(run) >= 3]

    def _weight(self, unit: str) -> float:
        return math.log(1 + len(self.names) / (1 + len(self._by_unit.get(unit, ()))))

    def mentions(self, text: str, *, limit: int = 5) -> list[Mention]:
        """The products that ``text`` names, best first; several when it is not clear which one."""
        said = normal(text)
        found: dict[int, dict[str, float]] = defaultdict(dict)
        for unit in dict.fromkeys(_units(said)):
            for known, likeness in self._known_units(unit):
                for position in self._by_unit[known]:
                    found[position][known] = max(likeness, found[position].get(known, 0.0))
        best: dict[int, Mention] = {}
        for position, units in found.items():
            name = self.names[position]
            whole = sum(self._weight(unit) for unit in name.units)
            weight = sum(self._weight(unit) * likeness for unit, likeness in units.items())
            coverage = weight / whole if whole else 0.0
            rarest = min(len(self._by_unit[unit]) for unit in units)
            if coverage >= STRONG_COVERAGE or (coverage >= WEAK_COVERAGE and rarest <= 3):
                self._keep_better(best, Mention(name.product_id, min(coverage, 1.0), weight, name.text in said))
        for position, likeness in self._misspelt_han(said):
            name = self.names[position]
            weight = sum(self._weight(unit) for unit in name.units) * likeness
            self._keep_better(best, Mention(name.product_id, likeness, weight, False))
        ranked = sorted(best.values(), key=lambda m: (m.exact, m.weight * m.coverage), reverse=True)
        if not ranked:
            return []
        least = ranked[0].weight * ranked[0].coverage / CLEARLY_AHEAD
        close = [m for m in ranked if m.exact == ranked[0].exact and m.weight * m.coverage >= least]
        return close[:limit]

    @staticmethod
    def _keep_better(best: dict[int, Mention], mention: Mention) -> None:
        known = best.get(mention.product_id)
        if known is None or (mention.exact, mention.weight * mention.coverage) > (
            known.exact,
            known.weight * known.coverage,
        ):
            best[mention.product_id] = mention

    def _known_units(self, unit: str) -> Iterable[tuple[str, float]]:
        if unit in COMMON_WORDS:
            return
        if unit in self._by_unit:
            yield unit, 1.0
            return
        if HAN.match(unit) or len(unit) < 4 or unit.isdigit():
            return
        allowed = 1 if len(unit) < 7 else 2
        hits = process.extract(unit, self._latin_units, scorer=OSA.distance, score_cutoff=allowed, limit=3)
        for known, distance, _ in hits:
            if known[0] == unit[0] or distance == 1:
                yield known, 1.0 - distance / len(unit)

    def _misspelt_han(self, said: str) -> Iterable[tuple[int, float]]:
        runs = [run for run in HAN.findall(said) if len(run) >= 3]
        for position, name in self._han_names:
            for run in runs:
                if len(run) >= len(name) - 1:
                    likeness = fuzz.partial_ratio(name, run) / 100
                    if likeness >= (0.74 if len(name) >= 4 else 0.99) and name not in run:
                        yield position, likeness * 0.9

    def in_category(self, text: str) -> set[int]:
        """Products whose type or tags ``text`` names; empty when it names none."""
        found: set[int] = set()
        for unit in _units(normal(text)):
            if unit not in COMMON_WORDS:
                found |= self.categories.get(unit, set())
        return found


def _units(text: str, *, han: bool | None = None) -> list[str]:
    units: list[str] = []
    if han is not False:
        units += han_pairs(text)
    if han is not True:
        units += latin_words(text)
    return units


_catalogue: Catalogue | None = None


def catalogue(session: Session) -> Catalogue:
    """The catalogue as it is now; loaded again only when a product changed."""
    global _catalogue
    revision = revisions.current(session, revisions.CATALOGUE)
    if _catalogue is None or _catalogue.revision != revision:
        _catalogue = Catalogue.load(session, revision)
    return _catalogue


def forget_catalogue() -> None:
    """For tests and after binding another store."""
    global _catalogue
    _catalogue = None


def by_ids(session: Session, ids: Iterable[int]) -> Sequence[Product]:
    """Active products with their variants, in the order of ``ids``."""
    wanted = list(ids)
    found = {
        product.id: product
        for product in session.scalars(
            select(Product)
            .where(Product.id.in_(wanted), Product.status == ProductStatus.ACTIVE)
            .options(selectinload(Product.variants))
        )
    }
    return [found[product_id] for product_id in wanted if product_id in found]


def mentioned(session: Session, text: str, *, limit: int = 5) -> Sequence[Product]:
    """The products a sentence names, best first."""
    return by_ids(session, [m.product_id for m in catalogue(session).mentions(text, limit=limit)])


def by_id(session: Session, product_id: int) -> Product:
    """Raises ProductNotFound, also for a product no longer for sale."""
    found = by_ids(session, [product_id])
    if not found:
        raise ProductNotFound(str(product_id))
    return found[0]


def title_in(product: Product, language: str) -> str:
    """The product's name in the customer's language, or as the shop wrote it."""
    return (product.title_zh if language == "zh" else product.title_en) or product.title


def option_in(title: str, language: str) -> str:
    """A variant's title in the customer's language: "Ink Blue 墨蓝 / L" → "墨蓝 / L"."""
    parts = []
    for part in title.split(" / "):
        english, chinese = split_languages(part)
        parts.append((chinese if language == "zh" else english) or part)
    return " / ".join(parts)


def description_in(product: Product, language: str) -> str:
    """The part of the description that is written in the language; all of it when it is written in one only."""
    pieces = [piece for piece in re.split(r"\n+|(?<=[.!?。！？])\s*", product.description) if piece.strip()]
    han = [piece.strip() for piece in pieces if HAN.search(piece)]
    other = [piece.strip() for piece in pieces if not HAN.search(piece)]
    wanted = han if language == "zh" else other
    return ("" if language == "zh" else " ").join(wanted or han or other)


def alike(session: Session, product: Product) -> set[int]:
    """Products of the same type, or else with a tag in common."""
    known = catalogue(session)
    same = set().union(*(known.categories.get(unit, set()) for unit in _units(normal(product.product_type or ""))))
    if len(same) <= 1:
        same = set().union(*(known.categories.get(u, set()) for tag in product.tags for u in _units(normal(tag))))
    return same - {product.id}


def in_stock(product: Product) -> bool:
    return any(variant.in_stock for variant in product.variants)


def price_range(product: Product) -> tuple[int, int, str] | None:
    """Lowest and highest price in minor units, and the currency; None without variants."""
    if not product.variants:
        return None
    prices = [variant.price_minor for variant in product.variants]
    return min(prices), max(prices), product.variants[0].currency


def variants_named(product: Product, text: str) -> list[Variant]:
    """The variants whose colour, size or scent the sentence names; empty when it names none."""
    said_text = normal(text)
    said = set(_units(said_text)) - COMMON_WORDS
    scored: list[tuple[int, Variant]] = []
    for variant in product.variants:
        if variant.title:
            hits = len(said & (set(_units(normal(variant.title))) - COMMON_WORDS))
            if hits:
                scored.append((hits, variant))
    most = max((hits for hits, _ in scored), default=0)
    return [variant for hits, variant in scored if hits == most]
