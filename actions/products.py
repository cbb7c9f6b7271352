"""Products: price, details and stock, of whatever the catalogue holds at this moment."""

from abc import abstractmethod
from collections.abc import Sequence

from rasa_sdk.events import SlotSet
from sqlalchemy.orm import Session

import crm
from actions import slots
from actions.base import DeskAction
from actions.facts import FEW, card_of, description_of, price_of, stock_left
from actions.knowledge import passage_for, tell
from actions.references import content_words, points_back
from actions.turn import Event, Turn
from crm import money, products, recommendations
from crm.models import Product, Variant
from crm.text import normal

SHOWN_AT_ONCE = 4


def products_meant(turn: Turn, session: Session) -> Sequence[Product]:
    """The product or products a message is about: pressed, named, or the one talked about before."""
    known = turn.slot(slots.PRODUCT_ID)
    pressed = turn.detail("product_id")
    if pressed is not None and pressed.isdigit():
        return products.by_ids(session, [int(pressed)])
    named = products.mentioned(session, turn.text)
    if named:
        return named
    if known is not None and points_back(turn.text):
        return products.by_ids(session, [int(known)])
    return []


class ProductAction(DeskAction):
    """Base: finds the product, asks which when several fit, looks in the articles when none does."""

    @abstractmethod
    def tell_one(self, turn: Turn, session: Session, product: Product) -> None:
        """Answers about the one product that was meant."""

    def act(self, turn: Turn) -> list[Event]:
        with crm.session() as session:
            meant = products_meant(turn, session)
            if len(meant) == 1:
                self.tell_one(turn, session, meant[0])
                return [SlotSet(slots.PRODUCT_ID, meant[0].id)]
            if meant:
                turn.say("utter_which_product", cards=[card_of(turn, product) for product in meant[:SHOWN_AT_ONCE]])
                return []
            return self._none_found(turn, session)

    def _none_found(self, turn: Turn, session: Session) -> list[Event]:
        passage = passage_for(turn)
        if passage is not None:
            tell(turn, passage)
            return []
        category = products.catalogue(session).in_category(turn.text)
        if category:
            found = [p for p in products.by_ids(session, category) if products.in_stock(p)]
            if found:
                turn.say("utter_category_in_stock", cards=[card_of(turn, p) for p in found[:SHOWN_AT_ONCE]])
            else:
                turn.say("utter_category_gone")
            return []
        if content_words(turn.text) or turn.pressed:
            turn.say("utter_product_unknown")
            return []
        turn.say("utter_need_product")
        return []


def _variants(turn: Turn, product: Product) -> Sequence[Variant]:
    """The variants the message names, else all."""
    return products.variants_named(product, turn.text) or product.variants


def _full_title(turn: Turn, product: Product, variants: Sequence[Variant]) -> str:
    title = products.title_in(product, turn.language)
    if len(variants) == 1 and variants[0].title:
        chosen = products.option_in(variants[0].title, turn.language)
        return f"{title}（{chosen}）" if turn.language == "zh" else f"{title} ({chosen})"
    return title


class TellProductInfo(ProductAction):
    def name(self) -> str:
        return "action_product_info"

    def tell_one(self, turn: Turn, session: Session, product: Product) -> None:
        variants = _variants(turn, product)
        prices = price_of(turn, variants)
        title = _full_title(turn, product, variants)
        sentences: list[str] = []
        if prices is not None:
            low, high = prices
            sentences.append(
                turn.phrase("utter_product_price", title=title, price=low)
                if low == high
                else turn.phrase("utter_product_price_range", title=title, low=low, high=high)
            )
            before = max((v.compare_at_minor or 0) for v in variants)
            if low == high and before > variants[0].price_minor:
                sentences.append(turn.phrase("utter_product_was", before=turn.amount(before, variants[0].currency)))
        else:
            sentences.append(f"{title}。" if turn.language == "zh" else f"{title}.")
        left = stock_left(variants)
        if not any(variant.in_stock for variant in variants):
            sentences.append(turn.phrase("utter_product_out_of_stock"))
        elif left is not None and left <= FEW:
            sentences.append(turn.phrase("utter_product_few_left", count=left))
        else:
            sentences.append(turn.phrase("utter_product_in_stock"))
        text = turn.joined(sentences)
        description = description_of(turn, product)
        turn.write(f"{text}\n{description}" if description else text, named="utter_product_price")


class TellAvailability(ProductAction):
    def name(self) -> str:
        return "action_product_availability"

    def tell_one(self, turn: Turn, session: Session, product: Product) -> None:
        variants = _variants(turn, product)
        title = _full_title(turn, product, variants)
        there = [variant for variant in variants if variant.in_stock]
        left = stock_left(there)
        if not there:
            turn.say(
                "utter_product_named_out_of_stock",
                title=title,
                extra=turn.phrase("utter_product_restock_unknown") if _asks_when(turn) else "",
            )
            self._offer_instead(turn, session, product)
            return
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
            sentences.append(turn.phrase("utter_product_price", title=title, price=prices[0]))
        turn.write(turn.joined(sentences), named="utter_product_named_in_stock")

    @staticmethod
    def _offer_instead(turn: Turn, session: Session, product: Product) -> None:
        alike = products.alike(session, product)
        found = recommendations.recommend(session, now=turn.now, within=alike, exclude={product.id}, limit=3)
        if found:
            turn.say("utter_product_instead", cards=[card_of(turn, item.product) for item in found])


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
            category = products.catalogue(session).in_category(turn.text) if not seeds else set()
            found = recommendations.recommend(
                session,
                now=turn.now,
                customer_id=customer_id,
                seeds=[product.id for product in seeds],
                within=category or None,
                budget_minor=budget,
            )
            if not found:
                if budget is not None:
                    turn.say("utter_recommend_none_budget", budget=turn.amount(budget, turn.shop.currency))
                else:
                    turn.say("utter_recommend_none")
                return slots.reset(slots.BUDGET)
            cards = [card_of(turn, item.product, subtitle=self._reason(turn, item)) for item in found]
            if seeds and any(item.reason is recommendations.Reason.BOUGHT_TOGETHER for item in found):
                turn.say("utter_recommend_with", title=products.title_in(seeds[0], turn.language), cards=cards)
            elif budget is not None:
                turn.say("utter_recommend_budget", budget=turn.amount(budget, turn.shop.currency), cards=cards)
            else:
                turn.say("utter_recommend", cards=cards)
            recommendations.note_shown(session, conversation, found, customer_id=customer_id, now=turn.now)
        return slots.reset(slots.BUDGET)

    @staticmethod
    def _seeds(turn: Turn, session: Session) -> list[Product]:
        named = list(products.mentioned(session, turn.text, limit=2))
        known = turn.slot(slots.PRODUCT_ID)
        if not named and known is not None and turn.text and points_back(turn.text):
            named = list(products.by_ids(session, [int(known)]))
        return named

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
