# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from overt.stores.base import NotFoundError, StoreError
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.streams.judging import judge
from overt.testing.stores import ACCOUNT, NOON
from overt.types import Alert, Box


def test_a_decision_is_kept_and_stands(tmp_path: Path) -> None:
    stores = SqlStores.open(f"sqlite:///{tmp_path / 'overt.db'}", Vault.open(tmp_path / "master.key"))
    box = Box(0, 0, 1, 1)
    alert = Alert(
        "one",
        ACCOUNT,
        "key",
        "gate",
        "arn",
        "session",
        NOON,
        None,
        1.0,
        box,
        None,
        "people",
        4,
        0.9,
        "model-1",
        b"jpeg",
    )
    try:
        with stores.write() as unit:
            unit.alerts.add(alert)
        done = judge(stores, ACCOUNT, "one", "confirmed", "ann")
        assert (done.review, done.reviewer, done.picture) == ("confirmed", "ann", b"jpeg")
        with pytest.raises(StoreError, match="already"):
            judge(stores, ACCOUNT, "one", "rejected", "bob")
        with pytest.raises(NotFoundError):
            judge(stores, ACCOUNT, "two", "rejected", "bob")
    finally:
        stores.close()
