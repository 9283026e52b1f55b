# SPDX-License-Identifier: Apache-2.0
"""A shard by itself, in this process; over a cluster it is in the router's tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from ray_nodes import wait_until

from overt import settings
from overt.scale.shards import Found, Shard, WrongShareError
from overt.stores import lineage
from overt.stores.base import NotFoundError, StoreError, UnavailableError
from overt.stores.gallery import Query
from overt.stores.index import Share
from overt.stores.schema import faces
from overt.stores.shelf import Shelf, locate
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Collection

VECTORS = make_vectors(200, seed=1)
HALF = Share(1, 2)


@pytest.fixture
def stores(postgresql_url: str, tmp_path: Path) -> Iterator[SqlStores]:
    opened = SqlStores.open(postgresql_url, Vault.open(tmp_path / "master.key"))
    yield opened
    opened.close()


@pytest.fixture
def people(stores: SqlStores) -> Collection:
    with stores.write() as unit:
        made = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(made, "image", None, make_faces(VECTORS))
        return made


def shelf_of(stores: SqlStores, people: Collection) -> Shelf:
    with stores._snapshot() as connection:
        return locate(connection, people)


@pytest.fixture
def make_shard(stores: SqlStores, postgresql_url: str, tmp_path: Path) -> Iterator[Callable[..., Shard]]:
    with stores._snapshot() as connection:
        database = lineage.current(connection)
    made: list[Shard] = []

    def make(share: Share = HALF, database: str = database, sharded_from: int = 10_000) -> Shard:
        chosen = settings.load(home=tmp_path / "node", store=postgresql_url, sharded_from=sharded_from)
        made.append(Shard(chosen, database, share))
        return made[-1]

    yield make
    for shard in made:
        wait_until(lambda shard=shard: shard._ready or shard._trouble)
        shard._ready = True  # it tries no more
        if shard._open is not None:
            shard._open[0].dispose()
            shard._open[1].close()
            shard._claim.close()


def ask(shard: Shard, shelf: Shelf, row: int, limit: int = 300, without: tuple[int, ...] = ()) -> Found:
    return shard.search(HALF, "faces", shelf, Query(VECTORS[row], limit, -1.0, np.array(without, np.int64)))


def test_it_holds_its_share_of_the_rows(
    make_shard: Callable[..., Shard], stores: SqlStores, people: Collection
) -> None:
    shard = make_shard()
    found = ask(shard, shelf_of(stores, people), 4)
    assert sorted(found.sequences) == list(range(1, 201, 2))
    assert found.sequences[0] == 5
    assert found.gone.size == 0
    assert len(ask(shard, shelf_of(stores, people), 4, 10, without=(5,)).sequences) == 10


def test_an_older_caller_gets_its_own_rows_and_hears_which_have_gone(
    make_shard: Callable[..., Shard], stores: SqlStores, people: Collection
) -> None:
    before = shelf_of(stores, people)
    with stores.write() as unit:
        unit.faces.delete(people, ["face-00000", "face-00001", "face-00002"])  # sequences 1, 2 and 3
        unit.faces.add(people, "image", None, make_faces(VECTORS[:4], "new"))
    found = ask(make_shard(), before, 4)
    assert sorted(found.gone) == [1, 3]
    assert sorted(found.sequences) == list(range(5, 201, 2))


def test_a_shard_that_has_seen_both_states_needs_no_database(
    make_shard: Callable[..., Shard], stores: SqlStores, people: Collection
) -> None:
    shard, before = make_shard(), shelf_of(stores, people)
    ask(shard, before, 4)
    with stores.write() as unit:
        unit.faces.delete(people, ["face-00000"])
    after = shelf_of(stores, people)
    assert 1 not in ask(shard, after, 4).sequences
    wait_until(lambda: shard._ready)
    reading = shard._opened()[0]
    reading.dispose()
    shard._open = (reading.execution_options(), shard._opened()[1])
    found = ask(shard, before, 4)
    assert 1 in found.sequences
    assert found.gone.size == 0
    assert reading.pool.checkedin() == 0  # nobody has connected


def test_a_wrong_share_a_lost_collection_and_a_head_to_come_are_errors(
    make_shard: Callable[..., Shard], stores: SqlStores, people: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, shelf = make_shard(), shelf_of(stores, people)
    query = Query(VECTORS[0], 1, -1.0, np.empty(0, np.int64))
    with pytest.raises(WrongShareError, match="shard 1 of 2, not 1 of 3"):
        shard.search(Share(1, 3), faces.name, shelf, query)
    monkeypatch.setattr("overt.scale.shards._BEHIND", 0.1)
    with pytest.raises(UnavailableError, match="behind"):
        ask(shard, Shelf(shelf.number, shelf.model, shelf.dimension, shelf.head + 1), 0)
    with pytest.raises(NotFoundError):
        ask(shard, Shelf(999, shelf.model, shelf.dimension, 1), 0)


def test_it_reads_large_collections_before_anybody_asks(
    make_shard: Callable[..., Shard], stores: SqlStores, people: Collection
) -> None:
    shard = make_shard(sharded_from=100)
    wait_until(lambda: shard._ready)
    assert shard._opened()[1].living == 100


def test_another_database_is_refused(make_shard: Callable[..., Shard], stores: SqlStores, people: Collection) -> None:
    shard = make_shard(database=uuid.uuid4().hex)
    with pytest.raises(StoreError, match="exchanged"):
        ask(shard, shelf_of(stores, people), 0)
    wait_until(lambda: "exchanged" in shard._trouble)


def test_a_database_that_comes_back_is_read_then(
    make_shard: Callable[..., Shard], stores: SqlStores, people: Collection, postgresql_url: str
) -> None:
    base, _, name = postgresql_url.rpartition("/")
    with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        shard = make_shard(sharded_from=100)
        wait_until(lambda: shard._trouble)
        assert "a-password" not in shard._trouble
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    wait_until(lambda: shard._ready)
    assert shard._trouble == ""
