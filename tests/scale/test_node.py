# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from overt.scale import node
from overt.settings import load


def test_a_node_s_own_home_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load(home=tmp_path / "server", store="postgresql://overt:hush@db/overt")
    monkeypatch.delenv("OVERT_HOME", raising=False)
    assert node.at_home(chosen) == chosen
    monkeypatch.setenv("OVERT_HOME", str(tmp_path / "node"))
    there = node.at_home(chosen)
    assert there.shard_folder == tmp_path / "node" / "shards"
    assert there.store == chosen.store
    assert "hush" not in repr(there)


def test_segments_that_nobody_holds_are_cleared(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    assert node.clear(folder) == 0
    held = node.hold(folder / "0-of-2")
    left = node.hold(folder / "1-of-2")
    for name in ("0-of-2", "1-of-2"):
        (folder / name / "1-faces").mkdir()
        (folder / name / "1-faces" / "a.segment").write_bytes(b"a vector")
    left.close()
    assert node.clear(folder) == 1
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["0-of-2"]
    assert (folder / "0-of-2" / "1-faces" / "a.segment").exists()
    node.hold(folder / "1-of-2").close()  # it can be had again
    held.close()
    assert node.clear(folder) == 2


def test_memory_is_counted() -> None:
    assert 10_000_000 < node.resident() < 100_000_000_000
