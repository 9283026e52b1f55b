# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster of three real nodes for all tests that ask, and stores over it with a PostgreSQL database."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ray_nodes import RayNodes

from overt import settings
from overt.scale.rolling import Rolling
from overt.scale.router import Router
from overt.settings import Settings
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayNodes]:
    """Three nodes; a test that kills one adds another."""
    started = RayNodes(tmp_path_factory.mktemp("nodes"), 3)
    yield started
    started.close()


@pytest.fixture
def database(postgresql_url: str) -> str:
    """The URL of an empty database that is no copy of another test's."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("UPDATE database SET lineage = %s", (uuid.uuid4().hex,))
    return postgresql_url


@pytest.fixture
def choose(nodes: RayNodes, database: str, tmp_path: Path) -> Iterator[Callable[..., Settings]]:
    """Settings of a server over the cluster, changes given; what they placed there is ended with the test."""

    def make(**changes: Any) -> Settings:
        given = {"home": tmp_path / "home", "store": database, "ray": nodes.address}
        return settings.load(**given | {"shards": 3, "sharded_from": 100, "shard_seconds": 30} | changes)

    yield make
    Rolling(make()).stop()


@pytest.fixture
def open_stores(tmp_path: Path) -> Iterator[Callable[[Settings], SqlStores]]:
    """Stores as an engine opens them."""
    opened: list[SqlStores] = []

    def make(chosen: Settings) -> SqlStores:
        spread = None if chosen.ray is None else partial(Router, chosen)
        vault = Vault.open(tmp_path / "master.key")
        opened.append(SqlStores.open(chosen.store_url, vault, segments=chosen.segments, spread=spread))
        opened[-1].start()
        return opened[-1]

    yield make
    for each in opened:
        each.close()
