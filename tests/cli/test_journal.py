# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from overt.cli.journal import Journal
from overt.engine import Engine


def test_what_was_done_is_known_when_opened_again_until_it_changes(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"1")
    journal = Journal.open(engine, tmp_path, "people", fresh=False)
    assert not journal.has("a.jpg")
    journal.note("a.jpg")
    assert Journal.open(engine, tmp_path, "people", fresh=False).has("a.jpg")
    assert not Journal.open(engine, tmp_path, "others", fresh=False).has("a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"22")
    assert not Journal.open(engine, tmp_path, "people", fresh=False).has("a.jpg")


def test_a_fresh_journal_knows_nothing(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"1")
    Journal.open(engine, tmp_path, "fresh", fresh=False).note("a.jpg")
    assert not Journal.open(engine, tmp_path, "fresh", fresh=True).has("a.jpg")


def test_a_line_cut_off_by_a_crash_counts_as_not_done(engine: Engine, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"1")
    journal = Journal.open(engine, tmp_path, "crash", fresh=True)
    journal.note("a.jpg")
    journal.note("b.jpg")
    path = max((engine.settings.home / "imports").iterdir(), key=lambda item: item.stat().st_mtime_ns)
    path.write_bytes(path.read_bytes()[:-5])
    again = Journal.open(engine, tmp_path, "crash", fresh=False)
    assert again.has("a.jpg")
    assert not again.has("b.jpg")
    again.note("b.jpg")
    assert Journal.open(engine, tmp_path, "crash", fresh=False).has("b.jpg")
