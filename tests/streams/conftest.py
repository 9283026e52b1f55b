# SPDX-License-Identifier: Apache-2.0
"""AWS's services for streams' tests, and a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from services import Aws

from overt.stores.sql import SqlStores
from overt.stores.vault import Vault


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name, value in (("ACCESS_KEY_ID", "AKIATEST"), ("SECRET_ACCESS_KEY", "not-a-secret"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = Aws()
    yield server
    server.start()
    server.forget()
    server.stop()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[SqlStores]:
    stores = SqlStores.open(f"sqlite:///{tmp_path / 'overt.db'}", Vault.open(tmp_path / "master.key"))
    yield stores
    stores.close()
