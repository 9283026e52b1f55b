# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from overt.engine import Engine
from overt.settings import load
from overt.testing.stores import NOON, make_faces, make_vectors


def enrol(home: Path, count: int) -> None:
    opened = Engine.open(load(home=home))
    try:
        with opened.stores.write() as unit:
            people = unit.collections.create(opened.settings.account, "people", "model-1", NOON)
            unit.faces.add(people, "image", None, make_faces(make_vectors(count, seed=1)))
    finally:
        opened.close()


def test_all_is_well(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    enrol(home, 70_000)
    result = told("verify")
    assert result["ok"] is True
    assert [each.get("collection") for each in result["results"]] == [None, "people"]
    assert "people (70000 faces): ok" in overt("verify", "--home", home).stdout


def test_what_is_wrong_is_told_and_search_files_are_mended(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    enrol(home, 70_000)
    told("verify")
    (file,) = (home / "segments").rglob("*.segment")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    done = overt("verify", "--home", home, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["results"][1]["faults"] == [f"faces: {file.name}: 1 of its rows are damaged"]
    assert told("verify")["ok"] is True
    with closing(sqlite3.connect(home / "overt.db")) as connection:
        connection.execute("UPDATE collections SET face_count = 5")
        connection.commit()
    printed = overt("verify", "--home", home)
    assert printed.returncode == 1
    assert "BAD  it says that it has 5 faces, and has 70000" in printed.stdout
