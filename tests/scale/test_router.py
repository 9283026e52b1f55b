# SPDX-License-Identifier: Apache-2.0
"""Search over real shards on three nodes: always what one index would find, or an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from galleries import fill
from postgresql_server import PostgresqlServer
from ray_nodes import RayNodes, wait_until

from overt.scale.rolling import Rolling
from overt.settings import Settings
from overt.stores.base import MissingShardsError, NotFoundError, UnavailableError, UncertainError
from overt.stores.gallery import Query
from overt.stores.schema import faces, users
from overt.stores.shelf import locate
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Collection, Embedding

LARGE = make_vectors(120_000, seed=2, dimension=128)
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
    sharded: SqlStores, single: SqlStores, people: Collection, choose: Choose
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
    ray.kill(Rolling(choose())._cluster.find("shard-1"), no_restart=False)
    assert both(sharded, people, vectors[7]) == both(single, people, vectors[7])
    with sharded.write() as unit:
        unit.collections.delete(ACCOUNT, "people")
    with pytest.raises(NotFoundError), sharded.read() as unit:
        unit.faces.search(people, Embedding(vectors[0], MODEL), 1, 0.0)


class Storm:
    """Threads that search, change and compare without a pause, and what they saw that should never be seen."""

    def __init__(self, sharded: SqlStores, single: SqlStores, people: Collection, few: Collection) -> None:
        self.sharded, self.single, self.people, self.few = sharded, single, people, few
        self.compared = self.failed = self.small = 0
        self.wrong: list[str] = []
        self.database_is_down = False
        self._ended = threading.Event()
        acts = [self.compare, self.compare, self.compare, self.compare, self.change, self.change, self.stay]
        self._threads = [threading.Thread(target=self._work, args=each) for each in enumerate(acts)]
        for thread in self._threads:
            thread.start()

    def _work(self, thread: int, act: Callable[[int, int], None]) -> None:
        for number in range(1_000_000):
            if self._ended.is_set():
                return
            try:
                act(thread, number)
            except (UnavailableError, UncertainError) as error:
                self.failed += 1
                if act == self.stay and not self.database_is_down:
                    self.wrong.append(repr(error))
            except Exception as error:  # noqa: BLE001 - the test looks at it
                self.wrong.append(f"{act.__name__}: {error!r}")

    def compare(self, thread: int, number: int) -> None:
        """One snapshot, searched by shards and by one index."""
        random = np.random.default_rng((thread, number))
        table = (faces, users)[int(random.integers(2))]
        query = Query(LARGE[random.integers(len(LARGE))], int(random.integers(1, 50)), 0.2, np.empty(0, np.int64))
        with self.sharded._snapshot() as connection:
            shelf = locate(connection, self.people)
            got = self.sharded._index._look(connection, table, shelf, query)
            assert got == self.single._index.look(connection, table, shelf, query)
        self.compared += 1

    def change(self, thread: int, number: int) -> None:
        """A unit of every kind of change, each of them seen by the next read."""
        name = f"{thread}-{number}"
        new = make_faces(make_vectors(4, seed=1000 * thread + number, dimension=128), f"new-{name}")
        with self.sharded.write() as unit:
            unit.faces.add(self.people, "image", None, new)
            unit.users.create(self.people, f"user-{name}")
            unit.users.associate(self.people, f"user-{name}", [new[0].id, new[1].id])
            unit.users.disassociate(self.people, f"user-{name}", [new[1].id])
            unit.faces.delete(self.people, [f"face-{10_000 * thread + number:07d}", new[1].id])
        with self.sharded.read() as unit:
            assert unit.faces.search(self.people, new[3].embedding, 1, 0.99)[0][0].id == new[3].id
            assert unit.users.search(self.people, new[0].embedding, 1, 0.99)[0][0].id == f"user-{name}"

    def stay(self, _thread: int, _number: int) -> None:
        """A small collection, which needs no shard."""
        with self.sharded.read() as unit:
            assert len(unit.faces.search(self.few, Embedding(LARGE[0], MODEL), 50, -1.0)) == 20
        self.small += 1

    def goes_on(self) -> float:
        """Wait until more has been answered. Returns: after how many seconds."""
        started, compared, small = time.monotonic(), self.compared, self.small
        wait_until(lambda: self.compared > compared + 20 and self.small > small + 20, 120)
        return round(time.monotonic() - started, 1)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(120)


@pytest.mark.slow
def test_large_galleries_through_every_loss(
    sharded: SqlStores,
    single: SqlStores,
    people: Collection,
    choose: Choose,
    open_stores: Open,
    nodes: RayNodes,
    postgresql: PostgresqlServer,
    database: str,
) -> None:
    """A node, a process and the database are killed under load: each answer is whole, or there is an error."""
    fill(database, "people", LARGE)
    with sharded.write() as unit:
        few = unit.collections.create(ACCOUNT, "few", MODEL, NOON)
        unit.faces.add(few, "image", None, make_faces(LARGE[:20]))
    cluster = Rolling(choose())._cluster
    storm, took = Storm(sharded, single, people, few), {}
    try:
        storm.goes_on()
        lost = cluster.health("shard-2")
        nodes.kill(lost.node)
        wait_until(lambda: (health := cluster.health("shard-2")) is not None and health.life != lost.life, 120)
        assert cluster.health("shard-2").node != lost.node
        took["a node"] = storm.goes_on()
        nodes.add()
        ray.kill(cluster.find("shard-0"), no_restart=False)
        took["a process"] = storm.goes_on()
        assert storm.failed == 0  # searches have waited
        storm.database_is_down = True
        postgresql.kill()
        postgresql.start()
        took["the database"] = storm.goes_on()
        storm.database_is_down = False
        for _ in Rolling(choose()).roll(120):
            took["a restart"] = storm.goes_on()
    finally:
        storm.end()
    print(f"{storm.compared} answers compared, {storm.failed} errors; seconds until it went on after {took}")
    assert storm.wrong == []
    assert storm.compared > 100
    assert list(sharded.verify(people)) == []
    impatient = open_stores(choose(shard_seconds=2))
    cluster.end("shard-1")
    with pytest.raises(MissingShardsError, match="1 of 3 search shards did not answer"), impatient.read() as unit:
        unit.faces.search(people, Embedding(LARGE[0], MODEL), 1, 0.0)
    Rolling(choose()).stop()
    with pytest.raises(MissingShardsError), impatient.read() as unit:
        unit.faces.search(people, Embedding(LARGE[0], MODEL), 1, 0.0)
