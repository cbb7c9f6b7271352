"""Whether a matter was settled, by one definition (docs/metrics.md): stricter than "the customer went away".

A conversation is cut into matters: a pause of more than a day ends one. Greetings alone are no matter.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.briefing import SMALL_TALK
from crm.models import Author, Feedback, Handoff, Message

PAUSE = timedelta(hours=24)
REOPENS_WITHIN = timedelta(hours=72)
CONTENT, UNHAPPY = 4, 2
NOT_UNDERSTOOD = frozenset({"out_of_scope", "nlu_fallback"})
CLOSING = frozenset({"thank", "goodbye"})


class Outcome(StrEnum):
    """How a matter ended. ``OPEN`` is not an end: less than a day has passed."""

    CONFIRMED = "confirmed"
    ASSUMED = "assumed"
    HANDED_OVER = "handed_over"
    ABANDONED = "abandoned"
    REOPENED = "reopened"
    OPEN = "open"


RESOLVED = (Outcome.CONFIRMED, Outcome.ASSUMED)


class LogLine(NamedTuple):
    """One message of a conversation's log, as far as it matters here."""

    at: datetime
    author: Author
    intent: str | None = None
    order: str | None = None
    asks: bool = False  # the bot's line asks for something and waits


class Matter(NamedTuple):
    """One matter from its first line to its last. ``subjects`` are intents and order numbers."""

    started_at: datetime
    ended_at: datetime
    subjects: frozenset[str]
    outcome: Outcome
    by_owner: bool


@dataclass(frozen=True)
class Week:
    """Matters that began in a stretch of time. ``conversations`` names those behind each figure."""

    matters: int
    outcomes: dict[Outcome, int]
    conversations: dict[Outcome, Sequence[int]]

    @property
    def rate(self) -> float | None:
        """Confirmed and assumed among all that ended, 0 to 1; None before anything ended."""
        ended = self.matters - self.outcomes.get(Outcome.OPEN, 0)
        return sum(self.outcomes.get(outcome, 0) for outcome in RESOLVED) / ended if ended else None


def matters(
    log: Sequence[LogLine],
    *,
    handoffs: Sequence[datetime] = (),
    scores: Sequence[tuple[datetime, int]] = (),
    as_of: datetime,
) -> list[Matter]:
    """The matters of one conversation, oldest first.

    log      : both sides, oldest first
    handoffs : when the conversation was handed to the owner
    scores   : when which CSAT, 1 to 5, was given
    as_of    : nothing later is looked at
    """
    found: list[Matter] = []
    for lines in _stretches([line for line in log if line.at <= as_of]):
        matter = _matter(lines, handoffs, scores, as_of)
        if matter is not None:
            found.append(matter)
    return _without_credit_for_the_reopened(found)


def _stretches(log: Iterable[LogLine]) -> list[list[LogLine]]:
    stretches: list[list[LogLine]] = []
    for line in log:
        if not stretches or line.at - stretches[-1][-1].at > PAUSE:
            stretches.append([])
        stretches[-1].append(line)
    return stretches


def _matter(
    lines: Sequence[LogLine],
    handoffs: Sequence[datetime],
    scores: Sequence[tuple[datetime, int]],
    as_of: datetime,
) -> Matter | None:
    said = [line for line in lines if line.author is Author.CUSTOMER]
    subjects = {line.intent for line in said if line.intent and line.intent not in SMALL_TALK}
    missed = [line for line in said if line.intent in NOT_UNDERSTOOD]
    started, ended = lines[0].at, lines[-1].at
    handed = any(started <= at <= ended + PAUSE for at in handoffs)
    if not said or not (subjects or missed or handed):
        return None
    given = [score for at, score in scores if started <= at <= ended + PAUSE]
    orders = {line.order for line in said if line.order}
    return Matter(
        started_at=started,
        ended_at=ended,
        subjects=frozenset({*subjects, *orders}),
        outcome=_outcome(lines, said, handed=handed, given=given, is_over=as_of - ended > PAUSE),
        by_owner=any(line.author is Author.OWNER for line in lines),
    )


