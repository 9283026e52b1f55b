# SPDX-License-Identifier: Apache-2.0
"""Alerts: they come back as they were put, are decided once, and go with time, with their face and with their list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from clocks import Clock
from sqlalchemy import select

from overt.stores.base import NotFoundError, StoreError
from overt.stores.schema import alerts
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_alert
from overt.types import Alert, Box, Match, StoredFace

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)

JPEG = b"\xff\xd8 a picture of somebody \xff\xd9"
OTHER = "999999999999"


@pytest.fixture
def stores(url: str, vault: Vault, clock: Clock) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault, clock=clock)
    yield stores
    stores.close()


def match(face_id: str, similarity: float = 0.97) -> Match[StoredFace]:
    box = Box(0.1, 0.2, 0.3, 0.4)
    return Match(StoredFace(face_id, "image", "ann", box, 0.99, MODEL, None, 7), similarity, 0.61, 1)


def alert(number: int, **changes: Any) -> Alert:
    return make_alert(number, **{"match": match("face-1"), "threshold": 0.9, "picture": JPEG, **changes})


def add(stores: SqlStores, *new: Alert) -> None:
    with stores.write() as unit:
        for each in new:
            unit.alerts.add(each)


def get(stores: SqlStores, number: int, account: str = ACCOUNT) -> Alert:
    with stores.read() as unit:
        return unit.alerts.get(account, f"alert-{number}")


def ids(stores: SqlStores, account: str = ACCOUNT, **narrower: Any) -> list[str]:
    with stores.read() as unit:
        return [each.id for _, each in unit.alerts.page(account, 0, 100, **narrower)]


def test_an_alert_comes_back_as_it_was_put(stores: SqlStores) -> None:
    whole = alert(1, end=NOON + dt.timedelta(seconds=9), review="confirmed", reviewer="ann", reviewed=NOON)
    nobody = alert(2, match=None, picture=None)
    add(stores, whole, nobody)
    assert (get(stores, 1), get(stores, 2)) == (whole, nobody)
    with pytest.raises(NotFoundError):
        get(stores, 1, OTHER)


def test_pictures_are_sealed(stores: SqlStores) -> None:
    add(stores, alert(1))
    with stores.reading.connect() as connection:
        assert b"somebody" not in connection.execute(select(alerts.c.picture)).scalar_one()


def test_a_page_has_the_newest_first_and_no_pictures(stores: SqlStores) -> None:
    add(stores, *(alert(number, stream_name="door" if number == 3 else "gate") for number in range(5)))
    add(stores, alert(9, account=OTHER))
    with stores.read() as unit:
        first = unit.alerts.page(ACCOUNT, 0, 2)
        then = unit.alerts.page(ACCOUNT, first[-1][0], 10)
    assert [each.id for _, each in (*first, *then)] == [f"alert-{number}" for number in (4, 3, 2, 1, 0)]
    assert {each.picture for _, each in first} == {None}
    assert ids(stores, stream="door") == ["alert-3"]
    assert ids(stores, OTHER) == ["alert-9"]


def test_a_better_sight_takes_the_place_of_the_one_before(stores: SqlStores) -> None:
    add(stores, alert(1))
    later = NOON + dt.timedelta(seconds=3)
    better = alert(1, end=later, time=14.0, match=match("face-2", 0.99), picture=b"better")
    with stores.write() as unit:
        unit.alerts.extend(better)
    assert get(stores, 1) == better
    with stores.write() as unit:
        unit.alerts.extend(alert(1, end=later, time=15.0, picture=None))
    assert get(stores, 1).picture == b"better"
    assert get(stores, 1).time == 15.0


def test_what_was_decided_on_stays_as_it_was(stores: SqlStores) -> None:
    add(stores, alert(1, review="pending"))
    with stores.write() as unit:
        unit.alerts.judge(ACCOUNT, "alert-1", "rejected", "ann")
        unit.alerts.extend(alert(1, end=NOON, match=match("face-2"), picture=b"better"))
    kept = get(stores, 1)
    assert (kept.end, kept.match, kept.picture, kept.review) == (NOON, match("face-1"), JPEG, "rejected")


def test_what_was_dropped_does_not_come_back(stores: SqlStores) -> None:
    add(stores, alert(1))
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        assert unit.alerts.forget(people, ["face-1"]) == 1
        unit.alerts.extend(alert(1, end=NOON))
    assert ids(stores) == []


def test_an_alert_is_decided_once(stores: SqlStores, clock: Clock) -> None:
    add(stores, alert(1, review="pending"), alert(2))
    clock.passes(hours=1)
    with stores.write() as unit:
        done = unit.alerts.judge(ACCOUNT, "alert-1", "confirmed", "ann")
    assert (done.review, done.reviewer, done.reviewed, done.picture) == ("confirmed", "ann", clock.now, JPEG)
    with pytest.raises(StoreError, match="confirmed by ann"), stores.write() as unit:
        unit.alerts.judge(ACCOUNT, "alert-1", "rejected", "bob")
    with pytest.raises(NotFoundError), stores.write() as unit:
        unit.alerts.judge(OTHER, "alert-2", "rejected", "bob")
    with pytest.raises(StoreError, match="confirmed or rejected"), stores.write() as unit:
        unit.alerts.judge(ACCOUNT, "alert-2", "pending", "bob")
    assert get(stores, 2).review == "none"


def test_old_alerts_go(stores: SqlStores) -> None:
    add(stores, alert(1), alert(2, start=NOON + dt.timedelta(days=1)))
    with stores.write() as unit:
        assert unit.alerts.expire(NOON + dt.timedelta(days=1)) == 1
    assert ids(stores) == ["alert-2"]


def test_alerts_of_a_face_are_forgotten_and_others_are_not(stores: SqlStores) -> None:
    add(
        stores,
        alert(1),
        alert(2, match=match("face-2")),
        alert(3, collection="crowd"),
        alert(4, account=OTHER),
        alert(5, match=None),
        alert(6),
    )
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        assert unit.alerts.forget(people, ["face-1", "face-9"]) == 2
    assert ids(stores) == ["alert-5", "alert-3", "alert-2"]
    assert ids(stores, OTHER) == ["alert-4"]


def test_alerts_go_with_their_collection(stores: SqlStores) -> None:
    add(stores, alert(1), alert(2, match=None), alert(3, collection="crowd"), alert(4, account=OTHER))
    with stores.write() as unit:
        unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.collections.delete(ACCOUNT, "people")
    assert (ids(stores), ids(stores, OTHER)) == (["alert-3"], ["alert-4"])
