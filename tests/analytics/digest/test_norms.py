import pytest

from analytics.digest.norms import Standing, norm_of, standing


def test_three_weeks_are_too_few_to_say_what_is_usual() -> None:
    assert norm_of([10, 12, 11], counts=True) is None
    assert standing(100, None) is Standing.NEW


def test_the_usual_range_is_students_prediction_interval() -> None:
    """Mean 10, spread 2, n = 5: 10 ± 2.132 · 2 · sqrt(1.2)."""
    norm = norm_of([8, 8, 10, 12, 12], counts=False)

    assert norm is not None
    assert norm.low == pytest.approx(10 - 4.6709, abs=1e-3)
    assert norm.high == pytest.approx(10 + 4.6709, abs=1e-3)


def test_steady_counts_still_vary_by_chance() -> None:
    norm = norm_of([4] * 8, counts=True)

    assert norm is not None
    assert standing(6, norm) is Standing.USUAL
    assert standing(12, norm) is Standing.HIGH


def test_a_range_of_counts_does_not_begin_below_nothing() -> None:
    norm = norm_of([0, 1, 0, 1, 0, 0, 1, 0], counts=True)

    assert norm is not None
    assert norm.low == 0
