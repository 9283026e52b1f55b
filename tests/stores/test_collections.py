# SPDX-License-Identifier: Apache-2.0
"""What only the tables show of collections."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from overt.stores import schema
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_a_number_is_never_dealt_twice(stores: SqlStores) -> None:
    numbers = []
    for _ in range(3):
        with stores.write() as unit:
            unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        with stores.reading.connect() as connection:
            numbers.append(connection.execute(select(schema.collections.c.number)).scalar_one())
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, "people")
    assert numbers == [1, 2, 3]


def test_a_deleted_collection_leaves_its_number_only(stores: SqlStores) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, make_faces(make_vectors(9, seed=1)))
        unit.users.create(people, "ann")
        unit.users.associate(people, "ann", ["face-00001"])
        unit.faces.delete(people, ["face-00002"])
        for region in ("eu-west-1", "us-east-1"):
            unit.tags.put(f"arn:aws:rekognition:{region}:{ACCOUNT}:collection/people", {"k": "v"})
    with stores.write() as unit:
        unit.collections.delete(ACCOUNT, "people")
    with stores.reading.connect() as connection:
        for table in (schema.collections, schema.faces, schema.users, schema.tombstones, schema.tags):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
        assert connection.execute(select(schema.graves)).all() == [(1, NOON)]  # so that no backup brings it back
