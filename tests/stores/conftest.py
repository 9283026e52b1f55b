# SPDX-License-Identifier: Apache-2.0
"""A store on a SQLite file of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from overt.stores.sql import SqlStores
from overt.stores.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "master.key")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'overt.db'}"


@pytest.fixture
def stores(url: str, vault: Vault) -> Iterator[SqlStores]:
    stores = SqlStores.open(url, vault)
    yield stores
    stores.close()
