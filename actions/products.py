"""Products: price, details and stock, of whatever the catalogue holds at this moment."""

import re
from abc import abstractmethod
from collections.abc import Sequence

from rasa_sdk.events import FollowupAction, SlotSet
from sqlalchemy.orm import Session

import crm
from actions import slots
from actions.base import DeskAction
from actions.facts import FEW, card_of, description_of, price_of, stock_left
from actions.knowledge import passage_for, tell
from actions.references import asks, asks_price_or_stock, characters_left, content_words, names_something, points_back
from actions.turn import Event, Turn
from crm import knowledge, money, products, recommendations, shown_recommendations, stock_waits
from crm.knowledge import Passage
from crm.models import Product, Variant
from crm.text import normal

SHOWN_AT_ONCE = 4
PRICES_SHOWN = 4
_GOES_WITH = re.compile(
    r"\b(?:with|goes|go well|match\w*|pair\w*|alongside|similar|like|together|besides|instead of)\b|"
    r"搭|配|类似|一起|差不多的|除了"
)
_CHEAPER = re.compile(
    r"\b(?:cheaper|less expensive|lower price\w*|too (?:expensive|pricey|much)|more affordable|costs? less)\b|"
    r"便宜[一点些的]|更便宜|有便宜|太贵|有点贵|贵了|实惠"
)


def products_meant(turn: Turn, session: Session) -> Sequence[Product]:
    """The product or products a message is about: pressed, named, or the one talked about before."""
    known = turn.slot(slots.PRODUCT_ID)
    pressed = turn.detail("product_id")
    if pressed is not None and pressed.isdigit():
        return products.by_ids(session, [int(pressed)])
    named = products.mentioned(session, turn.text)
    if named:
        return named
    if known is None:
        return []
    before = products.by_ids(session, [int(known)])
    if points_back(turn.text) or (before and products.variants_named(before[0], turn.text)):
        return before
    return []


class ProductAction(DeskAction):
    """Base: finds the product, asks which when several fit, looks in the articles when none does."""

    @abstractmethod
    def tell_one(self, turn: Turn, session: Session, product: Product) -> str | None:
        """Answers about the one product that was meant. Returns what a plain "yes" would start."""

    def act(self, turn: Turn) -> list[Event]:
        with crm.session() as session:
            meant = products_meant(turn, session)
            if not meant and turn.detail("order_number", "email") and not names_something(turn.text):
                return [FollowupAction("action_inform")]  # "and what about 1384?"
            if len(meant) == 1:
                if (passage := self._better_article(turn, meant[0])) is not None:
                    tell(turn, passage)
                    return [SlotSet(slots.PRODUCT_ID, meant[0].id)]
                offered = self.tell_one(turn, session, meant[0])
                return [SlotSet(slots.PRODUCT_ID, meant[0].id), SlotSet(slots.OFFER, offered)]
            if meant:
                if (passage := self._better_article(turn, *meant)) is not None:
                    tell(turn, passage)
                    return []
                return self._several(turn, meant)
            return self._none_found(turn, session)

    def _better_article(self, turn: Turn, *meant: Product) -> Passage | None:
        """An article for who asks about a product neither its price nor its stock: "can it go in the dishwasher?"."""
        if turn.pressed or asks_price_or_stock(turn.text):
            return None
        passage = passage_for(turn, at_least=knowledge.SURE)
        if passage is None or not asks(turn.text):
            return None
        titles = [w for product in meant for w in (*content_words(product.title), *normal(product.title))]
        words = {*content_words(turn.text), *characters_left(turn.text)}.difference(titles)
        return passage if words else None

    @staticmethod
    def _several(turn: Turn, meant: Sequence[Product]) -> list[Event]:
        """Each with its price and stock: that compares what was named, and helps to choose where only a kind was."""
        lines = [_line(turn, product) for product in meant[:SHOWN_AT_ONCE]]
        question = turn.phrase("utter_which_product")
        cards = [card_of(turn, product) for product in meant[:SHOWN_AT_ONCE]]
        turn.write("\n".join([*lines, question]), cards=cards, named="utter_which_product")
        return []

    def _none_found(self, turn: Turn, session: Session) -> list[Event]:
        if not content_words(turn.text):
            turn.say("utter_need_product")
            return []
        catalogue = products.catalogue(session)
        category = catalogue.in_category(turn.text)
        # "What notebooks are there?" names a kind and nothing else: no article knows better.
        only_a_kind = bool(category) and all(word in catalogue.categories for word in content_words(turn.text))
        passage = passage_for(turn, at_least=knowledge.FITS_BETTER if category else knowledge.SURE)
        if passage is not None and not only_a_kind:
            tell(turn, passage)
            return []
        if category:
            found = [p for p in products.by_ids(session, category) if products.in_stock(p)]
            if found:
                turn.say("utter_category_in_stock", cards=[card_of(turn, p) for p in found[:SHOWN_AT_ONCE]])
            else:
                turn.say("utter_category_gone")
            return []
        turn.say("utter_product_unknown")
        return [SlotSet(slots.OFFER, "action_recommend")]


