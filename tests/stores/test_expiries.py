# SPDX-License-Identifier: Apache-2.0
"""Ends of faces: from that moment on no search finds them, and they go with their face or come along with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from clocks import Clock
from sqlalchemy import func, select

from overt.stores.base import NotFoundError, Unit
from overt.stores.schema import expiries
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_roll, make_vectors
from overt.types import Collection, Embedding

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)

SOON = NOON + dt.timedelta(minutes=1)
VECTORS = make_vectors(40, seed=1)
IDS = [f"face-{number:05d}" for number in range(40)]


@pytest.fixture
def stores(url: str, vault: Vault, clock: Clock) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault, clock=clock)
    yield stores
    stores.close()


@pytest.fixture
def people(stores: SqlStores) -> Collection:
    with stores.write() as unit:
        made = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(made, "image", None, make_faces(VECTORS))
        return made


def end(stores: SqlStores, people: Collection, face_ids: Sequence[str], when: dt.datetime | None = SOON) -> list[str]:
    with stores.write() as unit:
        return list(unit.expiries.set(people, face_ids, when))


def found(unit: Unit, people: Collection, number: int = 0, limit: int = 3) -> list[str]:
    hits = unit.faces.search(people, Embedding(VECTORS[number], MODEL), limit, -1.0)
    assert [cosine for _, cosine in hits] == sorted((cosine for _, cosine in hits), reverse=True)
    return [face.id for face, _ in hits]


def rows(stores: SqlStores) -> int:
    with stores.reading.connect() as connection:
        return connection.execute(select(func.count()).select_from(expiries)).scalar_one()


def test_ends_are_set_moved_and_taken_away(stores: SqlStores, people: Collection) -> None:
    assert end(stores, people, [IDS[1], "nobody", IDS[0]]) == [IDS[1], IDS[0]]
    end(stores, people, [IDS[1]], SOON + dt.timedelta(days=1))
    end(stores, people, [IDS[0], IDS[2]], None)
    with stores.read() as unit:
        assert unit.expiries.of(people, IDS) == {IDS[1]: SOON + dt.timedelta(days=1)}
        assert unit.expiries.of(people) == unit.expiries.of(people, IDS)
        assert unit.expiries.of(people, [IDS[0]]) == {}
        with pytest.raises(NotFoundError):
            unit.expiries.of(replace(people, id="crowd"), IDS)


def test_a_face_is_found_until_its_end_and_not_from_then_on(
    stores: SqlStores, people: Collection, clock: Clock
) -> None:
    end(stores, people, [IDS[0]])
    clock.passes(seconds=59.999999)
    with stores.read() as unit:
        assert found(unit, people)[0] == IDS[0]
    clock.passes(seconds=0.000001)
    with stores.read() as unit:
        assert IDS[0] not in found(unit, people)
        assert len(found(unit, people)) == 3
        assert IDS[0] in unit.faces.get(people, IDS)
    with stores.write() as unit:
        assert IDS[0] not in found(unit, people)


@pytest.mark.parametrize("limit", [0, 1, 3, 7, 100])
@pytest.mark.parametrize("count", [1, 5, 39, 40])
def test_those_behind_the_ended_are_found_exactly(
    stores: SqlStores, people: Collection, clock: Clock, count: int, limit: int
) -> None:
    order = np.argsort(-VECTORS.astype(np.float16).astype(np.float32) @ VECTORS[0]).tolist()
    end(stores, people, [IDS[number] for number in order[:count]], NOON)
    with stores.read() as unit:
        assert found(unit, people, limit=limit) == [IDS[number] for number in order[count:]][:limit]


def test_what_is_over_is_told_by_collection(stores: SqlStores, people: Collection, clock: Clock) -> None:
    with stores.write() as unit:
        crowd = unit.collections.create("999999999999", "crowd", MODEL, NOON)
        unit.faces.add(crowd, "image", None, make_faces(VECTORS))
    end(stores, people, [IDS[0]])
    end(stores, people, [IDS[1]], SOON + dt.timedelta(seconds=1))
    end(stores, crowd, IDS[5:8])
    with stores.read() as unit:
        assert unit.expiries.over(10) == []
    clock.passes(minutes=1)
    with stores.read() as unit:
        over = {(each.account, each.id): sorted(ids) for each, ids in unit.expiries.over(10)}
        assert sum(len(ids) for _, ids in unit.expiries.over(2)) == 2
    assert over == {(ACCOUNT, "people"): [IDS[0]], ("999999999999", "crowd"): IDS[5:8]}


def test_ends_go_with_their_face_and_their_collection(stores: SqlStores, people: Collection) -> None:
    end(stores, people, IDS)
    with stores.write() as unit:
        unit.users.create(people, "ann")
        unit.users.associate(people, "ann", [IDS[1]])
        unit.faces.delete(people, [IDS[0]])
    assert rows(stores) == 39
    stores.erase(people, [IDS[1]])
    assert rows(stores) == 38
    with stores.write() as unit:
        unit.collections.delete(ACCOUNT, "people")
    assert rows(stores) == 0


def test_a_face_enrolled_anew_after_its_end_is_found_again(stores: SqlStores, people: Collection, clock: Clock) -> None:
    end(stores, people, IDS[:2])
    with stores.write() as unit:
        unit.faces.add(people, "image", None, make_faces(VECTORS)[:1])  # before its end: that stays
    clock.passes(minutes=1)
    with stores.write() as unit:
        unit.faces.add(people, "image", None, make_faces(VECTORS)[1:2])
    with stores.read() as unit:
        assert unit.expiries.of(people) == {IDS[0]: SOON}
        assert found(unit, people, 1)[0] == IDS[1]


def test_rolls_carry_ends(stores: SqlStores, people: Collection) -> None:
    end(stores, people, IDS[:2])
    with stores.read() as unit:
        (roll,) = unit.faces.rolls(people, 100)
    assert roll.ends == {IDS[0]: SOON, IDS[1]: SOON}
    with stores.write() as unit:
        other = unit.collections.create(ACCOUNT, "other", MODEL, NOON)
        unit.faces.load(other, MODEL, make_roll(VECTORS[:1]))
        assert unit.faces.load(other, MODEL, roll) == 39
        assert unit.expiries.of(other) == {IDS[1]: SOON}  # the first was there already, and stays as it stands


def test_a_set_end_changes_the_head(stores: SqlStores, people: Collection) -> None:
    with stores.read() as unit:
        before = unit.collections.head(ACCOUNT, "people")
    end(stores, people, ["nobody"])
    with stores.read() as unit:
        assert unit.collections.head(ACCOUNT, "people") == before
    end(stores, people, IDS[:1])
    with stores.read() as unit:
        assert unit.collections.head(ACCOUNT, "people") > before
        assert found(unit, people)[0] == IDS[0]
