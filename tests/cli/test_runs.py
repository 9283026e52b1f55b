# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from overt.cli import runs
from overt.cli.output import CommandError
from overt.engine import Engine


def test_a_record_is_read_as_it_was_written(engine: Engine, tmp_path: Path) -> None:
    used = runs.model(engine)
    record = runs.make("verify", runs.Data("ours", 2, 1, "ab"), used, {"x": 1.5}, ["few"])
    runs.write(tmp_path / "a.json", record)
    assert runs.read(tmp_path / "a.json") == record
    assert used["name"] == engine.models.faces.model
    assert {len(digest) for digest in used["weights"].values()} == {64}
    assert len(used["weights"]) == 2
    assert used["packs"] == ["faces 1.0.0"]
    runs.write(None, record)


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    for text in ("{", "[]", "{}", json.dumps({"overt_record": 1, "kind": "verify"})):
        file.write_text(text)
        with pytest.raises(CommandError, match="record"):
            runs.read(file)


def test_a_digest_is_of_the_pictures_whatever_they_are_called(tmp_path: Path) -> None:
    for name, text in {"a": "1", "b": "2", "c": "2", "d": "1"}.items():
        (tmp_path / name).write_text(text)
    first = runs.digest([tmp_path / "a", tmp_path / "b"])
    assert first == runs.digest([tmp_path / "c", tmp_path / "d"])
    assert first != runs.digest([tmp_path / "a", tmp_path / "d"])
