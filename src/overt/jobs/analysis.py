# SPDX-License-Identifier: Apache-2.0
"""The frame loop: one task on one video, cut into chunks that can be kept. Knows no store and no queue."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from overt.jobs.task import Task, Tools, Watch
from overt.media.video import Video, VideoError
from overt.stores.base import Checkpoint
from overt.types import Finding, Frame

# What a crash costs at most: the larger is what work is lost, the smaller is what keeping costs.
_VIDEO, _WORK = 10.0, 5.0  # seconds of the video, and of work, after which a chunk ends
_SHORT, _SHORT_SHARE = 5.0, 0.05  # seconds without frames at the end, and share of the video, that need no words
_MOMENT = 1e-6  # seconds: no two frames are so close


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a stretch of the video showed. checkpoint: from which the rest can be done. progress: 0..1.

    caution: of the last chunk, words when much less of the video was there than it says of itself.
    """

    findings: tuple[Finding, ...]
    checkpoint: Checkpoint
    progress: float
    is_last: bool = False
    caution: str = ""


def look(video: Video, task: Task, tools: Tools, since: Checkpoint) -> Iterator[Chunk]:
    """Look at a video from a checkpoint to its end; the last chunk is what was found when it ended.

    Where chunks end changes nothing of what is found. Raises: VideoError, also when the checkpoint is another video's;
    PackError.
    """
    mark, state = json.loads(since.state) if since.state else (video.mark, None)
    if mark != video.mark:
        msg = "the video was replaced by another one while the job was under way; begin it again"
        raise VideoError(msg)
    watch = task.begin(tools, video.footage, state)
    at, found = since.time, list[Finding]()
    began, started = at, time.monotonic()
    frames = video.frames(at, math.inf, rate=task.rate, side=task.side, loudness=task.hears)
    with contextlib.closing(_glances(frames, watch, tools.threads)) as glances:
        for frame, glance in glances:
            found += watch.see(frame, glance)
            at = _next(frame.time, task.rate)
            if at - began >= _VIDEO or time.monotonic() - started >= _WORK:
                yield _chunk(found, at, json.dumps([video.mark, watch.state()]), video)
                began, started, found = at, time.monotonic(), []
    last = _chunk([*found, *watch.finish()], max(at, video.footage.duration), "", video)
    yield replace(last, is_last=True, caution=_caution(at, video.footage.duration))


def _caution(end: float, duration: float) -> str:
    """What a file that was cut off leads to; a last picture may also be there to stay, as in a recorded talk."""
    if duration - end <= max(_SHORT, _SHORT_SHARE * duration):
        return ""
    return f"the last frame is at {end:.1f} s of {duration:.1f} s: the file may be damaged or cut off"


def _glances(frames: Iterable[Frame], watch: Watch, threads: int) -> Generator[tuple[Frame, Any], None, None]:
    """Frames in order, each with its glance; so many are glanced at at the same time, and one more waits."""
    if not threads:
        yield from ((frame, watch.glance(frame)) for frame in frames)
        return
    with ThreadPoolExecutor(threads, "glance") as pool:
        ahead = deque[tuple[Frame, Future[Any]]]()
        try:
            for frame in frames:
                ahead.append((frame, pool.submit(watch.glance, frame)))
                if len(ahead) > threads:
                    seen, glance = ahead.popleft()
                    yield seen, glance.result()
            while ahead:
                seen, glance = ahead.popleft()
                yield seen, glance.result()
        finally:
            for _, glance in ahead:
                glance.cancel()


def _next(seen: float, rate: float | None) -> float:
    """The earliest time at which another frame may be looked at."""
    return seen + _MOMENT if rate is None else (math.floor(seen * rate + _MOMENT) + 1) / rate


def _chunk(found: list[Finding], at: float, state: str, video: Video) -> Chunk:
    length = video.footage.duration
    return Chunk(tuple(found), Checkpoint(at, state), min(at / length, 1.0) if length > 0 else 1.0)
