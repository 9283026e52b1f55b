# SPDX-License-Identifier: Apache-2.0
"""Killed at any moment, a store keeps every face it acknowledged and brings none back that it deleted."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import crashing
import pytest

from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_vectors
from overt.types import Embedding

ROUNDS = 26  # at random; and two at each of the named points: 42 and more


@pytest.fixture(scope="module")
def forks() -> Any:
    """Starts processes from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["overt.stores.sql", "overt.testing.stores"])
    return context


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with closing(open_store(tmp_path)) as stores, stores.write() as unit:
        unit.collections.create(ACCOUNT, "people", MODEL, NOON)
    return tmp_path


def open_store(home: Path) -> SqlStores:
    return SqlStores.open(f"sqlite:///{home / 'overt.db'}", Vault.open(home / "master.key"), segments=home / "segments")


class Ledger:
    """What a store has acknowledged, over many lives of the process that writes."""

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.unsure: tuple[str, list[str]] | None = None

    def note(self, words: str, action: str, ids: list[str]) -> None:
        if words == "will":
            self.unsure = (action, ids)
            return
        self.unsure = None
        self.there = self.there | set(ids) if action == "add" else self.there - set(ids)

    def check(self, home: Path, seed: int) -> None:
        """All or nothing of the write under way when it was killed; all else as acknowledged."""
        with closing(open_store(home)) as stores:
            with stores.read() as unit:
                people = unit.collections.get(ACCOUNT, "people")
                found = {face.id for face in unit.faces.page(people, 0, 1_000_000)}
                probe = Embedding(make_vectors(1, seed=seed)[0], MODEL)
                searched = {face.id for face, _ in unit.faces.search(people, probe, 100_000, -1.0)}
            if self.unsure is not None:
                action, ids = self.unsure
                after = self.there | set(ids) if action == "add" else self.there - set(ids)
                assert found in (self.there, after)
                self.there, self.unsure = found, None
            assert found == self.there
            assert searched == found
            assert list(stores.verify()) == []
            assert list(stores.verify(people)) == []


def live_and_die(
    forks: Any, home: Path, ledger: Ledger, seed: int, seconds: float, point: str | None, when: int
) -> None:
    mine, theirs = forks.Pipe(duplex=False)
    process = forks.Process(target=crashing.work, args=(home, seed, theirs, point, when))
    process.start()
    theirs.close()
    with contextlib.suppress(EOFError), mine:
        ledger.note(*mine.recv())  # it has begun
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if mine.poll(left):
                ledger.note(*mine.recv())
        process.kill()
        while True:  # what it had acknowledged before it died
            ledger.note(*mine.recv())
    process.join()
    assert process.exitcode == -signal.SIGKILL
    process.close()


def test_killed_at_random_nothing_acknowledged_is_lost(forks: Any, home: Path) -> None:
    choose, ledger = random.Random(1), Ledger()
    for seed in range(ROUNDS):
        live_and_die(forks, home, ledger, seed, choose.uniform(0, 0.5), None, 0)
        ledger.check(home, seed)
    assert ledger.there


@pytest.mark.parametrize("point", crashing.POINTS)
def test_killed_at_a_named_point_nothing_acknowledged_is_lost(forks: Any, home: Path, point: str) -> None:
    ledger = Ledger()
    for seed, when in enumerate([6, 7, 1]):
        live_and_die(forks, home, ledger, seed, 60, point, when)
        ledger.check(home, seed)
