"""When a matter counts as settled, in stories."""

from datetime import UTC, datetime, timedelta

from crm.models import Author
from crm.resolution import LogLine, Outcome, matters

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = MONDAY + timedelta(days=30)


def talk(*lines: tuple[float, Author, str | None], order: str | None = None) -> list[LogLine]:
    """Lines at so many hours after Monday morning."""
    return [LogLine(MONDAY + timedelta(hours=at), author, intent, order) for at, author, intent in lines]


def outcomes(log: list[LogLine], as_of: datetime = LATER, **more: object) -> list[Outcome]:
    return [matter.outcome for matter in matters(log, as_of=as_of, **more)]  # type: ignore[arg-type]


CUSTOMER, BOT, OWNER = Author.CUSTOMER, Author.BOT, Author.OWNER
ASKED = talk((0, CUSTOMER, "track_order"), (0.01, BOT, None))


def test_thanks_confirm() -> None:
    assert outcomes(ASKED + talk((0.02, CUSTOMER, "thank"), (0.03, BOT, None))) == [Outcome.CONFIRMED]


def test_a_good_score_confirms_and_a_bad_one_does_not_settle() -> None:
    soon = MONDAY + timedelta(minutes=5)
    assert outcomes(ASKED, scores=[(soon, 5)]) == [Outcome.CONFIRMED]
    assert outcomes(ASKED, scores=[(soon, 1)]) == [Outcome.ABANDONED]


def test_silence_after_an_answer_is_assumed_only_once_a_day_has_passed() -> None:
    assert outcomes(ASKED, as_of=MONDAY + timedelta(hours=5)) == [Outcome.OPEN]
    assert outcomes(ASKED) == [Outcome.ASSUMED]


def test_who_leaves_before_the_answer_or_in_the_middle_was_not_helped() -> None:
    assert outcomes(talk((0, CUSTOMER, "track_order"))) == [Outcome.ABANDONED]
    asks = [*talk((0, CUSTOMER, "track_order")), LogLine(MONDAY, BOT, asks=True)]
    assert outcomes(asks) == [Outcome.ABANDONED]
    assert outcomes(talk((0, CUSTOMER, "out_of_scope"), (0.01, BOT, None))) == [Outcome.ABANDONED]


def test_a_handoff_outranks_the_thanks_that_follow() -> None:
    log = ASKED + talk((0.2, OWNER, None), (0.3, CUSTOMER, "thank"))
    assert outcomes(log, handoffs=[MONDAY + timedelta(minutes=2)]) == [Outcome.HANDED_OVER]


def test_the_same_matter_within_three_days_takes_the_credit_back() -> None:
    again = talk((60, CUSTOMER, "track_order"), (60.01, BOT, None))
    assert outcomes(ASKED + again) == [Outcome.REOPENED, Outcome.ASSUMED]
    much_later = talk((100, CUSTOMER, "track_order"), (100.01, BOT, None))
    assert outcomes(ASKED + much_later) == [Outcome.ASSUMED, Outcome.ASSUMED]
    other = talk((60, CUSTOMER, "discount_info"), (60.01, BOT, None))
    assert outcomes(ASKED + other) == [Outcome.ASSUMED, Outcome.ASSUMED]


def test_the_same_order_is_the_same_matter_whatever_is_asked_about_it() -> None:
    first = talk((0, CUSTOMER, "track_order"), (0.01, BOT, None), order="1042")
    later = talk((30, CUSTOMER, "refund_status"), (30.01, BOT, None), order="1042")
    assert outcomes(first + later)[0] is Outcome.REOPENED


def test_a_greeting_is_no_matter() -> None:
    assert outcomes(talk((0, CUSTOMER, "greet"), (0.01, BOT, None))) == []


def test_nothing_later_than_asked_for_is_looked_at() -> None:
    again = talk((60, CUSTOMER, "track_order"), (60.01, BOT, None))
    assert outcomes(ASKED + again, as_of=MONDAY + timedelta(hours=50)) == [Outcome.ASSUMED]