def _line(turn: Turn, product: Product) -> str:
    """ "Mist Mug: ¥108.00, in stock": a product in one line."""
    prices = price_of(turn, product.variants)
    shown = "–" if prices is None else prices[0] if prices[0] == prices[1] else f"{prices[0]} – {prices[1]}"
    stock = turn.phrase("utter_word_in_stock" if products.in_stock(product) else "utter_word_out_of_stock")
    title = products.title_in(product, turn.language)
    return turn.phrase("utter_product_line", title=title, price=shown, stock=stock)


def _variants(turn: Turn, product: Product) -> Sequence[Variant]:
    """The variants the message names, else all."""
    return products.variants_named(product, turn.text) or product.variants


def _full_title(turn: Turn, product: Product, variants: Sequence[Variant]) -> str:
    title = products.title_in(product, turn.language)
    if len(variants) == 1 and variants[0].title:
        chosen = products.option_in(variants[0].title, turn.language)
        return f"{title}（{chosen}）" if turn.language == "zh" else f"{title} ({chosen})"
    return title


def _prices(turn: Turn, title: str, variants: Sequence[Variant]) -> str:
    """A sentence with the price, or with each version's where they differ."""
    prices = price_of(turn, variants)
    if prices is None:
        return f"{title}。" if turn.language == "zh" else f"{title}."
    low, high = prices
    if low == high:
        return turn.phrase("utter_product_price", title=title, price=low)
    if len(variants) > PRICES_SHOWN:
        return turn.phrase("utter_product_price_range", title=title, low=low, high=high)
    each = [
        turn.phrase(
            "utter_product_price_of",
            variant=products.option_in(variant.title, turn.language),
            price=turn.amount(variant.price_minor, variant.currency),
        )
        for variant in variants
    ]
    return turn.phrase("utter_product_prices", title=title, prices=turn.listed(each))


def _lacks_colour(turn: Turn, product: Product) -> bool:
    """Whether a colour was asked for that this product does not come in, although it comes in several."""
    coloured = len(product.variants) > 1 and bool(products.colours_named(turn.text))
    return coloured and not products.variants_named(product, turn.text)


class TellProductInfo(ProductAction):
    def name(self) -> str:
        return "action_product_info"

    def tell_one(self, turn: Turn, session: Session, product: Product) -> str | None:
        shown_recommendations.note_clicked(session, turn.conversation(session), product.id, now=turn.now)
        variants = _variants(turn, product)
        title = _full_title(turn, product, variants)
        sentences = [_prices(turn, title, variants)]
        if _lacks_colour(turn, product):
            sentences.insert(0, _not_in_that(turn, title, variants))
        before = max((v.compare_at_minor or 0) for v in variants) if variants else 0
        if before and before > max(v.price_minor for v in variants):
            sentences.append(turn.phrase("utter_product_was", before=turn.amount(before, variants[0].currency)))
        left = stock_left(variants)
        if not any(variant.in_stock for variant in variants):
            sentences.append(turn.phrase("utter_product_out_of_stock"))
        elif left is not None and left <= FEW:
            sentences.append(turn.phrase("utter_product_few_left", count=left))
        else:
            sentences.append(turn.phrase("utter_product_in_stock"))
        text = turn.joined(sentences)
        description = description_of(turn, product)
        again = turn.slot(slots.PRODUCT_ID) == product.id and asks_price_or_stock(turn.text)
        turn.write(f"{text}\n{description}" if description and not again else text, named="utter_product_price")
        return None


def _not_in_that(turn: Turn, title: str, variants: Sequence[Variant]) -> str:
    there = [variant for variant in variants if variant.in_stock]
    return turn.phrase("utter_product_no_such_variant", title=title, names=_names(turn, there or variants))


class TellAvailability(ProductAction):
    def name(self) -> str:
        return "action_product_availability"

    def tell_one(self, turn: Turn, session: Session, product: Product) -> str | None:
        variants = _variants(turn, product)
        title = _full_title(turn, product, variants)
        if _lacks_colour(turn, product):
            turn.write(_not_in_that(turn, title, variants), named="utter_product_no_such_variant")
            return None
        there = [variant for variant in variants if variant.in_stock]
        left = stock_left(there)
        if not there:
            elsewhere = [variant for variant in product.variants if variant.in_stock]
            sentences = [turn.phrase("utter_product_named_out_of_stock", title=title)]
            if elsewhere:
                sentences.append(turn.phrase("utter_product_variants", names=_names(turn, elsewhere)))
            if _asks_when(turn):
                sentences.append(turn.phrase("utter_product_restock_unknown"))
            turn.write(turn.joined(sentences), named="utter_product_named_out_of_stock")
            if not elsewhere:
                stock_waits.note(session, turn.conversation(session), product, now=turn.now)
                self._offer_instead(turn, session, product)
            return "action_handoff" if _asks_when(turn) else None
        sentences = [
            turn.phrase("utter_product_named_few_left", title=title, count=left)
            if left is not None and left <= FEW
            else turn.phrase("utter_product_named_in_stock", title=title)
        ]
        if len(variants) > 1:
            gone = [variant for variant in variants if not variant.in_stock]
            sentences.append(turn.phrase("utter_product_variants", names=_names(turn, there)))
            if gone:
                sentences.append(turn.phrase("utter_product_variants_gone", names=_names(turn, gone)))
        prices = price_of(turn, there)
        if prices is not None and prices[0] == prices[1]:
            sentences.append(turn.phrase("utter_product_costs", price=prices[0]))
        turn.write(turn.joined(sentences), named="utter_product_named_in_stock")
        return None

    @staticmethod
    def _offer_instead(turn: Turn, session: Session, product: Product) -> None:
        alike = products.alike(session, product)
        found = recommendations.recommend(session, now=turn.now, within=alike, exclude={product.id}, limit=3)
        if found:
            turn.say("utter_product_instead", cards=[card_of(turn, item.product) for item in found])


