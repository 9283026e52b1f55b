# SPDX-License-Identifier: Apache-2.0
"""A store of the test's own: on a SQLite file, or with `pytestmark = EITHER` on both kinds of database in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clocks import Clock

from overt.stores.sql import SqlStores
from overt.stores.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "master.key")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", "sqlite")


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if kind == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'overt.db'}"


@pytest.fixture
def stores(url: str, vault: Vault) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault)
    yield stores
    stores.close()
