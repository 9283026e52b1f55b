# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from overt.cli.ledger import Ledger
from overt.engine import Engine


def file(engine: Engine) -> Path:
    return max((engine.settings.home / "imports").iterdir(), key=lambda item: item.stat().st_mtime_ns)


def test_what_is_settled_is_known_when_opened_again(engine: Engine) -> None:
    ledger = Ledger.open(engine, "a")
    assert ledger.get("one") is None
    ledger.note("one", [1, "x"])
    assert ledger.get("one") == Ledger.open(engine, "a").get("one") == [1, "x"]
    assert Ledger.open(engine, "b").get("one") is None
    assert Ledger.open(engine, "a", fresh=True).get("one") is None


def test_names_cannot_be_read_back(engine: Engine) -> None:
    Ledger.open(engine, "secret").note("Ada Lovelace", 1)
    assert b"Ada" not in file(engine).read_bytes()
    assert file(engine).stat().st_mode & 0o077 == 0


def test_a_line_cut_off_by_a_crash_is_not_settled_and_nothing_after_it_is_lost(engine: Engine) -> None:
    ledger = Ledger.open(engine, "crash")
    ledger.note("one", 1)
    ledger.note("two", 2)
    path = file(engine)
    path.write_bytes(path.read_bytes()[:-5])
    again = Ledger.open(engine, "crash")
    assert (again.get("one"), again.get("two")) == (1, None)
    again.note("three", 3)
    assert Ledger.open(engine, "crash").get("three") == 3
