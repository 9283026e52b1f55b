# SPDX-License-Identifier: Apache-2.0
"""What needs no cluster; restarts under load are in the tests of the router and of replicas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from overt.scale.cluster import Health
from overt.scale.rolling import Member, Rolling
from overt.settings import load
from overt.stores.base import StoreError, UnavailableError


def test_states_in_a_word() -> None:
    ready = Health("127.0.0.2", "ab", "0.1.0", ready=True)
    states = [None, ready, replace(ready, ready=False), replace(ready, leaving=True)]
    assert [Member("shard-0", health).state for health in states] == ["lost", "ready", "starting", "leaving"]


def test_without_a_cluster_or_a_database_it_is_told(tmp_path: Path, postgresql_url: str) -> None:
    with pytest.raises(StoreError, match="--ray auto"):
        Rolling(load(home=tmp_path, store=postgresql_url))
    with pytest.raises(UnavailableError, match="no head"):
        Rolling(load(home=tmp_path, store=postgresql_url, ray="127.0.0.1:1"))
    with pytest.raises(UnavailableError, match="database") as refused:
        Rolling(load(home=tmp_path, store="postgresql://overt:a-secret@127.0.0.1:1/overt", ray="auto"))
    assert "a-secret" not in str(refused.value)
