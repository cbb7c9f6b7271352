"""What a message points to without naming it, and whether it says more than its intent."""

import re

from actions.turn import Turn
from crm.text import HAN, han_pairs, latin_words, normal, stem

_ANOTHER = re.compile(r"\b(another|other|different|not that|second)\b|另[一外]|别的|其他|不是这|换一?个|不是那")
_POINTING = re.compile(
    r"\b(it|its|it's|that|this|these|those|they|them|one|ones)\b|这[个款种件支把只]?|那[个款种件支把只]?|它|此款|该"
)
# Words of a shop's questions that name no product.
_ASKED_WITH = frozenset(
    (
        "a an and any are at available be buy by can cheap color colour come cost could detail do does else "
        "expensive for from get got has have he hello hey hi how i in info information is it item kind left like "
        "made many material me more much my need of on one or order please pls price product purchase restock "
        "sell she size so some sort still stock suggest tell than thank that the their them there these they thi "
        "this those to too unit us want was we what when where which who why will with would yet you your about "
        "also back again out sold soon now hmm ok okay yes yeah blue red green black white large small medium big "
        "pink yellow grey gray purple brown orange"
    ).split()
)
_QUESTION_WORDS = _ASKED_WITH | {stem(word) for word in _ASKED_WITH}
_QUESTION_HAN = re.compile(
    "请问|你好|您好|亲|多少钱|什么价格?|怎么卖|价格|价钱|几钱|贵不贵|有没有货|有货|现货|库存|缺货|补货|什么时候|到货|还有|"
    "有没有|材质|材料|尺寸|多大|大小|规格|颜色|款式|什么颜色|介绍|一下|详细|信息|怎么用|可以|能不能|能|买|想|要|我|你们|"
    "你|您|这款|那款|这个|那个|这|那|它|的|吗|呢|吧|啊|呀|么|了|是|有|没|还|哪些|哪|什么|怎么样|怎么|多少|几|卖|"
    "蓝色|红色|绿色|黑色|白色|粉色|黄色|灰色|紫色|大号|小号|中号|款|个|件|只|支|盒|货|和|也|都|在|说说|看看|呵|哈|请|麻烦|店|里"
)


_LETTING_GO = re.compile(
    r"^\W*(?:ok(?:ay)?,? |no,? |oh,? |please )*(?:never ?mind|nvm|forget (?:it|that|about it)|stop|stop it|cancel that|"
    r"start (?:over|again|afresh|anew)|restart|reset|(?:go )?back|main menu|menu|quit|exit|leave it|drop it|"
    r"let'?s start (?:over|again)|changed my mind|i(?:'ve| have)? changed my mind)(?: please| then| thanks)?\W*$|"
    r"^\W*(?:算了吧?|不用了|不查了|不退了|不换了|不取消了|不要了|没事了|当我没说|停|停止|打住|返回|回去|退出|重来|重新来|"
    r"重新开始|从头开始|从头来|回到开头|主菜单|返回主菜单|我改主意了|改主意了)(?:[吧了啊呀,，]|谢谢)*\W*$"
)
_STARTING_OVER = re.compile(r"start|restart|reset|menu|重|从头|开头|菜单|返回|回去|\bback\b")
_NOT_HAVING = re.compile(
    r"\b(?:don'?t|do not|can'?t|cannot|won'?t|will not|couldn'?t|not going to)"
    r"(?: want to| wanna)? ?"
    r"(?:have|know|remember|find|recall|give|share|tell|say|provide|hand|got)\b|"
    r"\b(?:no idea|dunno|rather not)\b|"
    r"\b(?:lost|forgot|forgotten|deleted) (?:it|the|my)\b|"
    r"不知道|不记得|记不[得住清]|忘了|忘记|找不到|没有?订单号|没有?邮箱|没有?手机|不想[给说告提]|不方便|不愿意|不告诉|不给"
)
_CORRECTING = re.compile(
    r"\b(?:mean|meant|sorry|oops|wrong|typo|instead|actually|correction|rather|mistake|mistyped|should be)\b|^\W*no\b|"
    r"说错|打错|写错|输错|不对|错了|不是|应该是|更正|搞错|弄错|我是说"
)
_ASKING = re.compile(
    r"[?？]\s*$|^\W*(?:how|what|when|where|which|who|why|can|could|do|does|is|are|will|would|should)\b|"
    r"[吗呢嘛]\W*$|多少|几天|多久|什么|怎么|哪[里个些]|能不能|可不可以|有没有"
)

