# SPDX-License-Identifier: Apache-2.0
"""What a role's sessions say of people and cases is sealed; the contract's tests show the rest."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from overt.stores.base import AccessKey, StoreError
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, NOON
from overt.types import Assumed, Role

ASSUMED = Assumed("desk", "a-name-to-find", "AKIA1", "a-badge-to-find", {"case": "a-case-to-find"})
KEY = AccessKey("ASIA1", ACCOUNT, "operator", "hush", NOON, NOON + dt.timedelta(hours=1), "ab" * 32, assumed=ASSUMED)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)
def test_what_a_key_stands_for_cannot_be_moved_to_another(stores: SqlStores) -> None:
    other = AccessKey("ASIA2", ACCOUNT, "operator", "hush", NOON, KEY.expires, "ab" * 32)
    with stores.write() as unit:
        unit.keys.add(KEY)
        unit.keys.add(other)
    with stores._writer.unit() as connection:
        connection.exec_driver_sql("UPDATE keys SET assumed = (SELECT assumed FROM keys WHERE id = 'ASIA1')")
    with stores.read() as unit:
        assert unit.keys.get("ASIA1") == KEY
        with pytest.raises(StoreError, match="does not open"):
            unit.keys.get("ASIA2")


def test_no_file_holds_the_person_or_the_case(stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        unit.roles.add(Role(ACCOUNT, "desk", "operator", NOON))
        unit.keys.add(KEY)
    stores.close()
    everything = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"ASIA1" in everything
    assert b"-to-find" not in everything
