# SPDX-License-Identifier: Apache-2.0
"""What only the tables and a full disk show of many faces at once."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import select

from overt.stores import schema
from overt.stores.base import StoreError
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_roll, make_vectors


def test_sequences_are_dealt_in_the_order_of_the_roll(stores: SqlStores) -> None:
    vectors = make_vectors(1700, seed=1)
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.load(people, MODEL, make_roll(vectors))
    with stores.reading.connect() as connection:
        columns = (schema.faces.c.sequence, schema.faces.c.id, schema.faces.c.embedding)
        rows = connection.execute(select(*columns).order_by(schema.faces.c.sequence)).all()
        head = connection.execute(select(schema.collections.c.head)).scalar_one()
    assert [row.sequence for row in rows] == list(range(1, 1701))
    assert [row.id for row in rows] == [f"face-{row:05d}" for row in range(1700)]
    assert [row.embedding for row in rows] == [vector.tobytes() for vector in vectors.astype("<f2")]
    assert head == 1700


def test_a_disk_that_fills_up_leaves_nothing_of_a_roll(stores: SqlStores) -> None:
    connection = stores._writer._connection  # no setting offers this limit
    roll = make_roll(make_vectors(3000, seed=1), user_ids=["ann"] * 3000)
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.users.create(people, "ann")
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 20}")
    with pytest.raises(StoreError, match="full"), stores.write() as unit:
        unit.faces.load(people, MODEL, roll)
    with stores.read() as unit:
        assert unit.collections.get(ACCOUNT, "people").face_count == 0
        assert unit.faces.page(people, 0, 9) == []
    connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    with stores.write() as unit:
        assert unit.faces.load(people, MODEL, roll) == 3000


def test_a_roll_that_is_left_early_lets_go(stores: SqlStores) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.load(people, MODEL, make_roll(make_vectors(100, seed=1)))
    with stores.read() as unit:
        rolls = unit.faces.rolls(people, 10)
        assert next(rolls).vectors.shape == (10, 32)
        rolls.close()
    with stores.write() as unit:
        unit.collections.delete(ACCOUNT, "people")


def test_float16_rows_are_kept_bit_by_bit(stores: SqlStores) -> None:
    halves = make_vectors(5, seed=1).astype(np.float16)
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.load(people, MODEL, make_roll(halves))
        (roll,) = unit.faces.rolls(people, 9)
    assert roll.vectors.tobytes() == halves.tobytes()


def test_only_users_faces_are_in_the_index_of_users(stores: SqlStores) -> None:
    """And what looks for a user's faces, the database's own check of its foreign key too, goes through it."""
    with stores.reading.connect() as connection:
        for statement in (
            "SELECT embedding FROM faces WHERE collection = ? AND user_id = ? ORDER BY sequence",
            "UPDATE faces SET user_id = NULL WHERE collection = ? AND user_id = ?",
        ):
            (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (1, "ann")).all()
            assert "ix_faces_collection_user_id_sequence (collection=? AND user_id=?)" in plan.detail
        (made,) = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'ix_faces_collection_user_id_sequence'"
        ).all()
    assert made.sql.endswith("WHERE user_id IS NOT NULL")