_CONTINUING = re.compile(r"^\W*(?:and|what about|how about|then)\b|^\W*那么?|呢\W*$")
_ORDER = re.compile(r"\b(?:orders?|parcels?|packages?|purchases?)\b|订单|包裹|快递|单子|[一那]单")
_PRICE_OR_STOCK = re.compile(
    r"\b(?:price\w*|cost\w*|how much|expensive|stock|available|availability|sold out|left|sell|carry|have)\b|"
    r"[$¥€£]|价|多少钱|多少\W*$|几钱|多钱|贵|便宜|有货|现货|库存|缺货|卖完|售罄|还有|有没有|有哪些|有什么|有吗|有.{1,10}[吗么没]|怎么卖|几块|补货|到货|卖.{1,10}吗"
)

# What a complaint may consist of without saying what is wrong.
_COMPLAINING = frozenset(
    {
        stem(word)
        for word in ("complain complaint file make lodge register raise problem issue unhappy serious report").split()
    }
    | set(han_pairs("投诉"))
    | set(han_pairs("不满意"))
    | set(han_pairs("有意见"))
    | {"诉一", "一下", "满意"}
)


def lets_go(text: str) -> bool:
    """Whether the customer drops what is going on: "never mind", "back", "start over", "算了"."""
    return bool(_LETTING_GO.match(normal(text)))


def does_not_have(text: str) -> bool:
    """Whether somebody who was asked for a detail does not have it, or keeps it to themselves."""
    return bool(_NOT_HAVING.search(normal(text)))


def starts_over(text: str) -> bool:
    """Whether letting go means to begin again rather than to stop."""
    return lets_go(text) and bool(_STARTING_OVER.search(normal(text)))


def asks(text: str) -> bool:
    """Whether the message reads as a question."""
    return bool(_ASKING.search(normal(text)))


def asks_price_or_stock(text: str) -> bool:
    """Whether it is the price or the stock that a question about a product is for."""
    return bool(_PRICE_OR_STOCK.search(normal(text)))


def names_an_order(text: str) -> bool:
    """Whether it is about an order at all."""
    return bool(_ORDER.search(normal(text)))


def names_something(text: str) -> bool:
    """Whether it names anything besides a number: "do you have a 2027 calendar?" is about no order."""
    return any(not any(c.isdigit() for c in word) for word in content_words(text))


def continues(text: str) -> bool:
    """Whether it goes on about the same with another thing: "and the dish?", "那承烛碟呢"."""
    return bool(_CONTINUING.search(normal(text)))


def says_nothing(text: str) -> bool:
    """Whether there is no letter and no figure in it: "?", "…", an emoji."""
    return not any(c.isalnum() for c in text)


def corrects(text: str, intent: str) -> bool:
    """Whether a detail replaces one that was given before: "no, I meant 1384", "说错了，是1384"."""
    return intent == "deny" or bool(_CORRECTING.search(normal(text)))


def another(text: str) -> bool:
    """Whether the customer means something else than what was talked about."""
    return bool(_ANOTHER.search(normal(text)))


def content_words(text: str) -> list[str]:
    """The words and character pairs that could name something the shop sells."""
    said = normal(text)
    latin = [word for word in latin_words(said) if word not in _QUESTION_WORDS and not word.isdigit() and len(word) > 1]
    rest = _QUESTION_HAN.sub(" ", said)
    return latin + [pair for pair in han_pairs(rest) if len(pair) > 1]


def characters_left(text: str) -> list[str]:
    """The Han characters that stand alone once the words of every question are taken out: 洗 in 怎么洗."""
    return [run for run in HAN.findall(_QUESTION_HAN.sub(" ", normal(text))) if len(run) == 1]


def points_back(text: str) -> bool:
    """Whether the message leans on what was said before: "and how much is it?", "那个有货吗", "有货吗"."""
    return not content_words(text) or (bool(_POINTING.search(normal(text))) and len(content_words(text)) <= 1)


def says_what_happened(text: str) -> bool:
    """Whether a complaint tells its reason: "my cup came cracked" does, "I want to complain" does not."""
    return bool(set(content_words(text)) - _COMPLAINING)


def longest_detail(turn: Turn, *, at_least: int) -> str | None:
    """The message itself when it says more than its intent: at least so many words (a Chinese character counts half).

    Order numbers and addresses to write to do not count.
    """
    text = turn.text
    for entity in turn.entities:
        if entity.get("entity") in ("order_number", "email", "phone"):
            start, end = entity.get("start"), entity.get("end")
            if isinstance(start, int) and isinstance(end, int):
                text = text[:start] + " " * (end - start) + text[end:]
    words = len(re.findall(r"[A-Za-z']+", text)) + sum(len(run) for run in HAN.findall(text)) / 2
    return turn.text.strip() if words >= at_least else None
