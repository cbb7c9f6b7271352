from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime
from sqlalchemy.dialects import sqlite

from crm.types import UtcDateTime

_DIALECT = sqlite.dialect()
_STORED = UtcDateTime().bind_processor(_DIALECT)
_READ = UtcDateTime().result_processor(_DIALECT, None)
_PLAIN = DateTime().dialect_impl(_DIALECT).bind_processor(_DIALECT)
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1000, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC) | _zones))  # noqa: DTZ001
def test_a_moment_lies_in_sqlite_as_its_dialect_writes_it_and_comes_back_in_utc(moment: datetime) -> None:
    assert _STORED is not None
    assert _READ is not None
    assert _PLAIN is not None
    text = _STORED(moment)
    assert text == _PLAIN(moment.astimezone(UTC).replace(tzinfo=None))
    assert _READ(text) == moment
    assert _READ(text).tzinfo is UTC


def test_no_moment_stays_none() -> None:
    assert _STORED is not None
    assert _READ is not None
    assert (_STORED(None), _READ(None)) == (None, None)


def test_a_moment_without_a_zone_is_refused() -> None:
    assert _STORED is not None
    with pytest.raises(ValueError, match="no time zone"):
        _STORED(datetime(2026, 11, 22, 12))  # noqa: DTZ001
