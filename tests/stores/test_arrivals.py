# SPDX-License-Identifier: Apache-2.0
"""A collection arrives whole, or nothing of it does."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from overt.stores import arrivals, portable, schema
from overt.stores.arrivals import Destination
from overt.stores.base import ExistsError, NotFoundError, Roll, StoreError
from overt.stores.portable import Parcel
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_roll, make_vectors
from overt.types import Collection, Embedding

TO = Destination(ACCOUNT, "people", "arn:people", "here.1")
IDS = [str(uuid.UUID(int=row)) for row in range(10)]
ROLL = replace(make_roll(make_vectors(10, seed=1)), ids=IDS, image_ids=IDS, user_ids=["ann"] * 4 + [None] * 6)


@pytest.fixture(autouse=True)
def _small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "STRIP", 4)


def packed(stores: SqlStores, file: Path, roll: Roll = ROLL) -> Path:
    """A file of a collection that is gone again."""
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.users.load(people, ["ann"])
        unit.faces.load(people, MODEL, roll)
        portable.write(unit, unit.collections.get(ACCOUNT, "people"), {"k": "v"}, file, lambda _: None)
        unit.collections.delete(ACCOUNT, "people")
    return file


def arrive(stores: SqlStores, file: Path, to: Destination = TO) -> Collection:
    with Parcel.open(file, lambda _: None) as parcel:
        return arrivals.arrive(stores, parcel, to, lambda _: None)


def left(stores: SqlStores) -> list[int]:
    """How many collections, faces and users there are, hidden ones too."""
    with stores.reading.connect() as connection:
        tables = (schema.collections, schema.faces, schema.users)
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def test_it_arrives_with_all_it_had(stores: SqlStores, tmp_path: Path) -> None:
    made = arrive(stores, packed(stores, tmp_path / "file"))
    assert (made.account, made.id, made.model, made.face_count, made.user_count) == (ACCOUNT, "people", MODEL, 10, 1)
    with stores.read() as unit:
        assert unit.tags.of("arn:people") == {"k": "v"}
        probe = Embedding(ROLL.vectors[7].astype("f4"), MODEL)
        assert unit.faces.search(made, probe, 1, 0.9)[0][0].id == IDS[7]
        assert unit.users.get(made, "ann").face_count == 4
    assert left(stores) == [1, 10, 1]


def test_who_has_the_name_keeps_it(stores: SqlStores, tmp_path: Path) -> None:
    file = packed(stores, tmp_path / "file")
    arrive(stores, file)
    with pytest.raises(ExistsError, match="there is a collection people already"):
        arrive(stores, file)
    assert left(stores) == [1, 10, 1]


def test_who_takes_the_name_meanwhile_keeps_it(
    stores: SqlStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, fill = packed(stores, tmp_path / "file"), arrivals._fill

    def slowly(*arguments: object) -> None:
        fill(*arguments)
        with stores.write() as unit:
            unit.collections.create(ACCOUNT, "people", "theirs", NOON)

    monkeypatch.setattr(arrivals, "_fill", slowly)
    with pytest.raises(ExistsError):
        arrive(stores, file)
    with stores.read() as unit:
        assert unit.collections.get(ACCOUNT, "people").model == "theirs"
    assert left(stores) == [1, 0, 0]


def test_nothing_is_seen_before_it_is_whole(stores: SqlStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, fill = packed(stores, tmp_path / "file"), arrivals._fill

    def looked_at(*arguments: object) -> None:
        fill(*arguments)
        with stores.read() as unit:
            assert unit.collections.page(ACCOUNT, "", 9) == []

    monkeypatch.setattr(arrivals, "_fill", looked_at)
    arrive(stores, file)


@pytest.mark.parametrize(
    ("roll", "error"),
    [
        (replace(ROLL, ids=[*IDS[:9], IDS[0]]), "twice"),
        (replace(ROLL, user_ids=[*ROLL.user_ids[:9], "bob"]), "no such users"),
        (replace(ROLL, vectors=ROLL.vectors * 0.5), "length 1"),
    ],
)
def test_what_does_not_fit_leaves_nothing(stores: SqlStores, tmp_path: Path, roll: Roll, error: str) -> None:
    """Also where it shows only in the last strip. The file is of what the database would never have held."""

    class Lying:
        """A unit whose faces are these."""

        def __init__(self, unit: object) -> None:
            self.users, self.faces, self.expiries = unit.users, self, unit.expiries

        def rolls(self, _collection: object, size: int) -> object:
            columns = ("ids", "image_ids", "external_image_ids", "boxes", "confidences", "user_ids", "vectors")
            for start in range(0, 10, size):
                some = slice(start, start + size)
                part = Roll(**{name: getattr(roll, name)[some] for name in columns})
                yield replace(part, vectors=part.vectors.astype("f2"))

    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.users.load(people, ["ann"])
        portable.write(Lying(unit), replace(people, face_count=10), {}, tmp_path / "file", lambda _: None)
        unit.collections.delete(ACCOUNT, "people")
    with pytest.raises(StoreError, match=error):
        arrive(stores, tmp_path / "file")
    assert left(stores) == [0, 0, 0]


def test_what_was_cut_off_is_cleared(stores: SqlStores) -> None:
    with stores.write() as unit:
        for place in (*(f"here.{number:03d}" for number in range(150)), "there.1"):
            hidden = unit.collections.create(arrivals.ACCOUNT, place, MODEL, NOON)
        unit.faces.load(hidden, MODEL, replace(ROLL, user_ids=[None] * 10))
    assert arrivals.clear(stores, "here.") == 150
    assert left(stores) == [1, 10, 0]
    assert arrivals.clear(stores) == 1
    with stores.read() as unit, pytest.raises(NotFoundError):
        unit.collections.get(arrivals.ACCOUNT, "there.1")
    assert arrivals.clear(stores) == 0