def wants_cheaper(text: str) -> bool:
    """Whether the price was too high: "anything cheaper?", "有便宜点的吗"."""
    return bool(_CHEAPER.search(normal(text)))


def _names(turn: Turn, variants: Sequence[Variant]) -> str:
    return turn.listed([products.option_in(variant.title, turn.language) for variant in variants], most=8)


def _asks_when(turn: Turn) -> bool:
    said = normal(turn.text)
    return any(word in said for word in ("when", "restock", "back in", "什么时候", "补货", "到货", "几时", "何时"))


class Recommend(DeskAction):
    """Suggests what fits: with what was named, within a budget, from a category, never what was just bought."""

    def name(self) -> str:
        return "action_recommend"

    def act(self, turn: Turn) -> list[Event]:
        with crm.session() as session:
            conversation = turn.conversation(session)
            customer_id = conversation.identity.customer_id
            seeds = self._seeds(turn, session)
            budget = self._budget(turn)
            category = self._category(turn, session) if not seeds else set()
            personal = customer_id is None or shown_recommendations.is_personal(customer_id)
            in_trial = personal if customer_id is not None and not seeds else None
            cheaper = budget is None and bool(seeds) and wants_cheaper(turn.text)
            if cheaper:
                budget, category, seeds = self._below(session, seeds[0])
            found = recommendations.recommend(
                session,
                now=turn.now,
                customer_id=customer_id,
                seeds=[product.id for product in seeds],
                within=category or None,
                budget_minor=budget,
                personal=personal,
            )
            if not found and category and not cheaper:
                found = recommendations.recommend(
                    session, now=turn.now, customer_id=customer_id, budget_minor=budget, personal=personal
                )
            if not found:
                if budget is not None and not cheaper:
                    turn.say("utter_recommend_none_budget", budget=turn.amount(budget, turn.shop.currency))
                    return [SlotSet(slots.OFFER, self.name())]
                turn.say("utter_recommend_none")
                return []
            cards = [card_of(turn, item.product, subtitle=self._reason(turn, item)) for item in found]
            if seeds and any(item.reason is recommendations.Reason.BOUGHT_TOGETHER for item in found):
                turn.say("utter_recommend_with", title=products.title_in(seeds[0], turn.language), cards=cards)
            elif cheaper:
                turn.say("utter_recommend_cheaper", cards=cards)
            elif budget is not None:
                turn.say("utter_recommend_budget", budget=turn.amount(budget, turn.shop.currency), cards=cards)
            else:
                turn.say("utter_recommend", cards=cards)
            shown_recommendations.note_shown(
                session, conversation, found, customer_id=customer_id, now=turn.now, personal=in_trial
            )
        return []

    @staticmethod
    def _below(session: Session, product: Product) -> tuple[int | None, set[int], list[Product]]:
        """What costs less than the product that was found too expensive, of its own kind."""
        prices = products.price_range(product)
        return (prices[0] - 1 if prices else None), products.alike(session, product), []

    @staticmethod
    def _seeds(turn: Turn, session: Session) -> list[Product]:
        named = list(products.mentioned(session, turn.text, limit=2)) if _GOES_WITH.search(normal(turn.text)) else []
        known = turn.slot(slots.PRODUCT_ID)
        pointing = bool(turn.text) and (points_back(turn.text) or wants_cheaper(turn.text))
        if not named and known is not None and pointing:
            named = list(products.by_ids(session, [int(known)]))
        return named

    @staticmethod
    def _category(turn: Turn, session: Session) -> set[int]:
        """What was wished for: "a mug for my father", "something for letters"."""
        catalogue = products.catalogue(session)
        return {mention.product_id for mention in catalogue.mentions(turn.text)} | catalogue.in_category(turn.text)

    @staticmethod
    def _budget(turn: Turn) -> int | None:
        """The upper bound in minor units of the shop's currency."""
        said = turn.detail("budget")
        if said is None:
            return None
        try:
            return money.parse(said, turn.shop.currency)
        except money.NotAnAmount:
            return None

    @staticmethod
    def _reason(turn: Turn, item: recommendations.Recommendation) -> str:
        title = products.title_in(item.because_of, turn.language) if item.because_of is not None else ""
        if item.reason is recommendations.Reason.BOUGHT_TOGETHER and not title:
            return turn.phrase("utter_reason_popular")
        return turn.phrase(f"utter_reason_{item.reason}", title=title)
