# SPDX-License-Identifier: Apache-2.0
"""Moments keep their order and every microsecond."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from overt.stores.schema import Moment

DIALECT = sqlite.dialect()
MOMENTS = st.datetimes(
    min_value=dt.datetime(1900, 1, 1),  # noqa: DTZ001
    max_value=dt.datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@given(MOMENTS, MOMENTS)
def test_a_moment_comes_back_in_utc_and_in_order(one: dt.datetime, other: dt.datetime) -> None:
    stored = [Moment().process_bind_param(each, DIALECT) for each in (one, other)]
    assert stored[0] is not None
    assert stored[1] is not None
    back = Moment().process_result_value(stored[0], DIALECT)
    assert back == one.astimezone(dt.UTC)
    assert back.utcoffset() == dt.timedelta(0)
    assert (stored[0] < stored[1]) == (one.astimezone(dt.UTC) < other.astimezone(dt.UTC))


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Moment().process_bind_param(dt.datetime(2026, 1, 1), DIALECT)  # noqa: DTZ001
