"""What a text is matched by: its words, the ideas behind them, Han characters and pairs, and the facts it states.

A text is read into units, one for each thing it says. A unit lists every term that would match it, with how much such
a match counts: the word itself fully, a word for the same idea somewhat less, a neighbouring idea little.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crm.text import HAN, normal
from crm.thesaurus import FILLERS, latin_tokens, thesaurus, word_stem

SAME_IDEA = 0.95
NEIGHBOUR = 0.35
PART_OF_WORD = 0.5
ONE_CHARACTER = 0.6
_AMBIGUITY = 0.25
_STATED = 0.5
_CHARACTER_FILED = 0.3
ELSEWHERE = "elsewhere"
STOP_WORDS = frozenset(
    (
        "a about actually again all also am an and any anyone anything are as at be been being but by can cant could "
        "couldnt d did didnt do does doesnt doing done dont else even ever every everything for from get gets getting "
        "give go goes going gonna got gotta had hadnt has hasnt have havent having he hello help her hers hey hi him "
        "his how i id if ill im in into is isnt it its itself ive just kind know let lets like ll long m make many may "
        "maybe me mean might mine more most much must my myself need no nope not now of oh ok okay on one only or our "
        "out over please pls put quite re really s said same say says see shall she should shouldnt so some something "
        "sort still such sure take tell than thank thanks that thats the their them then there theres these they "
        "theyre thing things think this those thx till to too u until up ur us very ve wanna want wants was wasnt way "
        "we well were what whats when where wheres which while who whose why will with wont would wouldnt ya yes yet "
        "you youd youll your youre yours"
    ).split()
)
_STOP_HAN = re.compile(
    "请问|你好|您好|想问|我想|帮我|怎么样|怎么|怎样|如何|什么|为什么|为啥|多少|可以|可不可以|能不能|能否|是不是|有没有|是否|要不要|"
    "一下|告诉|知道|你们|我们|他们|你家|我家|咱们|这个|那个|哪些|哪里|这些|那些|一个|一款|如果|的话|还是|或者|因为|所以|但是|"
    "不行|行不行|行吗|好不好|会不会|麻烦|老板|亲|谢谢|大概|一般|应该|直接|已经|还有|就是|"
    "[的了吗呢吧啊呀哦么咋啥嘛哈呗我你您他她它是在有和与也都就还又再把被给让要会能请个这那哪几很太不没想上下里对从跟去来得着过只先后到用]"
)
# What a sentence states answers the questions that ask for such a thing.
_FACTS = tuple(
    (re.compile(pattern), idea)
    for pattern, idea in (
        (r"\d\s*(?:working |business )?(?:days?|weeks?|months?|years?|hours?|min|h\b)", "how long"),
        (r"\d\s*(?:个?工作日|天|周|个?月|年|个?小时|分钟)", "how long"),
        (r"\d\s*(?:cny|usd|eur|gbp|yuan|元|块|percent|%|dollars?|euros?|pounds?)|[$€£¥]\s*\d", "price"),
        (r"\d\s*%|\d\s*折", "discount"),
        (r"\d\s*(?:°|degrees?|celsius|度)", "temperature"),
        (r"\d\s*(?:cm|mm|inch|厘米|毫米|公分)", "size"),
        (r"\d\s*(?:kg|g|lbs?|公斤|千克|克|斤)\b", "weight"),
        (r"\d\s*(?:ml|l|毫升|升)\b", "capacity"),
        (r"\d{1,2}:\d\d|\d\s*(?:am|pm)\b|\d\s*点", "opening hours"),
        (r"\d\s*(?:january|february|march|april|may|june|july|august)\b", "when"),
        (r"\d\s*(?:september|october|november|december)\b|\d\s*月\s*\d|monday|friday|周[一二三四五六日]", "when"),
        (r"\S@\S+\.\w", "email"),
        (r"up to \d|at most|最多|不超过|no more than", "how many"),
    )
)

Correct = Callable[[str], str | None]


@dataclass
class Unit:
    """One thing a text says, and the terms that match it with their weights (0–1)."""

    terms: dict[str, float] = field(default_factory=dict)
    elsewhere: bool = False  # it names nothing but matters that are no shop's business

    def add(self, term: str, weight: float) -> None:
        self.terms[term] = max(weight, self.terms.get(term, 0.0))

    def add_ideas(self, ideas: Sequence[str]) -> None:
        """The ideas of one word, each the less the more of them it may mean, and the ideas next to them."""
        broader = thesaurus().broader
        weight = SAME_IDEA / len(ideas) ** _AMBIGUITY
        for idea in ideas:
            self.add(f"#{idea}", weight)
            for neighbour in broader.get(idea, ()):
                if neighbour != ELSEWHERE:
                    self.add(f"#{neighbour}", weight * NEIGHBOUR)
        self.elsewhere = all(ELSEWHERE in broader.get(idea, ()) for idea in ideas)


def units_of(text: str, *, correct: Correct | None = None) -> list[Unit]:
    """The units of a text. ``correct`` gives the likeliest meant word for one it does not know, or None."""
    plain = normal(text)
    return [*_latin_units(plain, correct), *_han_units(plain)]


def stated(text: str) -> Unit:
    """The kinds of facts a passage states, as the ideas that a question for them names."""
    plain, unit = normal(text), Unit()
    for pattern, idea in _FACTS:
        if pattern.search(plain):
            unit.add(f"#{idea}", _STATED)
    return unit


def _latin_units(text: str, correct: Correct | None) -> list[Unit]:
    tokens = latin_tokens(text)
    if correct is not None:
        tokens = [correct(token) or token for token in tokens]
    tokens = [token for token in tokens if token not in FILLERS]
    stems = [word_stem(token) for token in tokens]
    plain = [token.replace("'", "") not in STOP_WORDS for token in tokens]
    units = [Unit({root: 1.0}) if content else None for root, content in zip(stems, plain, strict=True)]
    phrases: list[Unit] = []
    for match in thesaurus().in_words(stems):
        single = units[match.start] if match.end == match.start + 1 else None
        if single is None:
            if match.end == match.start + 1 and not plain[match.start]:
                continue
            single = Unit()
            phrases.append(single)
        single.add_ideas(match.ideas)
    return [unit for unit in units if unit is not None] + phrases


def _han_units(text: str) -> list[Unit]:
    units: list[Unit] = []
    for run in HAN.findall(text):
        free = [True] * len(run)
        for match in thesaurus().in_han(run):
            free[match.start : match.end] = [False] * (match.end - match.start)
            word = run[match.start : match.end]
            unit = _spelt(word)
            unit.add_ideas(match.ideas)
            units.append(unit)
        rest = "".join(char if is_free else " " for char, is_free in zip(run, free, strict=True))
        for piece in _STOP_HAN.sub(" ", rest).split():
            units.extend(_spelt(piece[i : i + 2]) for i in range(max(1, len(piece) - 1)))
    return units


def _spelt(word: str) -> Unit:
    """A Chinese word by its pairs and characters: the shop may write part of it, or the same in another order."""
    unit = Unit({char: ONE_CHARACTER if len(word) > 1 else 1.0 for char in word})
    for i in range(len(word) - 1):
        unit.add(word[i : i + 2], 1.0 if len(word) == 2 else PART_OF_WORD)
    return unit


def terms_of(text: str) -> dict[str, float]:
    """All terms of an owner's text with their weights added up, as they are filed in an index."""
    found: dict[str, float] = {}
    for unit in units_of(text):
        for term, weight in unit.terms.items():
            found[term] = found.get(term, 0.0) + weight
    for run in HAN.findall(normal(text)):
        for term in (*run, *(run[i : i + 2] for i in range(len(run) - 1))):
            found[term] = found.get(term, 0.0) + (1.0 if len(term) == 2 else _CHARACTER_FILED)
    return found
