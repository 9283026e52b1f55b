# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from overt.stores import lineage
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_faces, make_vectors
from overt.types import Embedding

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_a_database_keeps_its_name(stores: SqlStores, url: str, vault: Vault) -> None:
    with stores.reading.connect() as connection:
        name = lineage.current(connection)
    with closing(SqlStores.open(url, vault)) as again, again.reading.connect() as connection:
        assert lineage.current(connection) == name


def test_a_database_that_was_put_back_uses_no_segment_of_before(url: str, vault: Vault, tmp_path: Path) -> None:
    folder = tmp_path / "segments"
    vectors = make_vectors(66_000, seed=1)
    with closing(SqlStores.open(url, vault, segments=folder)) as stores:
        with stores.write() as unit:
            people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
            unit.faces.add(people, "image", None, make_faces(vectors))
        with stores.read() as unit:
            unit.faces.search(people, Embedding(vectors[0], MODEL), 1, 0.9)
        (before,) = folder.glob("*/*.segment")
        with stores._writer.unit() as connection:
            lineage.renew(connection)
    with closing(SqlStores.open(url, vault, segments=folder)) as stores:
        with stores.read() as unit:
            assert unit.faces.search(people, Embedding(vectors[7], MODEL), 1, 0.9)[0][0].id == "face-00007"
        (after,) = folder.glob("*/*.segment")
    assert after != before
