import pytest

from crm.effects import Verdict, compare, compare_means, in_control_group


def test_the_interval_is_the_one_newcombe_published() -> None:
    """Table II of Newcombe (1998), method 10: 56/70 against 48/80."""
    effect = compare(70, 56, 80, 48)

    assert effect.difference == pytest.approx(0.2)
    assert effect.low == pytest.approx(0.0524, abs=5e-5)
    assert effect.high == pytest.approx(0.3339, abs=5e-5)
    assert effect.verdict is Verdict.MORE


def test_small_groups_tell_nothing_however_large_the_difference() -> None:
    assert compare(29, 29, 400, 0).verdict is Verdict.TOO_FEW


def test_equal_shares_show_no_difference() -> None:
    assert compare(200, 40, 100, 20).verdict is Verdict.NO_DIFFERENCE


def test_an_empty_group_leaves_everything_possible() -> None:
    effect = compare(10, 5, 0, 0)

    assert effect.verdict is Verdict.TOO_FEW
    assert effect.low < 0 < effect.high


def test_more_successes_than_members_are_refused() -> None:
    with pytest.raises(ValueError, match="more successes"):
        compare(3, 4, 10, 1)


def test_the_control_group_is_as_large_as_asked_and_always_the_same() -> None:
    drawn = [in_control_group("replenishment", str(member), 0.2) for member in range(5_000)]

    assert sum(drawn) / len(drawn) == pytest.approx(0.2, abs=0.02)
    assert drawn == [in_control_group("replenishment", str(member), 0.2) for member in range(5_000)]


def test_trials_draw_independently() -> None:
    one = {member for member in range(5_000) if in_control_group("one", str(member), 0.5)}
    other = {member for member in range(5_000) if in_control_group("other", str(member), 0.5)}

    assert len(one & other) / 5_000 == pytest.approx(0.25, abs=0.03)


def test_means_are_compared_as_a_textbook_does():
    # Student's quantile at 18 degrees of freedom is 2.101; both spreads are equal, so Welch's interval is Student's.
    one, other = [float(n) for n in range(10)], [float(n) + 2 for n in range(10)]
    effect = compare_means(other, one)
    assert effect.difference == 2.0
    assert abs((effect.high - effect.low) / 2 - 2.101 * 1.354) < 0.01
    assert effect.verdict is Verdict.TOO_FEW


def test_without_customers_a_mean_has_no_bounds():
    effect = compare_means([], [1.0])
    assert effect.verdict is Verdict.TOO_FEW
    assert effect.low < -1e9 < 1e9 < effect.high
