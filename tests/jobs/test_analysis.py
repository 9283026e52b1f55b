# SPDX-License-Identifier: Apache-2.0
"""The frame loop: whatever is looked for, work that goes on from any chunk finds what unbroken work finds.

So does work on several threads.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import filming
import pytest

from overt.jobs import analysis, task
from overt.jobs.task import Task, Tools, finding
from overt.jobs.tasks.faces import Faces
from overt.jobs.tasks.labels import Labels
from overt.jobs.tasks.moderation import Moderation
from overt.jobs.tasks.people import People
from overt.jobs.tasks.search import Search
from overt.jobs.tasks.segments import Segments
from overt.jobs.tasks.texts import Texts
from overt.media.fetch import Fetcher
from overt.media.objects import LocalObject
from overt.media.video import Video
from overt.models.filters import LabelFilter, WordFilter
from overt.stores.base import Checkpoint
from overt.types import Finding, Footage, Frame, Stored

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


@dataclass(frozen=True)
class Counting:
    """A task that counts what it sees, and knows which threads glanced."""

    threads: set[int]
    rate: ClassVar = 5.0
    side: ClassVar = 32
    hears: ClassVar = False

    def begin(self, _tools: Tools, _footage: Footage, state: Any) -> Any:
        return _Count(self, state or 0)


class _Count:
    def __init__(self, task: Counting, seen: int) -> None:
        self._task = task
        self._seen = seen

    def glance(self, frame: Frame) -> float:
        self._task.threads.add(threading.get_ident())
        return frame.time

    def see(self, frame: Frame, glance: float) -> Sequence[Finding]:
        assert glance == frame.time
        self._seen += 1
        return [finding(frame.time, str(self._seen), None)]

    def finish(self) -> Sequence[Finding]:
        return [finding(0, "end", None)]

    def state(self) -> int:
        return self._seen


def opened(folder: Path) -> Video:
    (folder / "clip.mp4").write_bytes(filming.film(filming.empty(2, size=(64, 64))))
    return Video(LocalObject(folder, "b", "clip.mp4"))


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_frames_are_seen_in_order(tmp_path: Path, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_VIDEO", 0.5)
    task = Counting(set())
    kit: Any = Tools(None, None, threads)  # type: ignore[arg-type]  # it asks neither models nor stores
    with opened(tmp_path) as video:
        chunks = list(analysis.look(video, task, kit, Checkpoint(0.0, "")))
        found = [(each.time, each.name) for chunk in chunks for each in chunk.findings]
        rest = list(analysis.look(video, task, kit, chunks[0].checkpoint))
    assert found[-1] == (0, "end")
    assert [name for _, name in found[:-1]] == [str(number) for number in range(1, 11)]
    assert [time for time, _ in found[:-1]] == list(range(0, 2000, 200))
    assert len(chunks) == 4
    assert [chunk.findings for chunk in rest] == [chunk.findings for chunk in chunks[1:]]
    assert (threading.get_ident() in task.threads) == (threads == 0)


def test_what_is_left_early_leaves_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_VIDEO", 0.2)
    kit: Any = Tools(None, None, 2)  # type: ignore[arg-type]  # it asks neither models nor stores
    with opened(tmp_path) as video:
        going = analysis.look(video, Counting(set()), kit, Checkpoint(0.0, ""))
        next(iter(going))
        going.close()  # type: ignore[attr-defined]  # a generator
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("glance")]
