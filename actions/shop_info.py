"""Questions about the shop itself: delivery, payment, contact, discounts, warranty.

Facts of shop.toml answer first where they fit the question; an article of the owner's that answers it better wins.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from rasa_sdk.events import FollowupAction, SlotSet

import crm
from actions import slots
from actions.base import DeskAction
from actions.facts import day_range, handling_days
from actions.knowledge import passage_for, tell
from actions.products import wants_cheaper
from actions.references import asks_price_or_stock
from actions.topics import beyond
from actions.turn import Event, Turn
from crm import knowledge, products
from crm.shop import Destination, Region
from crm.text import normal

REGIONS_IN_OVERVIEW = 4
SPECIFIC = 2
_WHERE = re.compile(
    r"\b(?:where|located|location|(?<!mail )address|directions?|map|visit|find you)\b|"
    r"哪里|在哪|哪儿|(?<!邮箱)(?<!邮件)地址|位置|怎么走|怎么去"
)
_FREE = re.compile(r"\bfree\b|包邮|免邮|免运|满多少")
_DISPATCH = re.compile(
    r"\b(?:dispatch\w*|send (?:it |them |orders? |things )?out|sent out|ship (?:it |orders? )?out|leave)\b|"
    r"(?:多久|几天|什么时候|何时|几时).{0,3}发货|发货(?:时间|要)|发货.{0,3}(?:多久|几天)"
)


class ShopInfo(DeskAction):
    """Base: facts or an article, else the offer to ask the owner."""

    without: ClassVar[str]  # what is said when the shop states nothing
    topic: ClassVar[str | None] = None  # of whose general questions the shop's facts are the whole answer

    def facts(self, turn: Turn) -> Sequence[str]:
        """Sentences from shop.toml; empty when it says nothing about this."""
        return []

    def act(self, turn: Turn) -> list[Event]:
        if self.topic is not None and turn.detail("order_number"):
            return [FollowupAction("action_inform")]  # "did my payment for 1394 arrive?" is about that order
        sentences = self.facts(turn)
        general = bool(sentences) and self.topic is not None and not beyond(turn.text, self.topic)
        least = knowledge.FITS_BETTER if sentences and self.topic is None else knowledge.SURE
        passage = None if general else passage_for(turn, at_least=least if sentences else knowledge.FITS_THE_TOPIC)
        if passage is not None:
            tell(turn, passage)
        elif sentences:
            turn.write(turn.joined(sentences), named=self.name())
        else:
            turn.say(self.without)
            return [SlotSet(slots.OFFER, "action_handoff")]
        return []


class TellDelivery(ShopInfo):
    without = "utter_delivery_none"
    topic = "delivery"

    def name(self) -> str:
        return "action_delivery_info"

    def act(self, turn: Turn) -> list[Event]:
        place = turn.shop.shipping.mentioned_in(turn.text)
        if place is None:
            return super().act(turn)
        names = [place.name_in(language) for language in ("en", "zh")]
        if place.region is not None and len(beyond(turn.text, self.topic, besides=names)) >= SPECIFIC:
            # Customs, a pick-up, a lost parcel: there is more to it than days and costs.
            passage = passage_for(turn, at_least=knowledge.FITS_BETTER)
            if passage is not None:
                tell(turn, passage)
                return [SlotSet(slots.SUBJECT, self.name())]
        # A named place has one true answer, and it stands in shop.toml.
        if place.region is None:
            turn.say("utter_delivery_not_there", region=place.name_in(turn.language))
            return [SlotSet(slots.OFFER, "action_handoff")]
        turn.write(turn.joined([_to_region(turn, place, place.region), *_common(turn)]), named="utter_delivery_region")
        if turn.detail("order_number"):
            return [FollowupAction("action_inform")]  # it was asked about in the same breath
        return [SlotSet(slots.SUBJECT, self.name())]

    def facts(self, turn: Turn) -> Sequence[str]:
        regions = turn.shop.shipping.regions
        if not regions:
            return []
        said = normal(turn.text)
        if turn.shop.shipping.free_over_minor is not None and _FREE.search(said):
            return [turn.phrase("utter_delivery_free_over", amount=_free_over(turn))]
        if _DISPATCH.search(said):
            return [turn.phrase("utter_delivery_handling", handling=handling_days(turn))]
        shown = [_to_region(turn, Destination(region=region), region) for region in regions[:REGIONS_IN_OVERVIEW]]
        # One region a line: read at a glance where a paragraph would be a wall.
        return ["\n".join(shown) + "\n", *_common(turn)]


def _to_region(turn: Turn, place: Destination, region: Region) -> str:
    name, days = place.name_in(turn.language), day_range(region.days)
    if region.cost_minor == 0:
        return turn.phrase("utter_delivery_region_free", region=name, days=days)
    cost = turn.amount(region.cost_minor, turn.shop.currency)
    return turn.phrase("utter_delivery_region", region=name, days=days, cost=cost)


def _common(turn: Turn) -> list[str]:
    shipping = turn.shop.shipping
    sentences = [turn.phrase("utter_delivery_handling", handling=handling_days(turn))]
    if shipping.free_over_minor is not None:
        sentences.append(turn.phrase("utter_delivery_free_over", amount=_free_over(turn)))
    return sentences


def _free_over(turn: Turn) -> str:
    return turn.amount(turn.shop.shipping.free_over_minor or 0, turn.shop.currency)


class TellPayment(ShopInfo):
    without = "utter_payment_none"
    topic = "payment"

    def name(self) -> str:
        return "action_payment_info"

    def facts(self, turn: Turn) -> Sequence[str]:
        methods = [method.in_language(turn.language) for method in turn.shop.payment.methods]
        return [turn.phrase("utter_payment_methods", methods=turn.listed(methods, most=12))] if methods else []


class TellContact(ShopInfo):
    without = "utter_contact_none"
    topic = "contact"

    def act(self, turn: Turn) -> list[Event]:
        passage = passage_for(turn, at_least=knowledge.FITS_THE_TOPIC) if _WHERE.search(normal(turn.text)) else None
        if passage is None:
            return super().act(turn)
        tell(turn, passage)  # where the shop is, shop.toml does not say
        return []

    def name(self) -> str:
        return "action_contact_info"

    def facts(self, turn: Turn) -> Sequence[str]:
        sentences = []
        if turn.shop.contact_email:
            sentences.append(turn.phrase("utter_contact_email", email=turn.shop.contact_email))
        if turn.shop.opening_hours:
            hours = turn.shop.opening_hours.in_language(turn.language)
            sentences.append(turn.phrase("utter_opening_hours", hours=hours))
        return sentences


class TellDiscounts(ShopInfo):
    without = "utter_discount_none"

    def name(self) -> str:
        return "action_discount_info"

    def act(self, turn: Turn) -> list[Event]:
        if turn.slot(slots.PRODUCT_ID) is not None and wants_cheaper(turn.text):
            return [FollowupAction("action_recommend")]
        if asks_price_or_stock(turn.text) and self._names_a_product(turn):
            return [FollowupAction("action_product_info")]
        if not self.facts(turn) and not beyond(turn.text, "discount"):
            # Which codes there are stands where the article begins; the rest of it is for special cases.
            passage = passage_for(turn, at_least=knowledge.FITS_THE_TOPIC, beginning=True)
            if passage is not None:
                tell(turn, passage)
                return []
        return super().act(turn)

    def facts(self, turn: Turn) -> Sequence[str]:
        free_over = turn.shop.shipping.free_over_minor
        if free_over is None or not any(word in normal(turn.text) for word in ("ship", "包邮", "运费", "免邮", "免运")):
            return []
        return [turn.phrase("utter_delivery_free_over", amount=turn.amount(free_over, turn.shop.currency))]

    @staticmethod
    def _names_a_product(turn: Turn) -> bool:
        with crm.reading() as session:
            return bool(products.catalogue(session).mentions(turn.text))


class TellWarranty(ShopInfo):
    without = "utter_warranty_none"

    def name(self) -> str:
        return "action_warranty_info"
