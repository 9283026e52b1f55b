# SPDX-License-Identifier: Apache-2.0
"""The frame loop: whatever is looked for, work that goes on from any chunk finds what unbroken work finds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import filming
import pytest

from overt.jobs import analysis, task
from overt.jobs.task import Task, Tools
from overt.jobs.tasks.faces import Faces
from overt.jobs.tasks.labels import Labels
from overt.jobs.tasks.moderation import Moderation
from overt.jobs.tasks.people import People
from overt.jobs.tasks.search import Search
from overt.jobs.tasks.segments import Segments
from overt.jobs.tasks.texts import Texts
from overt.media.fetch import Fetcher
from overt.media.video import Video
from overt.models.filters import LabelFilter, WordFilter
from overt.stores.base import Checkpoint
from overt.types import Finding, Stored

ACCOUNT = "000000000001"
TASKS = [
    Faces(frozenset()),
    Labels(0.5, LabelFilter()),
    Moderation(0.0, is_older=True),
    People(),
    Search(ACCOUNT, "people", 0.8),
    Segments(("SHOT", "TECHNICAL_CUE"), 0.5, 0.5, 0.2, 99.0),
    Texts(WordFilter(0.8)),
]


@pytest.fixture(scope="module")
def bucket(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "clips").mkdir()
    parts = (
        filming.passing(photos / "obama2.jpg", 1.5),
        filming.sign("WAY OUT", 0.6),
        filming.passing(photos / "biden.jpg", 1.5),
    )
    whole = filming.film(itertools.chain(*parts))
    (folder / "clips" / "a.mp4").write_bytes(whole)
    return folder


@pytest.fixture
def video(bucket: Path) -> Iterator[Video]:
    with Video(Fetcher(bucket).open(Stored("clips", "a.mp4"))) as opened:
        yield opened


def look(video: Video, sought: Task, tools: Tools, since: Checkpoint, most: int = 1000) -> list[analysis.Chunk]:
    return list(itertools.islice(analysis.look(video, sought, tools, since), most))


def found(chunks: list[analysis.Chunk]) -> list[Finding]:
    return sorted((finding for chunk in chunks for finding in chunk.findings), key=repr)


@pytest.mark.parametrize("sought", TASKS, ids=lambda sought: type(sought).__name__)
def test_work_goes_on_where_it_was_left(
    video: Video, bucket: Path, gallery: Tools, sought: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = found(look(video, sought, gallery, Checkpoint()))
    monkeypatch.setattr(analysis, "_VIDEO", 0.7)
    chunks: list[analysis.Chunk] = []
    for _ in range(20):
        since = chunks[-1].checkpoint if chunks else Checkpoint()
        with Video(Fetcher(bucket).open(Stored("clips", "a.mp4"))) as again:
            (chunk,) = look(again, task.read(task.write(sought)), gallery, since, 1)
        chunks.append(chunk)
        if not chunk.checkpoint.state:
            break
    assert len(chunks) > 4
    assert found(chunks) == whole
    assert [chunk.progress for chunk in chunks] == sorted(chunk.progress for chunk in chunks)
    assert chunks[-1].progress == 1.0
    assert whole


def test_a_film_that_was_cut_off_is_looked_at_and_says_so(photos: Path, tmp_path: Path, gallery: Tools) -> None:
    whole = filming.film(filming.passing(photos / "biden.jpg", 14), "matroska")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    with Video(Fetcher(tmp_path).open(Stored("clips", "cut.mkv"))) as video:
        chunks = look(video, Faces(frozenset()), gallery, Checkpoint())
    assert found(chunks)
    assert "cut off" in chunks[-1].caution


def test_a_whole_film_needs_no_words(video: Video, gallery: Tools) -> None:
    assert look(video, Texts(WordFilter(0.8)), gallery, Checkpoint())[-1].caution == ""
