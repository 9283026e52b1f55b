# SPDX-License-Identifier: Apache-2.0
"""Search over real shards on three nodes: always what one index would find, or an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from galleries import fill
from ray_nodes import RayNodes, wait_until

from overt.scale.rolling import Rolling
from overt.settings import Settings
from overt.stores.base import MissingShardsError, NotFoundError
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Collection, Embedding

Open = Callable[[Settings], SqlStores]
Choose = Callable[..., Settings]


@pytest.fixture
def sharded(choose: Choose, open_stores: Open) -> SqlStores:
    return open_stores(choose())


@pytest.fixture
def single(choose: Choose, open_stores: Open, tmp_path: Path) -> SqlStores:
    """The same database, searched by one index."""
    return open_stores(choose(home=tmp_path / "single").model_copy(update={"ray": None}))


@pytest.fixture
def people(sharded: SqlStores) -> Collection:
    with sharded.write() as unit:
        return unit.collections.create(ACCOUNT, "people", MODEL, NOON)


def both(stores: SqlStores, people: Collection, vector: Any, limit: int = 20, floor: float = -1.0) -> tuple[Any, Any]:
    """What a probe finds among faces and users."""
    probe = Embedding(vector, MODEL)
    with stores.read() as unit:
        return unit.faces.search(people, probe, limit, floor), unit.users.search(people, probe, limit, floor)


def test_a_small_gallery_over_three_nodes(
    sharded: SqlStores, single: SqlStores, people: Collection, nodes: RayNodes, choose: Choose
) -> None:
    """One test, as the cluster takes its time to start: the same answers bit for bit, through every kind of change."""
    vectors = make_vectors(3000, seed=1)
    with sharded.write() as unit:
        unit.faces.add(people, "image", None, make_faces(vectors[:99]))
    assert both(sharded, people, vectors[5]) == both(single, people, vectors[5])
    assert sum(member.health.rows for member in Rolling(choose()).members()) == 0  # too small to leave the server
    with sharded.write() as unit:
        unit.faces.add(people, "image", None, make_faces(vectors))
        for number in range(40):
            unit.users.create(people, f"user-{number}")
            unit.users.associate(people, f"user-{number}", [f"face-{4 * number + each:05d}" for each in range(4)])
        inside = unit.faces.search(people, Embedding(vectors[2500], MODEL), 3, 0.5)  # what nobody else sees yet
    assert both(sharded, people, vectors[2500], 3, 0.5)[0] == inside
    for row in range(0, 3000, 97):
        for limit, floor in ((1, -1.0), (20, 0.3), (4096, -1.0)):
            assert both(sharded, people, vectors[row], limit, floor) == both(single, people, vectors[row], limit, floor)
    assert sum(member.health.rows for member in Rolling(choose()).members()) == 3040
    assert {member.health.node for member in Rolling(choose()).members()} == {f"127.0.0.{n}" for n in (2, 3, 4)}
    # A reader of an old state sees that state, whatever shards have seen since.
    with sharded.read() as before:
        (old,) = before.collections.page(ACCOUNT, "", 9)
        with sharded.write() as unit:
            unit.users.disassociate(people, "user-0", ["face-00000", "face-00001"])
            unit.faces.delete(people, ["face-00000", "face-02000"])
            unit.faces.add(people, "image", None, make_faces(vectors[:1], "new"))
        now = both(sharded, people, vectors[0])
        assert now == both(single, people, vectors[0])
        assert now[0][0][0].id == "new-00000"
        found = before.faces.search(old, Embedding(vectors[0], MODEL), 20, -1.0)
        assert found[0][0].id == "face-00000"
        assert [user.id for user, _ in before.users.search(old, Embedding(vectors[0], MODEL), 1, 0.5)] == ["user-0"]
    assert list(sharded.verify(people)) == []
    erased = sharded.erase(people, ["face-00002"])
    assert erased.users == ("user-0",)
    # A shard that is killed comes back by itself, and searches wait for it.
    ray.kill(Router_of(sharded).cluster.find("shard-1"), no_restart=False)
    assert both(sharded, people, vectors[7]) == both(single, people, vectors[7])
    with sharded.write() as unit:
        unit.collections.delete(ACCOUNT, "people")
    with pytest.raises(NotFoundError), sharded.read() as unit:
        unit.faces.search(people, Embedding(vectors[0], MODEL), 1, 0.0)
    folders = [nodes.home(number) / "shards" for number in range(3)]
    wait_until(lambda: not [path for folder in folders for path in folder.glob("*-of-3/*")])
    Rolling(choose()).stop()
    with sharded.write() as unit:
        again = unit.collections.create(ACCOUNT, "again", MODEL, NOON)
        unit.faces.add(again, "image", None, make_faces(vectors[:200]))


def Router_of(stores: SqlStores) -> Any:
    return stores._index
