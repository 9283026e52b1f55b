# SPDX-License-Identifier: Apache-2.0
"""A secret is nowhere in the clear, and opens under its own vault and key id only."""

from __future__ import annotations

from pathlib import Path

import pytest

from overt.stores.base import AccessKey, StoreError
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, NOON

KEY = AccessKey("AKIA1", ACCOUNT, "admin", "a-secret-to-find", NOON)

EITHER = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_no_file_holds_the_secret(stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        unit.keys.add(KEY)
    stores.close()
    for file in tmp_path.iterdir():
        assert KEY.secret.encode() not in file.read_bytes()


@EITHER
def test_another_vault_opens_nothing(stores: SqlStores, url: str, tmp_path: Path) -> None:
    with stores.write() as unit:
        unit.keys.add(KEY)
    other = SqlStores.open(url, Vault.open(tmp_path / "other.key"))
    with other.read() as unit:
        assert unit.keys.list()[0].id == "AKIA1"
        with pytest.raises(StoreError, match="does not open"):
            unit.keys.get("AKIA1")
    other.close()


@EITHER
def test_a_secret_cannot_be_moved_to_another_key(stores: SqlStores) -> None:
    with stores.write() as unit:
        unit.keys.add(KEY)
    with stores._writer.unit() as connection:
        connection.exec_driver_sql("UPDATE keys SET id = 'AKIA2'")
    with stores.read() as unit, pytest.raises(StoreError, match="does not open"):
        unit.keys.get("AKIA2")
