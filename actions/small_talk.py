"""Greetings, thanks and chat; and staying polite with who is not."""

import re

from rasa_sdk.events import FollowupAction, SlotSet

import crm
from actions import answers, slots
from actions.base import DeskAction
from actions.handoff import back_at, hand_over
from actions.references import asks_price_or_stock, says_nothing
from actions.turn import Event, Turn
from crm import products
from crm.models import HandoffReason
from crm.text import normal

SURE = 0.5  # below, it is rather looked up than chatted away
_RUDE = re.compile(
    r"\b(?:fuck\w*|f\*+ck|fck|wtf|stfu|shit\w*|bullshit|bitch\w*|asshole\w*|bastard\w*|idiot\w*|moron\w*|stupid|dumb|"
    r"crap|retard\w*|screw you|shut up|piece of (?:junk|garbage|trash)|useless (?:bot|thing|robot|crap))\b|"
    r"傻[逼比叉瓜子]|煞笔|沙比|[操艹肏](?:你|蛋)|他妈|妈的|尼玛|[草操]泥马|滚[蛋开远]?(?![动筒烫])|去死|白痴|智障|脑残|废物|蠢|笨蛋|"
    r"有病吧|神经病|垃圾(?:机器人|客服|东西)|王八|狗屁|放屁"
)
_HAPPY = re.compile("[😀-😊😋😍😎🙂🤗🥰😘😚😙😺-😻👍👌🙏🎉🎊💖💕💗💓💞💘💝🌹🌸💐✨🥳👏🙌😆☺❤♥🤩😇🤝✌💪🫶🌟]")
_UNHAPPY = re.compile("[😞-😣😤-😭😠😡🤬👎💔😒😔😕🙁☹😖😫😩😢🤮🤢😾😿🖕💩😑🙄]")


def is_rude(text: str) -> bool:
    """Whether it insults, in either language."""
    return bool(_RUDE.search(normal(text)))


def answer_rudeness(turn: Turn) -> list[Event]:
    """Calm once; the second time the owner is asked to step in."""
    if turn.slot(slots.FAILURES):
        hand_over(turn, HandoffReason.ANGRY)
        turn.say("utter_handoff_angry", extra=back_at(turn))
        return [SlotSet(slots.FAILURES, None)]
    turn.say("utter_rude")
    return [SlotSet(slots.FAILURES, 1), SlotSet(slots.OFFER, "action_handoff")]


def answer_signs(turn: Turn) -> list[Event]:
    """To a message without a word in it: an emoji, or only "?"."""
    if _UNHAPPY.search(turn.text):
        turn.say("utter_emoji_unhappy")
        return [SlotSet(slots.OFFER, "action_handoff")]
    turn.say("utter_emoji_happy" if _HAPPY.search(turn.text) else "utter_nothing_said")
    return []


def _asks_for_goods(turn: Turn) -> bool:
    """Whether the catalogue holds what is asked for: "do you have the tall vase?" is no chat about the bot."""
    if turn.pressed or not asks_price_or_stock(turn.text):
        return False
    with crm.reading() as session:
        catalogue = products.catalogue(session)
        return bool(catalogue.mentions(turn.text) or catalogue.in_category(turn.text))


class SmallTalk(DeskAction):
    """What is answered with a sentence of the domain."""

    understood = False  # rudeness keeps its own count

    def name(self) -> str:
        return "action_small_talk"

    def act(self, turn: Turn) -> list[Event]:
        if is_rude(turn.text):
            return answer_rudeness(turn)
        if says_nothing(turn.text) and not turn.pressed:
            return answer_signs(turn)
        if _asks_for_goods(turn):
            return [FollowupAction("action_product_availability")]
        if turn.text and turn.confidence < SURE:
            return [FollowupAction("action_clarify")]
        intent = turn.intent if turn.intent in answers.PLEASANTRIES else "help"
        turn.say(f"utter_{intent}")
        return [SlotSet(slots.FAILURES, None)]
