# SPDX-License-Identifier: Apache-2.0
"""What SQLite is told, and what becomes of its files and errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from overt.stores.base import StoreError
from overt.stores.sql import SqlStores
from overt.stores.sqlite import open_engines
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_event, make_faces, make_vectors


def test_pragmas(url: str) -> None:
    writing, reading = open_engines(url)
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    with writing.connect() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    assert values == ["wal", 2, 1, 1, 30_000]
    with reading.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
    writing.dispose()
    reading.dispose()


def test_the_files_are_their_owners_alone(stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        unit.records.append(make_event(0))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("overt.db*")}
    assert modes == {"overt.db": 0o600, "overt.db-wal": 0o600, "overt.db-shm": 0o600}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db"])
def test_other_urls_are_refused_in_words(url: str, vault: Vault) -> None:
    with pytest.raises(StoreError, match="sqlite:////var"):
        SqlStores.open(url, vault)


def test_database_errors_become_store_errors(url: str) -> None:
    writing, reading = open_engines(url)
    with writing.connect() as connection, pytest.raises(StoreError, match="no such table") as caught:
        connection.execute(text("SELECT * FROM nowhere"))
    assert caught.value.__cause__ is not None
    writing.dispose()
    reading.dispose()


def test_deleted_embeddings_are_overwritten(stores: SqlStores, tmp_path: Path) -> None:
    new = make_faces(make_vectors(3, seed=1))
    blobs = [face.embedding.vector.astype("<f2").tobytes() for face in new]
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.faces.add(people, "image", None, new)
    with stores.write() as unit:
        unit.faces.delete(people, [new[0].id])
    stores.close()
    content = (tmp_path / "overt.db").read_bytes()
    assert [blob in content for blob in blobs] == [False, True, True]
