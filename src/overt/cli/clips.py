# SPDX-License-Identifier: Apache-2.0
"""One local video, looked at for several things at once: the tasks and the frame loop of jobs, without a job.

Each thing asked for passes the chain as the operation that would begin a job, so it leaves the same record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from overt.cli.output import CommandError
from overt.engine import Engine
from overt.errors import WireError
from overt.jobs import analysis
from overt.jobs.task import Task, Tools, Watch
from overt.media.video import Video, VideoError
from overt.ops import videos
from overt.stores.base import Checkpoint
from overt.types import Call, Finding, Footage, Frame, Stored
from overt.wire import local

BUCKET = "video"
Told = Callable[[float], object]
"""Told how many more seconds of the video were looked at."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing to look for. operation: that begins it as a job. task: what that asks for."""

    operation: str
    task: Callable[[Call, Engine], Task]


KINDS: Mapping[str, Kind] = {
    "labels": Kind("StartLabelDetection", videos.label_task),
    "text": Kind("StartTextDetection", videos.text_task),
    "faces": Kind("StartFaceDetection", videos.face_task),
    "search": Kind("StartFaceSearch", videos.search_task),
    "people": Kind("StartPersonTracking", videos.people_task),
    "moderation": Kind("StartContentModeration", videos.moderation_task),
    "segments": Kind("StartSegmentDetection", videos.segment_task),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one task found. times: seconds at which it looked. rate: looks a second, None = every frame."""

    rate: float | None
    times: list[float] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking, by kind. refused: why there is nothing, in words."""

    footage: Footage
    seen: Mapping[str, Seen]
    refused: Mapping[str, str]


def opened_clip(opened: Engine, clip: Path) -> Video:
    """A file of the folder that is mounted as `BUCKET`. Raises: VideoError; WireError."""
    return opened.media.video(Stored(BUCKET, clip.name))


def allowed(
    opened: Engine, clip: Path, wanted: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Task], dict[str, str]]:
    """The tasks that may be done, and why others may not.

    Args: wanted: further parameters of the operation, by kind.
    """
    tasks: dict[str, Task] = {}
    refused: dict[str, str] = {}
    for name, params in wanted.items():
        kind = KINDS[name]

        def begin(call: Call, engine: Engine, name: str = name, kind: Kind = kind) -> Mapping[str, Any]:
            tasks[name] = kind.task(call, engine)
            return {}

        video = {"S3Object": {"Bucket": BUCKET, "Name": clip.name}}
        try:
            local.call(opened, kind.operation, act=begin, Video=video, **params)
        except WireError as error:
            refused[name] = " ".join(filter(None, [error.text, error.detail]))
    return tasks, refused


def look(video: Video, tasks: Mapping[str, Task], tools: Tools, told: Told = lambda _: None) -> Mapping[str, Seen]:
    """What each task finds in a video, which is decoded as few times as that can be done in.

    Raises: CommandError when it cannot be played; PackError.
    """
    seen: dict[str, Seen] = {}
    for group in groups(tasks):
        together = Together({name: tasks[name] for name in group}, told)
        try:
            for _ in analysis.look(video, together, tools, Checkpoint(0.0, "")):
                pass
        except VideoError as error:
            raise CommandError(str(error)) from None
        told(max(0.0, video.footage.duration - together.reached))
        seen |= together.seen
    return {name: seen[name] for name in tasks}


def groups(tasks: Mapping[str, Task]) -> list[list[str]]:
    """Names of tasks that can share frames: at one rate, of one size, and with or without sound."""
    shared: dict[tuple[Any, ...], list[str]] = {}
    for name, task in tasks.items():
        shared.setdefault((task.rate, task.side, task.hears), []).append(name)
    return list(shared.values())


class Together:
    """Several tasks as one, which satisfies `Task`; all look at the same frames. It keeps what they find."""

    def __init__(self, tasks: Mapping[str, Task], told: Told) -> None:
        """Args: tasks: by name, at least one."""
        self._tasks = tasks
        self._told = told
        some = next(iter(tasks.values()))
        self.side = some.side
        self.hears = some.hears
        self.rate = some.rate
        self.seen = {name: Seen(task.rate) for name, task in tasks.items()}
        self.reached = 0.0

    def begin(self, tools: Tools, footage: Footage, state: Any) -> Watch:  # noqa: ARG002 - as `Task.begin`
        """See `Task.begin`."""
        return _Watch(self, {name: task.begin(tools, footage, None) for name, task in self._tasks.items()}, self._told)


class _Watch:
    def __init__(self, whole: Together, watches: Mapping[str, Watch], told: Told) -> None:
        self._whole = whole
        self._watches = watches
        self._told = told

    def glance(self, frame: Frame) -> Mapping[str, Any]:
        return {name: watch.glance(frame) for name, watch in self._watches.items()}

    def see(self, frame: Frame, glance: Mapping[str, Any]) -> Sequence[Finding]:
        for name, watch in self._watches.items():
            kept = self._whole.seen[name]
            kept.times.append(frame.time)
            kept.findings.extend(watch.see(frame, glance[name]))
        self._told(frame.time - self._whole.reached)
        self._whole.reached = frame.time
        return ()

    def finish(self) -> Sequence[Finding]:
        for name, watch in self._watches.items():
            self._whole.seen[name].findings.extend(watch.finish())
        return ()

    def state(self) -> Any:
        return None
