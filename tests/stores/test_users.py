# SPDX-License-Identifier: Apache-2.0
"""What the contract does not say of users."""

from __future__ import annotations

import numpy as np
import pytest

from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Person

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_faces_that_cancel_out_leave_no_vector(stores: SqlStores) -> None:
    row = make_vectors(1, seed=1)[0]
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        new = make_faces(np.stack([row, -row]))
        unit.faces.add(people, "image", None, new)
        unit.users.create(people, "ann")
        assert unit.users.associate(people, "ann", [face.id for face in new]) == Person("ann", "ACTIVE", 2)
    with stores.read() as unit:
        assert unit.users.vector(people, "ann") is None
        assert unit.users.search(people, new[0].embedding, 5, -1.0) == []


def test_giving_nothing_changes_nothing(stores: SqlStores) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, make_faces(make_vectors(2, seed=1)))
        unit.users.create(people, "ann")
        given = unit.users.associate(people, "ann", ["face-00000"])
        assert unit.users.associate(people, "ann", ["face-00000"]) == given
        assert unit.users.disassociate(people, "ann", ["face-00001"]) == given
        assert unit.users.associate(people, "ann", []) == given
