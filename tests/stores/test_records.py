# SPDX-License-Identifier: Apache-2.0
"""Records are numbered in the order in which they were appended, whatever their times say."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from overt.stores.sql import SqlStores
from overt.testing.stores import NOON, make_event

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_the_tail_follows_the_order_of_appending(stores: SqlStores) -> None:
    times = [NOON, NOON, NOON - dt.timedelta(days=400), NOON - dt.timedelta(days=1)]  # a clock that stood and jumped
    events = [replace(make_event(number), time=time) for number, time in zip((3, 1, 2, 0), times, strict=True)]
    for event in events:
        with stores.write() as unit:
            unit.records.append(event)
    with stores.read() as unit:
        assert unit.records.tail(9) == events[::-1]
        assert unit.records.tail(0) == []
