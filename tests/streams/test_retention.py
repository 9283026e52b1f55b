# SPDX-License-Identifier: Apache-2.0
"""What is past its time goes by itself, soon, and just that; two servers at it do no harm."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import structlog
from clocks import Clock
from structlog.testing import capture_logs

from overt.stores.base import StoreError
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.streams import retention
from overt.streams.retention import Retention
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Alert, Box, Collection

MONTH = dt.timedelta(days=30)
SOON = NOON + dt.timedelta(minutes=1)
VECTORS = make_vectors(30, seed=1)
IDS = [f"face-{number:05d}" for number in range(30)]
ALERT = Alert("one", ACCOUNT, "key", "gate", "arn", "session", NOON, None, 1.0, Box(0, 0, 1, 1), None, "people", 4, 0.9,
              MODEL, b"jpeg")  # fmt: skip


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    """Commands that tests before ran in this process let errors through alone."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'overt.db'}"


@pytest.fixture
def open_store(url: str, tmp_path: Path, clock: Clock) -> Iterator[Callable[[], SqlStores]]:
    opened: list[SqlStores] = []

    def make() -> SqlStores:
        opened.append(SqlStores.open(url, Vault.open(tmp_path / "master.key"), clock=clock))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def stores(open_store: Callable[[], SqlStores]) -> SqlStores:
    return open_store()


@pytest.fixture
def people(stores: SqlStores) -> Collection:
    with stores.write() as unit:
        made = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(made, "image", None, make_faces(VECTORS))
        unit.users.create(made, "ann")
        unit.users.associate(made, "ann", IDS[:2])
        return made


def end(stores: SqlStores, people: Collection, face_ids: Sequence[str], when: dt.datetime | None = SOON) -> None:
    with stores.write() as unit:
        unit.expiries.set(people, face_ids, when)


def left(stores: SqlStores, people: Collection) -> list[str]:
    with stores.read() as unit:
        return [face.id for face in unit.faces.page(people, 0, 100)]


def test_faces_go_at_their_end_those_of_users_too(stores: SqlStores, people: Collection, clock: Clock) -> None:
    keeper = Retention(stores, MONTH, clock)
    end(stores, people, [IDS[0], IDS[5]])
    end(stores, people, [IDS[6]], SOON + dt.timedelta(seconds=1))
    assert keeper.expire_faces() == 0
    clock.passes(minutes=1)
    assert keeper.expire_faces() == 2
    assert left(stores, people) == [face_id for face_id in IDS if face_id not in (IDS[0], IDS[5])]
    with stores.read() as unit:
        assert unit.users.get(people, "ann").face_count == 1
        vector = unit.users.vector(people, "ann")
        assert vector is not None
        assert np.allclose(vector.vector, VECTORS[1], atol=1e-3)
        assert set(unit.expiries.of(people)) == {IDS[6]}
    assert keeper.expire_faces() == 0


def test_many_go_in_several_steps(
    stores: SqlStores, people: Collection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 7)
    with stores.write() as unit:
        crowd = unit.collections.create(ACCOUNT, "crowd", MODEL, NOON)
        unit.faces.add(crowd, "image", None, make_faces(VECTORS))
    end(stores, people, IDS)
    end(stores, crowd, IDS[:9])
    clock.passes(minutes=1)
    assert Retention(stores, MONTH, clock).expire_faces() == 39
    assert (left(stores, people), left(stores, crowd)) == ([], IDS[9:])


def test_two_servers_do_no_harm(
    stores: SqlStores,
    open_store: Callable[[], SqlStores],
    people: Collection,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    end(stores, people, IDS[:25])
    clock.passes(minutes=1)
    servers = [Retention(each, MONTH, clock) for each in (stores, open_store(), open_store())]
    with ThreadPoolExecutor(3) as threads:
        counts = list(threads.map(lambda each: each.expire_faces(), servers))
    for each in servers:
        each.expire_faces()
    assert sum(counts) <= 25
    assert left(stores, people) == IDS[25:]
    with stores.read() as unit:
        assert unit.collections.get(ACCOUNT, "people").face_count == 5


def test_an_end_that_was_put_off_meanwhile_counts(stores: SqlStores, people: Collection, clock: Clock) -> None:
    end(stores, people, IDS[:2])
    clock.passes(minutes=1)
    with stores.read() as unit:
        ((collection, due),) = unit.expiries.over(10)
    end(stores, people, [IDS[0]], SOON + MONTH)
    end(stores, people, [IDS[1]], None)
    keeper = Retention(stores, MONTH, clock)
    assert keeper._delete(collection, due) == 0
    assert keeper._delete(replace(collection, id="gone"), due) == 0
    assert left(stores, people) == IDS


def test_alerts_go_when_they_were_kept_long_enough(stores: SqlStores, clock: Clock) -> None:
    with stores.write() as unit:
        unit.alerts.add(ALERT)
        unit.alerts.add(replace(ALERT, id="two", start=NOON + dt.timedelta(seconds=1)))
    keeper = Retention(stores, MONTH, clock)
    clock.passes(days=30)
    assert keeper.drop_alerts() == 0
    clock.passes(seconds=1)
    assert keeper.drop_alerts() == 1
    with stores.read() as unit:
        assert [alert.id for _, alert in unit.alerts.page(ACCOUNT, 0, 9)] == ["two"]


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end, "it does not come to be"
        time.sleep(0.01)


def test_an_open_one_works_by_itself_and_tells_counts_alone(
    stores: SqlStores, people: Collection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_LOOK", 0.01)
    monkeypatch.setattr(retention, "_SWEEP", 0.02)
    keeper = Retention(stores, MONTH, clock)
    with stores.write() as unit:
        unit.alerts.add(ALERT)
    end(stores, people, IDS[:3])
    with capture_logs() as lines:
        keeper.open()
        clock.passes(days=31)
        until(lambda: len(lines) >= 2)
        keeper.close()
    told = {line["event"]: line["count"] for line in lines}
    assert told == {"faces past their end deleted": 3, "alerts kept long enough dropped": 1}
    assert all(set(line) == {"event", "count", "log_level"} for line in lines)
    assert left(stores, people) == IDS[3:]


def test_it_goes_on_after_the_store_failed(
    stores: SqlStores, people: Collection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_LOOK", 0.01)
    keeper = Retention(stores, MONTH, clock)
    end(stores, people, IDS[:1])
    clock.passes(minutes=1)
    refusals = [StoreError("the disk is full"), RuntimeError("a mistake")]
    honest = Retention._delete

    def refuse(self: Retention, *given: object) -> int:
        if refusals:
            raise refusals.pop(0)
        return honest(self, *given)

    monkeypatch.setattr(Retention, "_delete", refuse)
    with capture_logs() as lines:
        keeper.open()
        until(lambda: left(stores, people) == IDS[1:])
        keeper.close()
    assert [line["event"] for line in lines][:2] == [
        "what is past its end could not be deleted",
        "retention stumbled",
    ]


def test_closing_one_that_was_never_opened_is_no_mistake(stores: SqlStores) -> None:
    Retention(stores, MONTH).close()
