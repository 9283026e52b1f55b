# SPDX-License-Identifier: Apache-2.0
"""What the index keeps in memory, and what it lets go."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, event

from overt.stores.base import Roll
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Collection, Embedding


@pytest.fixture
def many(stores: SqlStores) -> list[Collection]:
    with stores.write() as unit:
        made = [unit.collections.create(ACCOUNT, f"people-{number}", MODEL, NOON) for number in range(5)]
        for collection in made:
            unit.faces.add(collection, "image", None, make_faces(make_vectors(8, seed=1)))
    return made


def search(stores: SqlStores, collection: Collection) -> None:
    with stores.read() as unit:
        probe = make_faces(make_vectors(8, seed=1))[0].embedding
        assert unit.faces.search(collection, probe, 1, 0.9)[0][0].id == "face-00000"


def test_the_least_recently_searched_goes_first(
    stores: SqlStores, many: list[Collection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overt.stores.index._BUDGET", 2 * 8 * (64 + 4 + 8 + 2 * 32))  # code, scale, sequence, vector
    for number in (0, 1, 0, 2):
        search(stores, many[number])
    assert [number for number, _ in stores._index._galleries] == [1, 3]
    monkeypatch.setattr("overt.stores.index._BUDGET", 0)
    search(stores, many[4])
    assert [number for number, _ in stores._index._galleries] == [5]


def test_a_second_search_reads_no_embedding(stores: SqlStores, many: list[Collection]) -> None:
    search(stores, many[0])
    read: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        read.append(statement)

    event.listen(stores.reading, "before_cursor_execute", note)
    search(stores, many[0])
    assert read
    assert not any("faces.embedding" in statement for statement in read)


def test_a_deleted_collection_leaves_memory(stores: SqlStores, many: list[Collection]) -> None:
    search(stores, many[0])
    with stores.write() as unit:
        unit.collections.delete(ACCOUNT, many[0].id)
    assert not stores._index._galleries


def test_uncommitted_rows_never_reach_the_shared_galleries(stores: SqlStores, many: list[Collection]) -> None:
    fresh = make_faces(make_vectors(1, seed=2), "fresh")
    with stores.write() as unit:
        unit.faces.add(many[0], "image", None, fresh)
        assert unit.faces.search(many[0], fresh[0].embedding, 1, 0.9)[0][0].id == "fresh-00000"
        (gallery,) = stores._index._galleries.values()
        assert gallery._view is not None
        assert len(gallery._view.tail.rows) == 8


def test_a_large_collection_gets_files_which_go_with_it(url: str, vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / "segments"
    halves = make_vectors(70_000, seed=1)
    for _ in range(2):
        with closing(SqlStores.open(url, vault, segments=folder)) as stores:
            with stores.write() as unit:
                if not unit.collections.page(ACCOUNT, "", 1):
                    people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
                    unit.faces.add(people, "image", None, make_faces(halves))
                    unit.collections.create(ACCOUNT, "few", MODEL, NOON)
            with stores.read() as unit:
                probe = Embedding(halves[69_000], MODEL)
                assert unit.faces.search(people, probe, 1, 0.9)[0][0].id == "face-69000"
            files = list(folder.glob("1-faces/*.segment"))
            assert len(files) == 1
    with closing(SqlStores.open(url, vault, segments=folder)) as stores:
        with stores.write() as unit:
            unit.collections.delete(ACCOUNT, "people")
        assert list(folder.iterdir()) == []


def test_files_of_collections_long_gone_are_swept_at_the_start(url: str, vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "segments" / "77-users").mkdir(parents=True)
    SqlStores.open(url, vault, segments=tmp_path / "segments").close()
    assert list((tmp_path / "segments").iterdir()) == []


def test_users_are_searched_as_faces_are(url: str, vault: Vault, tmp_path: Path) -> None:
    count = 67_000
    vectors = make_vectors(count, seed=1)
    people_of = [f"user-{row // 2:05d}" if row < 1000 else f"user-{row:05d}" for row in range(count)]
    ids = [f"face-{row:05d}" for row in range(count)]
    boxes = np.tile([0.1, 0.1, 0.5, 0.5], (count, 1))
    roll = Roll(ids, ids, [None] * count, boxes, np.ones(count), people_of, vectors)
    with closing(SqlStores.open(url, vault, segments=tmp_path / "segments")) as stores:
        with stores.write() as unit:
            people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
            unit.users.load(people, people_of)
            unit.faces.load(people, MODEL, roll)
        for gone in ([], ["user-60001"]):
            with stores.write() as unit:
                for user_id in gone:
                    unit.users.disassociate(people, "user-60000", ["face-60000"])
                    unit.users.delete(people, user_id)
            with stores.read() as unit:
                probe = unit.users.vector(people, "user-00007")
                assert probe is not None
                found = unit.users.search(people, probe, 5, 0.3)
            assert found[0][0].id == "user-00007"
            assert found[0][0].face_count == 2
        assert len(list((tmp_path / "segments").glob("1-users/*.segment"))) == 1
        assert list(stores.verify(people)) == []
