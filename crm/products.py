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
from crm.terms import STOP_WORDS
from crm.text import HAN, LATIN, han_pairs, normal, split_languages
from crm.thesaurus import word_stem

# Words that stand in many titles and in many questions alike; they never tell which product is meant.
COMMON_WORDS = frozenset(
    (
        "a an and any are at be buy by can do does for from get gift have how i in is it item me my new of on one or "
        "order product set shop small big large the this that to what which with you your size color colour price "
        "cost much present 还 有 的 吗 多少 钱 我 你 个 是 礼物 礼品 送礼"
    ).split()
)
# Everyday words that are one slip away from some product's word and yet spelt right: "need" is no "reed".
_SPELT_RIGHT = STOP_WORDS | frozenset(
    "need read send show food good look best nice size name note mine case care call come made help hope open".split()
)
# Colours as customers name them; a shop's "Moss 苔绿" is green in one of its two names.
_COLOURS = {
    "blue": "蓝", "navy": "蓝", "green": "绿", "white": "白", "black": "黑", "red": "红", "grey": "灰", "gray": "灰",
    "yellow": "黄", "pink": "粉", "purple": "紫", "brown": "棕", "orange": "橙", "gold": "金", "silver": "银",
}  # fmt: skip
_LARGE = re.compile(r"\b(?:big|bigger|biggest|large|larger|largest)\b|大[的号款瓶杯碗盒只罐一]|[最更]大|加大")
_SMALL = re.compile(r"\b(?:small|smaller|smallest|little|mini)\b|小[的号款瓶杯碗盒只罐一]|[最更]小")
_WORD_SIZES = (("small", "小"), ("regular", "medium", "常规", "中"), ("large", "long", "大", "长"))
_LETTER_SIZES = ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl")
STRONG_COVERAGE = 0.6
WEAK_COVERAGE = 0.3
CLEARLY_AHEAD = 1.2
NAMED_BY_FEW = 2  # a word that stands in no more titles than this tells a product


@dataclass(frozen=True)
class Mention:
    """A product that a sentence seems to name.

    coverage : 0–1, the share of its title that was said
    said     : the units of its title that were said
    """

    product_id: int
    coverage: float
    weight: float
    exact: bool
    said: frozenset[str] = frozenset()

    @property
    def rank(self) -> tuple[bool, float]:
        return self.exact, self.weight * self.coverage


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
                exact = name.text in said or (len(name.units) > 1 and name.units <= units.keys())
                mention = Mention(name.product_id, min(coverage, 1.0), weight, exact, frozenset(units))
                self._keep_better(best, mention)
        for position, likeness in self._misspelt_han(said):
            name = self.names[position]
            weight = sum(self._weight(unit) for unit in name.units) * likeness
            self._keep_better(best, Mention(name.product_id, likeness, weight, False))
        ranked = sorted(best.values(), key=lambda m: m.rank, reverse=True)
        return self._meant(ranked)[:limit]

    def _meant(self, ranked: Sequence[Mention]) -> list[Mention]:
        """The best, those about as good, and those that the sentence names besides with words of their own."""
        if not ranked:
            return []
        first = ranked[0]
        least = first.weight * first.coverage / CLEARLY_AHEAD
        kept = [m for m in ranked if m.exact == first.exact and m.weight * m.coverage >= least]
        if len(first.said) == 1 and not first.exact:
            kept += self._of_one_kind(next(iter(first.said)), besides=kept)
        said = frozenset().union(*(m.said for m in kept))
        for mention in ranked:
            own = mention.said - said
            if mention not in kept and own and min(len(self._by_unit[unit]) for unit in own) <= NAMED_BY_FEW:
                kept.append(mention)
                said |= mention.said
        return kept

    def _of_one_kind(self, unit: str, *, besides: Sequence[Mention]) -> list[Mention]:
        """All products with a word in their names that is all a sentence says of them: "vases", "mugs"."""
        known = {mention.product_id for mention in besides}
        found = dict.fromkeys(self.names[position].product_id for position in self._by_unit[unit])
        return [Mention(number, 0.0, 0.0, False, frozenset({unit})) for number in found if number not in known]

    @staticmethod
    def _keep_better(best: dict[int, Mention], mention: Mention) -> None:
        known = best.get(mention.product_id)
        if known is None or mention.rank > known.rank:
            best[mention.product_id] = mention

    def _known_units(self, unit: str) -> Iterable[tuple[str, float]]:
        if unit in COMMON_WORDS:
            return
        if unit in self._by_unit:
            yield unit, 1.0
            return
        if HAN.match(unit) or len(unit) < 4 or unit.isdigit() or unit in _SPELT_RIGHT:
            return
        allowed = 1 if len(unit) < 7 else 2
        hits = process.extract(unit, self._latin_units, scorer=OSA.distance, score_cutoff=allowed, limit=3)
        for known, distance, _ in hits:
            if known[0] == unit[0] or (distance == 1 and len(unit) > 4):
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
        units += [word_stem(word) for word in LATIN.findall(text.replace("’", "'"))]
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
    pieces = [piece for piece in re.split(r"\n+|(?<=[.!?。！？])\s*(?!\d)", product.description) if piece.strip()]
    han = [piece.strip() for piece in pieces if HAN.search(piece)]
    other = [piece.strip() for piece in pieces if not HAN.search(piece)]
    wanted = (han if language == "zh" else other) or han or other
    full_stop = "。" if HAN.search("".join(wanted)) else "."
    sentences = [_as_sentence(piece, full_stop) for piece in wanted]
    return ("" if language == "zh" else " ").join(sentence for sentence in sentences if sentence)


