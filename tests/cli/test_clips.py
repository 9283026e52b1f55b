# SPDX-License-Identifier: Apache-2.0
"""Several things looked for at once are found as each is alone, and each leaves its record."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from filming import film, passing, sign

from overt.cli import clips
from overt.cli.home import engine
from overt.engine import Engine, tools


@pytest.fixture(scope="module")
def clip(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    path.write_bytes(film(itertools.chain(passing(photos / "astronaut.png", 1), sign("EXIT 12", 1))))
    return path


@pytest.fixture(scope="module")
def opened(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("home"), {clips.BUCKET: clip.parent}) as made:
        yield made


def test_tasks_together_find_what_each_finds_alone(opened: Engine, clip: Path) -> None:
    wanted = {"faces": {}, "people": {}, "text": {}, "segments": {"SegmentTypes": ["SHOT"]}}
    tasks, refused = clips.allowed(opened, clip, wanted)
    assert refused == {}
    assert clips.groups(tasks) == [["faces", "people"], ["text"], ["segments"]]
    kit = tools(opened.settings, opened.models, opened.stores)
    moved: list[float] = []
    with clips.opened_clip(opened, clip) as video:
        seen = clips.look(video, tasks, kit, moved.append)
        alone = {name: clips.look(video, {name: task}, kit)[name] for name, task in tasks.items()}
    assert seen == alone
    assert [len(seen[name].times) for name in wanted] == [10, 10, 4, 50]
    assert all(seen[name].findings for name in wanted)
    assert sum(moved) == pytest.approx(2.0 * 3)


def test_each_leaves_the_record_of_the_operation_that_begins_it(opened: Engine, clip: Path) -> None:
    tasks, refused = clips.allowed(opened, clip, {"labels": {}, "search": {"CollectionId": "nobody"}})
    assert list(tasks) == ["labels"]
    assert "nobody" in refused["search"]
    with sqlite3.connect(opened.settings.home / "overt.db") as database:
        rows = database.execute("select operation, outcome from records").fetchall()
    database.close()
    assert {("StartLabelDetection", "ok"), ("StartFaceSearch", "ResourceNotFoundException")} <= set(rows)