def _outcome(
    lines: Sequence[LogLine], said: Sequence[LogLine], *, handed: bool, given: Sequence[int], is_over: bool
) -> Outcome:
    if given and given[-1] <= UNHAPPY:
        return Outcome.HANDED_OVER if handed else Outcome.ABANDONED
    if handed:
        return Outcome.HANDED_OVER
    if given and given[-1] >= CONTENT:
        return Outcome.CONFIRMED
    last, last_said = lines[-1], said[-1]
    if last_said.intent in CLOSING and len(said) > 1:
        return Outcome.CONFIRMED
    if not is_over:
        return Outcome.OPEN
    if last.author is Author.CUSTOMER or last.asks or last_said.intent in NOT_UNDERSTOOD:
        return Outcome.ABANDONED
    return Outcome.ASSUMED


def _without_credit_for_the_reopened(found: Sequence[Matter]) -> list[Matter]:
    kept = list(found)
    for index, matter in enumerate(kept):
        if matter.outcome not in RESOLVED:
            continue
        for later in kept[index + 1 :]:
            if later.started_at - matter.ended_at <= REOPENS_WITHIN and later.subjects & matter.subjects:
                kept[index] = matter._replace(outcome=Outcome.REOPENED)
                break
    return kept


def between(session: Session, since: datetime, until: datetime, *, as_of: datetime) -> Week:
    """The matters that began in ``since`` ≤ t < ``until``, judged by what is known at ``as_of``."""
    outcomes: Counter[Outcome] = Counter()
    behind: dict[Outcome, list[int]] = {outcome: [] for outcome in Outcome}
    for conversation_id, found in _all_matters(session, since, until, as_of).items():
        for matter in found:
            if since <= matter.started_at < until:
                outcomes[matter.outcome] += 1
                behind[matter.outcome].append(conversation_id)
    return Week(
        matters=sum(outcomes.values()),
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
        conversations={outcome: tuple(dict.fromkeys(ids)) for outcome, ids in behind.items()},
    )


def _all_matters(session: Session, since: datetime, until: datetime, as_of: datetime) -> dict[int, list[Matter]]:
    # A matter that began before and went on, or one that reopens it later, takes part in the judgement.
    earliest, latest = since - REOPENS_WITHIN, min(as_of, until + REOPENS_WITHIN + PAUSE)
    logs: dict[int, list[LogLine]] = {}
    for conversation_id, at, author, intent, entities, buttons, text in session.execute(
        select(
            Message.conversation_id,
            Message.created_at,
            Message.author,
            Message.intent,
            Message.entities,
            Message.buttons,
            Message.text,
        )
        .where(Message.created_at >= earliest, Message.created_at < latest)
        .order_by(Message.conversation_id, Message.seq)
    ):
        logs.setdefault(conversation_id, []).append(_line(at, author, intent, entities, buttons, text))
    handed: dict[int, list[datetime]] = {}
    for conversation_id, at in session.execute(
        select(Handoff.conversation_id, Handoff.opened_at).where(
            Handoff.opened_at >= earliest, Handoff.opened_at < latest
        )
    ):
        handed.setdefault(conversation_id, []).append(at)
    scored: dict[int, list[tuple[datetime, int]]] = {}
    for conversation_id, at, score in session.execute(
        select(Feedback.conversation_id, Feedback.given_at, Feedback.score)
        .where(Feedback.given_at >= earliest, Feedback.given_at < latest)
        .order_by(Feedback.given_at)
    ):
        scored.setdefault(conversation_id, []).append((at, score))
    return {
        number: matters(log, handoffs=handed.get(number, ()), scores=scored.get(number, ()), as_of=as_of)
        for number, log in logs.items()
    }


def _line(
    at: datetime,
    author: Author,
    intent: str | None,
    entities: list[dict[str, object]] | None,
    buttons: list[dict[str, object]] | None,
    text: str,
) -> LogLine:
    numbers = [str(e.get("value")) for e in entities or [] if e.get("entity") == "order_number"]
    # Only a bare question waits for an answer; one that follows information ("… Anything else?") does not.
    asks = author is Author.BOT and not buttons and text.rstrip().endswith(("?", "？")) and len(text) < 160
    return LogLine(at=at, author=author, intent=intent, order=numbers[-1] if numbers else None, asks=asks)
