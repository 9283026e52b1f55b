# SPDX-License-Identifier: Apache-2.0
"""However many threads glance at frames and wherever a chunk ends, the same is found in the same order."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from filming import empty, film

from overt.jobs import analysis
from overt.jobs.task import Tools, finding
from overt.media.objects import LocalObject
from overt.media.video import Video
from overt.stores.base import Checkpoint
from overt.types import Finding, Footage, Frame


@dataclass(frozen=True)
class Counting:
    """A task that counts what it sees, and knows which threads glanced."""

    threads: set[int]
    rate: ClassVar = 5.0
    side: ClassVar = 32
    hears: ClassVar = False

    def begin(self, _tools: Tools, _footage: Footage, state: Any) -> Any:
        return _Watch(self, state or 0)


class _Watch:
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
    (folder / "clip.mp4").write_bytes(film(empty(2, size=(64, 64))))
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
