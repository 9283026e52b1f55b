# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from overt.stores.base import NotFoundError, StoreError
from overt.stores.sql import SqlStores
from overt.streams.judging import judge
from overt.testing.stores import ACCOUNT, NOON, make_alert
from overt.types import FaceSearch, Options, Stream, Wanted

MOST = 1_000_000
ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1"


def add(stores: SqlStores, **changes: Any) -> None:
    wanted = Wanted(ARN, search=FaceSearch("people", 0.8), options=Options(targets=("file:///alerts",), reviews=True))
    with stores.write() as unit:
        unit.alerts.add(replace(make_alert(1), id="one", stream="key", stream_name="gate", end=None, **changes))
        unit.streams.add(Stream("key", ACCOUNT, "gate", wanted, NOON, NOON))


def waiting(stores: SqlStores) -> dict[str, list[str]]:
    """Types of what waits, by target."""
    with stores.write() as unit:
        turns = [unit.parcels.claim(number, "one", 60) for number, _ in unit.parcels.due("one")]
    with stores.read() as unit:
        return {
            turn.target: [json.loads(parcel.body)["type"] for _, parcel in unit.parcels.front(turn, 10)]
            for turn in turns
            if turn is not None
        }


def test_a_decision_is_kept_and_stands(stores: SqlStores) -> None:
    add(stores, review="none", picture=b"jpeg")
    done = judge(stores, ACCOUNT, "one", "confirmed", "ann", most=MOST)
    assert (done.review, done.reviewer, done.picture) == ("confirmed", "ann", b"jpeg")
    with pytest.raises(StoreError, match="already"):
        judge(stores, ACCOUNT, "one", "rejected", "bob", most=MOST)
    with pytest.raises(NotFoundError):
        judge(stores, ACCOUNT, "two", "rejected", "bob", most=MOST)
    assert waiting(stores) == {}  # it was told when it happened


@pytest.mark.parametrize(
    ("end", "types"), [(None, ["alert.begun"]), (NOON + dt.timedelta(seconds=9), ["alert.begun", "alert.over"])]
)
def test_what_was_withheld_is_told_once_it_is_confirmed(
    stores: SqlStores, end: dt.datetime | None, types: list[str]
) -> None:
    add(stores, review="pending")
    with stores.write() as unit:
        unit.alerts.extend(replace(unit.alerts.get(ACCOUNT, "one"), end=end))
    judge(stores, ACCOUNT, "one", "confirmed", "ann", most=MOST)
    assert waiting(stores) == {"file:///alerts": types, "events:": types}


def test_what_is_rejected_or_of_a_stream_that_has_gone_is_told_to_nobody(stores: SqlStores) -> None:
    add(stores, review="pending")
    judge(stores, ACCOUNT, "one", "rejected", "ann", most=MOST)
    with stores.write() as unit:
        unit.alerts.add(replace(make_alert(2), id="two", stream="an earlier one", stream_name="gate", review="pending"))
    judge(stores, ACCOUNT, "two", "confirmed", "ann", most=MOST)
    with stores.write() as unit:
        unit.streams.delete(ACCOUNT, "gate")
        unit.alerts.add(replace(make_alert(3), id="three", stream="key", stream_name="gate", review="pending"))
    judge(stores, ACCOUNT, "three", "confirmed", "ann", most=MOST)
    assert waiting(stores) == {}
