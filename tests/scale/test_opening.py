# SPDX-License-Identifier: Apache-2.0
"""An engine that is opened in the background, in this process; over a cluster it is in the tests of replicas."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ray_nodes import wait_until

from overt.engine import Engine
from overt.scale import opening
from overt.scale.opening import Opening, fingerprint
from overt.settings import load
from overt.stores.base import UnavailableError
from overt.stores.vault import Vault


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_AGAIN", 0.05)


def test_it_opens_when_the_node_has_the_server_s_key(tmp_path: Path) -> None:
    chosen = load(home=tmp_path / "node")
    key = fingerprint(Vault.open(tmp_path / "server.key").digest)
    started: list[Engine] = []
    opened = Opening(chosen, key, started.append)
    wait_until(lambda: "copy it there from the server" in opened.trouble)
    chosen.home.mkdir()
    chosen.master_key.write_bytes(os.urandom(32))
    chosen.master_key.chmod(0o600)
    wait_until(lambda: "another key than the server's" in opened.trouble)
    assert opened.engine is None
    (tmp_path / "server.key").replace(chosen.master_key)
    wait_until(lambda: opened.engine is not None)
    assert opened.trouble == ""
    assert started == [opened.engine]
    started[0].close()


def test_what_cannot_be_started_is_told_and_tried_again(tmp_path: Path) -> None:
    chosen = load(home=tmp_path)
    errors: list[Exception] = [UnavailableError("the database is away"), RuntimeError("a bug, with a secret")]
    told: list[str] = []

    def start(_engine: Engine) -> None:
        told.append(opened.trouble)
        if errors:
            raise errors.pop(0)

    vault = Vault.open(chosen.master_key)
    opened = Opening(chosen, fingerprint(vault.digest), start)
    wait_until(lambda: opened.engine is not None)
    assert told == ["", "the database is away", "RuntimeError: see its log"]
    assert opened.engine is not None
    opened.engine.close()
