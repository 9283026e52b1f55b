# SPDX-License-Identifier: Apache-2.0
"""What only the tables show of faces."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from overt.stores import schema
from overt.stores.base import NewFace, WrongModelError
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Box, Embedding

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_the_embedding_lies_in_the_row_as_float16(stores: SqlStores) -> None:
    vectors = make_vectors(2, seed=1)
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, make_faces(vectors))
    with stores.reading.connect() as connection:
        rows = connection.execute(select(schema.faces.c.sequence, schema.faces.c.embedding)).all()
    assert [tuple(row) for row in rows] == [
        (1, vectors[0].astype("<f2").tobytes()),
        (2, vectors[1].astype("<f2").tobytes()),
    ]


def test_a_deletion_leaves_a_tombstone_with_a_head_of_its_own(stores: SqlStores) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, make_faces(make_vectors(3, seed=1)))
        unit.faces.delete(people, ["face-00000", "face-00002"])
    with stores.reading.connect() as connection:
        rows = connection.execute(select(schema.tombstones.c.sequence, schema.tombstones.c.deleted)).all()
        assert sorted(row.sequence for row in rows) == [1, 3]
        assert sorted(row.deleted for row in rows) == [4, 5]
        assert connection.execute(select(schema.collections.c.head)).scalar_one() == 5


def test_vectors_of_two_lengths_are_refused_even_as_the_first(stores: SqlStores) -> None:
    mixed = make_faces(make_vectors(1, seed=1), "a") + make_faces(make_vectors(1, seed=1, dimension=16), "b")
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        with pytest.raises(WrongModelError):
            unit.faces.add(people, "image", None, mixed)


def test_what_is_no_unit_vector_is_not_enrolled(stores: SqlStores) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
    long = Embedding(2 * make_vectors(1, seed=1)[0], MODEL)
    with pytest.raises(ValueError, match="length 1"), stores.write() as unit:
        unit.faces.add(people, "image", None, [NewFace("a", Box(0, 0, 1, 1), 1.0, long)])
    with stores.read() as unit:
        assert unit.collections.get(ACCOUNT, "people").face_count == 0
