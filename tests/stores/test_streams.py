# SPDX-License-Identifier: Apache-2.0
"""Streams: what is wanted comes back, one server watches at a time, and only its holder may write."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from clocks import Clock
from sqlalchemy import select

from overt.stores.base import Charge, ExistsError, LostError, NotFoundError, StoreError
from overt.stores.schema import parcels
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, NOON
from overt.types import (
    Box,
    ConnectedHome,
    FaceSearch,
    Options,
    Parcel,
    Pulse,
    Region,
    Session,
    Stored,
    Stream,
    Wanted,
)

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)

ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1"
PULSE = Pulse(NOON, "live", looked=7, rate=5.0, lag=0.04, frame_rate=25.0, faces=2, alerts=1)


@pytest.fixture
def stores(url: str, vault: Vault, clock: Clock) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault, clock=clock)
    yield stores
    stores.close()


def stream(name: str, **changes: Any) -> Stream:
    wanted = Wanted(ARN, search=FaceSearch("people", 0.8), options=Options(targets=("https://a:b@example.org/x",)))
    return Stream(**{"id": f"id-{name}", "account": ACCOUNT, "name": name, "wanted": wanted, "created": NOON,
                     "updated": NOON, **changes})  # fmt: skip


def add(stores: SqlStores, *names: str) -> None:
    with stores.write() as unit:
        for name in names:
            unit.streams.add(stream(name))


def start(stores: SqlStores, name: str, clock: Clock, session: str = "session") -> Stream:
    with stores.write() as unit:
        return unit.streams.start(ACCOUNT, name, Session(session, clock.now))


def claim(stores: SqlStores, stream_id: str, owner: str = "one", seconds: float = 10) -> Charge | None:
    with stores.write() as unit:
        return unit.streams.claim(stream_id, owner, seconds)


def held(stores: SqlStores, stream_id: str, owner: str = "one") -> Charge:
    charge = claim(stores, stream_id, owner)
    assert charge is not None
    return charge


def get(stores: SqlStores, name: str) -> Stream:
    with stores.read() as unit:
        return unit.streams.get(ACCOUNT, name)


def due(stores: SqlStores, owner: str = "one") -> list[str]:
    with stores.read() as unit:
        return list(unit.streams.due(owner))


def test_a_stream_is_found_by_its_id(stores: SqlStores) -> None:
    add(stores, "gate")
    with stores.read() as unit:
        assert unit.streams.find("id-gate") == get(stores, "gate")
        with pytest.raises(NotFoundError):
            unit.streams.find("gate")


def test_a_stream_comes_back_as_it_was_put_and_its_targets_are_sealed(stores: SqlStores) -> None:
    wanted = Wanted(
        ARN,
        home=ConnectedHome(("PERSON", "PET"), 0.6),
        regions=(Region(Box(0.1, 0.2, 0.3, 0.4)), Region(polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)))),
        frames=Stored("bucket", "prefix"),
        topic="arn:aws:sns:eu-west-1:123456789012:topic",
        role="role",
        shares=False,
        options=Options(targets=("mqtt://u:secret@host/t",), quiet=3.0, sightings="seen"),
    )
    with stores.write() as unit:
        unit.streams.add(stream("b"))
        unit.streams.add(stream("a", wanted=wanted))
        unit.streams.add(stream("a", id="other", account="999999999999"))
    with stores.read() as unit:
        assert unit.streams.get(ACCOUNT, "a") == stream("a", wanted=wanted)
        assert [each.name for each in unit.streams.page(ACCOUNT, "", 10)] == ["a", "b"]
        assert [each.name for each in unit.streams.page(ACCOUNT, "a", 10)] == ["b"]
        assert unit.streams.count(ACCOUNT) == 2
        with pytest.raises(NotFoundError):
            unit.streams.get(ACCOUNT, "c")
    with stores.reading.connect() as connection:
        (sealed,) = connection.exec_driver_sql("SELECT wanted FROM streams WHERE name = 'b'").scalars()
    assert b"example.org" not in bytes(sealed)
    with pytest.raises(ExistsError), stores.write() as unit:
        unit.streams.add(stream("a", id="again"))


def test_it_is_due_from_its_start_to_its_stop(stores: SqlStores, clock: Clock) -> None:
    add(stores, "a")
    assert due(stores) == []
    assert start(stores, "a", clock).status == "STARTING"
    with pytest.raises(StoreError):
        start(stores, "a", clock)
    assert due(stores) == ["id-a"]
    with stores.write() as unit:  # nobody watches it yet
        assert unit.streams.stop(ACCOUNT, "a").status == "STOPPED"
    assert due(stores) == []
    with pytest.raises(StoreError), stores.write() as unit:
        unit.streams.stop(ACCOUNT, "a")


def test_whoever_watches_hears_of_changes_and_of_the_stop(stores: SqlStores, clock: Clock) -> None:
    add(stores, "a")
    start(stores, "a", clock)
    charge = held(stores, "id-a")
    with stores.write() as unit:
        again = unit.streams.renew(charge, 10, "RUNNING", "", PULSE)
    assert (again.revision, again.stream.status, again.stream.pulse) == (charge.revision, "RUNNING", PULSE)
    changed = replace(again.stream.wanted, regions=(Region(Box(0, 0, 1, 1)),))
    with stores.write() as unit:
        unit.streams.want(ACCOUNT, "a", changed)
        again = unit.streams.renew(charge, 10, "RUNNING", "", PULSE)
    assert (again.revision, again.stream.wanted) == (charge.revision + 1, changed)
    with stores.write() as unit:
        assert unit.streams.stop(ACCOUNT, "a").status == "STOPPING"
        again = unit.streams.renew(charge, 10, "RUNNING", "still", PULSE)
        assert again.stream.status == "STOPPING"
        with pytest.raises(StoreError):
            unit.streams.delete(ACCOUNT, "a")
        unit.streams.end(charge, "STOPPED", "", PULSE)
    assert get(stores, "a").status == "STOPPED"
    assert due(stores) == []
    with stores.write() as unit:
        assert unit.streams.delete(ACCOUNT, "a").name == "a"


def test_one_server_watches_until_it_says_nothing_any_more(stores: SqlStores, clock: Clock) -> None:
    add(stores, "a")
    start(stores, "a", clock)
    first = held(stores, "id-a", "one")
    assert due(stores, "two") == []
    assert claim(stores, "id-a", "two") is None
    clock.passes(seconds=9)
    with stores.write() as unit:
        unit.streams.hold(first)
        unit.streams.renew(first, 10, "RUNNING", "", PULSE)
    clock.passes(seconds=10)
    assert due(stores, "two") == ["id-a"]
    second = held(stores, "id-a", "two")
    for act in ("hold", "renew", "end"):
        arguments = {"hold": (), "renew": (10, "RUNNING", "", PULSE), "end": ("FAILED", "", PULSE)}[act]
        with pytest.raises(LostError), stores.write() as unit:
            getattr(unit.streams, act)(first, *arguments)
    with stores.write() as unit:
        unit.streams.leave(first)
        unit.streams.hold(second)


def test_a_restarted_server_takes_its_own_at_once_and_one_that_is_left_is_free(stores: SqlStores, clock: Clock) -> None:
    add(stores, "a")
    start(stores, "a", clock)
    first = held(stores, "id-a", "one")
    assert due(stores, "one") == ["id-a"]
    again = held(stores, "id-a", "one")
    with pytest.raises(LostError), stores.write() as unit:
        unit.streams.hold(first)
    with stores.write() as unit:
        unit.streams.leave(again)
    assert due(stores, "two") == ["id-a"]


def test_a_stop_is_the_end_when_the_watcher_has_died(stores: SqlStores, clock: Clock) -> None:
    add(stores, "a")
    start(stores, "a", clock)
    held(stores, "id-a")
    clock.passes(seconds=11)
    with stores.write() as unit:
        assert unit.streams.stop(ACCOUNT, "a").status == "STOPPED"


def test_who_lost_a_stream_writes_nothing_after_whoever_has_it(
    stores: SqlStores, url: str, vault: Vault, clock: Clock, kind: str
) -> None:
    """Three servers take a stream from each other all the time, and write as fast as they can."""
    add(stores, "a")
    start(stores, "a", clock)
    servers = [stores] * 3 if kind == "sqlite" else [SqlStores.open(url, vault, clock=clock) for _ in range(3)]
    told: set[int] = set()  # epochs of which something was written
    lost: list[int] = []

    def work(number: int) -> None:
        chance, server = random.Random(number), servers[number]
        while len(told) < 20 or not lost:
            charge = claim(server, "id-a", f"server {number}", seconds=0)  # which anybody may take at once
            assert charge is not None
            try:
                for _ in range(10):
                    with server.write() as unit:
                        unit.streams.hold(charge)
                        time.sleep(chance.choice((0.0, 0.02)))
                        unit.parcels.put([Parcel("id-a", "events:", str(charge.epoch), "", b"{}", NOON)], 1 << 30)
                    told.add(charge.epoch)
            except LostError:
                lost.append(charge.epoch)
                time.sleep(chance.random() / 20)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    with stores.reading.connect() as connection:
        epochs = [int(each) for each in connection.execute(select(parcels.c.kind).order_by(parcels.c.number)).scalars()]
    for server in servers:
        if server is not stores:
            server.close()
    assert set(epochs) == told
    assert all(before <= after for before, after in itertools.pairwise(epochs))
