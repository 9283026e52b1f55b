# SPDX-License-Identifier: Apache-2.0
"""An inspection finds what was changed behind the store's back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, update

from overt.stores.schema import collections, faces, tombstones, users
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Collection


@pytest.fixture
def people(stores: SqlStores) -> Collection:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, make_faces(make_vectors(40, seed=1)))
        for name, some in (("ann", [0, 1, 2]), ("bob", [3])):
            unit.users.create(people, name)
            unit.users.associate(people, name, [f"face-{number:05d}" for number in some])
        unit.users.create(people, "nobody")
        unit.faces.delete(people, ["face-00030"])
    return people


def test_nothing_is_wrong_with_what_the_store_wrote(stores: SqlStores, people: Collection) -> None:
    assert list(stores.verify(people)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.execute(update(collections).values(face_count=7)), "has 7 faces, and has 39"),
        (lambda c: c.execute(update(collections).values(user_count=1)), "has 1 users, and has 3"),
        (lambda c: c.execute(update(collections).values(head=5)), "beyond its head 5"),
        (lambda c: c.execute(faces.delete().where(faces.c.id == "face-00009")), "and has 38"),
        (
            lambda c: c.execute(update(tombstones).values(sequence=20)),
            "1 faces are there that were deleted",
        ),
        (
            lambda c: c.execute(update(faces).where(faces.c.sequence == 9).values(embedding=b"\0" * 64)),
            "vector of sequence 9 in faces",
        ),
        (
            lambda c: c.execute(update(faces).where(faces.c.sequence == 9).values(embedding=b"\0" * 9)),
            "vector of sequence 9 in faces",
        ),
        (
            lambda c: c.execute(
                update(users)
                .where(users.c.id == "ann")
                .values(embedding=make_vectors(1, seed=5)[0].astype(np.float16).tobytes())
            ),
            "vector of user ann is not the mean",
        ),
        (
            lambda c: c.execute(update(users).where(users.c.id == "bob").values(embedding=None)),
            "vector of user bob is not the mean",
        ),
        (lambda c: c.execute(update(users).where(users.c.id == "bob").values(face_count=4)), "user bob says"),
    ],
)
def test_what_was_changed_is_found(
    stores: SqlStores, people: Collection, change: Callable[[Connection], object], words: str
) -> None:
    with stores._writer.unit() as connection:
        change(connection)
    assert any(words in fault for fault in stores.verify(people))


def test_a_vector_changed_after_it_was_read_is_found(stores: SqlStores, people: Collection) -> None:
    assert list(stores.verify(people)) == []
    other = make_vectors(1, seed=5)[0].astype(np.float16).tobytes()
    with stores._writer.unit() as connection:
        connection.execute(update(faces).where(faces.c.sequence == 9).values(embedding=other))
    (fault,) = stores.verify(people)
    assert "sequence 9 would be searched with another vector" in fault
