# SPDX-License-Identifier: Apache-2.0
"""The contract on SQLite, and what only files and processes can show: sharing, crashes, full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from overt.stores.base import StoreError, Stores
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, StoreContract, make_event, make_faces, make_vectors
from overt.types import Embedding


class TestSqlite(StoreContract):
    @pytest.fixture
    def stores(self, url: str, vault: Vault) -> Iterator[Stores]:
        stores = SqlStores.open(url, vault)
        yield stores
        stores.close()

    @pytest.fixture
    def reopen(self, stores: Stores, url: str, vault: Vault) -> Iterator[Callable[[], Stores]]:
        opened: list[SqlStores] = []

        def again() -> Stores:
            stores.close()
            opened.append(SqlStores.open(url, vault))
            return opened[-1]

        yield again
        for each in opened:
            each.close()


def test_reopening_is_quick(stores: SqlStores, url: str, vault: Vault) -> None:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        SqlStores.open(url, vault).close()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05
    assert stores is not None


def test_threads_may_open_a_new_file_at_once(url: str, vault: Vault) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: SqlStores.open(url, vault), range(4)))
    for number, stores in enumerate(opened):
        with stores.write() as unit:
            unit.records.append(make_event(number))
    with opened[0].read() as unit:
        assert unit.records.count() == 4
    for stores in opened:
        stores.close()


def test_two_stores_on_one_file(stores: SqlStores, url: str, vault: Vault) -> None:
    other = SqlStores.open(url, vault)
    new = make_faces(make_vectors(20, seed=1, per_person=1))
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
    for number, face in enumerate(new):
        writing, reading = (stores, other) if number % 2 else (other, stores)
        with writing.write() as unit:
            unit.faces.add(people, "image", None, [face])
        for each in (reading, writing):
            with each.read() as unit:
                assert unit.faces.search(people, face.embedding, 1, 0.9)[0][0].id == face.id
        with reading.write() as unit:
            assert unit.faces.search(people, face.embedding, 1, 0.9)[0][0].id == face.id
            if number % 5 == 0:
                unit.faces.delete(people, [face.id])
        with writing.read() as unit:
            assert len(unit.faces.search(people, face.embedding, 1, 0.9)) == (0 if number % 5 == 0 else 1)
    with stores.write() as unit:
        unit.collections.delete(ACCOUNT, "people")
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, new[:1])
    with other.read() as unit:
        assert [face.id for face, _ in unit.faces.search(people, new[5].embedding, 9, -1.0)] == [new[0].id]
    other.close()


def test_a_waiting_store_gets_its_turn(stores: SqlStores, url: str, vault: Vault) -> None:
    """No write lock is held between units: two stores that write without pause both get through."""
    other = SqlStores.open(url, vault)

    def write(each: SqlStores) -> None:
        for number in range(50):
            with each.write() as unit:
                unit.records.append(make_event(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [stores, other, stores, other]))
    with other.read() as unit:
        assert unit.records.count() == 200
    other.close()


_CHILD = """
import sys
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import make_event
from concurrent.futures import ThreadPoolExecutor
stores = SqlStores.open(sys.argv[1], Vault.open(sys.argv[2]))
def work(thread):
    for number in range(10**6):
        with stores.write() as unit:
            unit.records.append(make_event(thread * 10**6 + number))
        sys.stdout.write(f"call-{thread * 10**6 + number}\\n")
        sys.stdout.flush()
with ThreadPoolExecutor(4) as pool:
    list(pool.map(work, range(4)))
"""


def test_what_was_acknowledged_survives_a_kill(url: str, vault: Vault, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, url, str(tmp_path / "master.key")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().strip() for _ in range(400)]
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read()
    child.stdout.close()
    child.wait()
    acknowledged += [line for line in rest.split("\n")[:-1] if line]  # the last line may be cut short
    stores = SqlStores.open(url, vault)
    with stores.read() as unit:
        found = {event.call_id for event in unit.records.tail(10**6)}
    assert len(acknowledged) >= 400
    assert set(acknowledged) <= found
    stores.close()


def test_a_database_at_its_size_limit_recovers(stores: SqlStores) -> None:
    connection = stores._writer._connection  # no setting offers this limit
    new = make_faces(make_vectors(2000, seed=1))
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StoreError), stores.write() as unit:
        unit.faces.add(people, "image", None, new)
    with stores.read() as unit:
        assert unit.collections.get(ACCOUNT, "people").face_count == 0
    connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    with stores.write() as unit:
        unit.faces.add(people, "image", None, new)
    with stores.read() as unit:
        assert unit.faces.search(people, new[7].embedding, 1, 0.9)[0][0].id == "face-00007"


def test_an_erased_vector_is_in_no_file(url: str, vault: Vault, tmp_path: Path) -> None:
    """Of users as of faces; also of a face deleted before, and with a second store that has all files open."""
    halves = make_vectors(70_000, seed=1)
    folder = tmp_path / "segments"
    doomed = [f"face-{number:05d}" for number in (5, 60_000, 69_999)]
    with (
        closing(SqlStores.open(url, vault, segments=folder)) as stores,
        closing(SqlStores.open(url, vault, segments=folder)) as other,
    ):
        with stores.write() as unit:
            people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
            unit.faces.add(people, "image", None, make_faces(halves))
            unit.users.create(people, "ann")
            unit.users.associate(people, "ann", doomed[:1])
        for each in (stores, other):
            with each.read() as unit:
                assert len(unit.faces.search(people, Embedding(halves[5], MODEL), 9, -1.0)) == 9
        with stores.write() as unit:
            unit.faces.delete(people, doomed[1:2])
        blobs = [halves[int(face_id[-5:])].astype(np.float16).tobytes() for face_id in doomed]

        def held() -> list[bool]:
            files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
            return [any(blob in data for data in files) for blob in blobs]

        assert held() == [True, True, True]
        erasure = stores.erase(people, [doomed[0], doomed[2]])
        assert held() == [False, False, False]
        assert any("search file" in place for place in erasure.places)
        for each in (stores, other):
            with each.read() as unit:
                found = unit.faces.search(people, Embedding(halves[5], MODEL), 9, -1.0)
                assert doomed[0] not in {face.id for face, _ in found}
            assert list(each.verify(people)) == []