def _as_sentence(piece: str, full_stop: str) -> str:
    """A line of a description, which may be an item of a list, as a sentence."""
    text = re.sub(r"^[-–—•*·]\s*", "", piece).strip()
    return text if not text or text[-1] in ".!?。！？…:：;；" else text + full_stop


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
    title = normal(product.title)
    said = {unit for unit in _units(said_text) if unit not in title} - COMMON_WORDS
    colours = colours_named(text)
    scored: list[tuple[int, Variant]] = []
    for variant in product.variants:
        option = normal(variant.title)
        hits = len(said & (set(_units(option)) - COMMON_WORDS)) + sum(colour in option for colour in colours)
        hits += sum(_measure(value) in said_text.replace(" ", "") for value in option.split(" / ") if _measure(value))
        if hits:
            scored.append((hits, variant))
    most = max((hits for hits, _ in scored), default=0)
    named = [variant for hits, variant in scored if hits == most]
    return _of_size(named or product.variants, said_text) or named


def colours_named(text: str) -> set[str]:
    """The Chinese characters of the colours that a sentence asks for."""
    said = normal(text)
    colours = {character for word, character in _COLOURS.items() if word in LATIN.findall(said)}
    return colours | {c for c in _COLOURS.values() if f"{c}色" in said or f"{c}的" in said}


def _measure(option: str) -> str:
    """ "120g" of "120 g 小杯": what customers type without the space."""
    found = re.match(r"\d+(?:\.\d+)?\s?[a-z]{1,3}\b", option)
    return found.group().replace(" ", "") if found else ""


def _of_size(variants: Sequence[Variant], said: str) -> list[Variant]:
    """The largest or the smallest of them, if the sentence asks for one and they differ in size."""
    large, small = _LARGE.search(said), _SMALL.search(said)
    sizes = [_size(normal(variant.title)) for variant in variants]
    if bool(large) == bool(small) or None in sizes or len(set(sizes)) < 2:
        return []
    known = [size for size in sizes if size is not None]
    wanted = max(known) if large else min(known)
    return [variant for variant, size in zip(variants, sizes, strict=True) if size == wanted]


def _size(option: str) -> float | None:
    for value in option.split(" / "):
        if (number := re.match(r"\d+(?:\.\d+)?", value)) is not None:
            return float(number.group())
        word = value.split()[0] if value.split() else ""
        if word in _LETTER_SIZES:
            return float(_LETTER_SIZES.index(word))
        for order, names in enumerate(_WORD_SIZES):
            if any(name in value for name in names):
                return float(order)
    return None
