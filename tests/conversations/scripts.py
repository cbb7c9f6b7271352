"""Conversations told in YAML: what a customer says turn by turn, and what the answer must and must not hold.

    - name: a stranger's e-mail
      turns:
      - {say: "Where is 1383? It's siqi.chen@example.net", expect: "can't find", forbid: [on its way, Osmanthus]}
      - {press: Talk to a person, expect: owner}

``say`` is typed, ``press`` clicks the button of the last answer whose title holds these words. ``expect`` and
``forbid`` are regular expressions, one or a list, read over everything shown: texts, buttons, cards. ``buttons`` names
titles that must be offered. The answer has to be in the file's language unless ``language`` says otherwise; ``any``
leaves it open.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]")
_NOT_LANGUAGE = re.compile(r"\S+@\S+|https?://\S+|\b[A-Z]{2}\d{6,}\S*|“[^”]*”|CNY|ml\b|cm\b")


@dataclass(frozen=True)
class Line:
    """One turn."""

    say: str
    press: str
    expect: tuple[str, ...]
    forbid: tuple[str, ...]
    buttons: tuple[str, ...]
    language: str


@dataclass(frozen=True)
class Script:
    name: str
    kind: str
    language: str
    lines: tuple[Line, ...]

    @property
    def id(self) -> str:
        return f"{self.language}-{self.kind}-{self.name}".replace(" ", "-")


@dataclass
class Outcome:
    """What came of a conversation. Without problems it passed."""

    problems: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)


def _many(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def _line(raw: dict[str, Any], language: str) -> Line:
    unknown = set(raw) - {"say", "press", "expect", "forbid", "buttons", "language"}
    if unknown or ("say" in raw) == ("press" in raw):
        raise ValueError(f"a turn has either say or press, and no {sorted(unknown)}: {raw}")
    return Line(
        say=str(raw.get("say", "")),
        press=str(raw.get("press", "")),
        expect=_many(raw.get("expect")),
        forbid=_many(raw.get("forbid")),
        buttons=_many(raw.get("buttons")),
        language=str(raw.get("language", language)),
    )


def load_scripts() -> list[Script]:
    """All conversations; the folder is the language, the file's name the kind."""
    scripts = []
    for path in sorted(FOLDER.glob("??/*.yml")):
        language = path.parent.name
        for raw in yaml.safe_load(path.read_text(encoding="utf-8")):
            lines = tuple(_line(turn, language) for turn in raw["turns"])
            scripts.append(Script(str(raw["name"]), path.stem, language, lines))
    return scripts


def visible(replies: list[dict[str, Any]]) -> str:
    """Everything a customer sees of an answer."""
    shown: list[str] = []
    for reply in replies:
        shown.append(reply["text"])
        shown += [button["title"] for button in reply.get("buttons", [])]
        for card in reply.get("cards", []):
            shown += [str(card[key]) for key in ("title", "subtitle", "text", "price", "badge") if card.get(key)]
    return "\n".join(shown)


def titles(replies: list[dict[str, Any]]) -> list[dict[str, str]]:
    """All buttons of an answer, those on cards included."""
    found: list[dict[str, str]] = []
    for reply in replies:
        found += reply.get("buttons", [])
        for card in reply.get("cards", []):
            found += card.get("buttons", [])
    return found


def speaks(replies: list[dict[str, Any]], names: list[str]) -> str:
    """zh, en, or "" when too little is said to tell. Names of the shop and its products say nothing."""
    text = "\n".join(reply["text"] for reply in replies)
    for name in names:
        text = text.replace(name, " ")
    text = _NOT_LANGUAGE.sub(" ", text)
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    if han + latin < 4:
        return ""
    return "zh" if han / (han + latin) >= 0.35 else "en"


def judge(line: Line, replies: list[dict[str, Any]], names: list[str]) -> list[str]:
    """What is wrong with the answer."""
    text = visible(replies)
    problems = [] if replies else ["no reply"]
    problems += [f"expected /{p}/" for p in line.expect if not re.search(p, text, re.I)]
    problems += [f"forbidden /{p}/" for p in line.forbid if re.search(p, text, re.I)]
    offered = [button["title"] for button in titles(replies)]
    problems += [f"no button {title!r}" for title in line.buttons if not any(title in o for o in offered)]
    spoken = speaks(replies, names)
    if line.language != "any" and spoken not in ("", line.language):
        problems.append(f"speaks {spoken}, not {line.language}")
    return problems
