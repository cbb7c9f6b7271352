"""What a message points to without naming it, and whether it says more than its intent."""

import re

from actions.turn import Turn
from crm.text import HAN, han_pairs, latin_words, normal, stem

_ANOTHER = re.compile(r"\b(another|other|different|not that|second)\b|另[一外]|别的|其他|不是这|换一?个|不是那")
_POINTING = re.compile(
    r"\b(it|its|it's|that|this|these|those|they|them|one|ones)\b|这[个款种件支把只]?|那[个款种件支把只]?|它|此款|该"
)
# Words of a shop's questions that name no product.
_QUESTION_WORDS = frozenset(
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
_QUESTION_HAN = re.compile(
    "请问|你好|您好|亲|多少钱|什么价格?|怎么卖|价格|价钱|几钱|贵不贵|有没有货|有货|现货|库存|缺货|补货|什么时候|到货|还有|"
    "有没有|材质|材料|尺寸|多大|大小|规格|颜色|款式|什么颜色|介绍|一下|详细|信息|怎么用|可以|能不能|能|买|想|要|我|你们|"
    "你|您|这款|那款|这个|那个|这|那|它|的|吗|呢|吧|啊|呀|么|了|是|有|没|还|哪些|哪|什么|怎么样|怎么|多少|几|卖|"
    "蓝色|红色|绿色|黑色|白色|粉色|黄色|灰色|紫色|大号|小号|中号|款|个|件|只|支|盒|货|和|也|都|在|说说|看看|呵|哈|请|麻烦|店|里"
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


def another(text: str) -> bool:
    """Whether the customer means something else than what was talked about."""
    return bool(_ANOTHER.search(normal(text)))


def content_words(text: str) -> list[str]:
    """The words and character pairs that could name something the shop sells."""
    said = normal(text)
    latin = [word for word in latin_words(said) if word not in _QUESTION_WORDS and not word.isdigit() and len(word) > 1]
    rest = _QUESTION_HAN.sub(" ", said)
    return latin + [pair for pair in han_pairs(rest) if len(pair) > 1]


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
