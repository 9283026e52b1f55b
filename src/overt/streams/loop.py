# SPDX-License-Identifier: Apache-2.0
"""One camera's loop: newest frame, faces, matches, visits. Knows no outputs: whoever runs it tells what it gives."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass

from overt.media.live import Camera, LiveFrame, State
from overt.streams.visits import Visit, Visits
from overt.streams.watch import Sight, Watch

_TICK = 1.0  # seconds without a frame, after which visits may be over all the same


@dataclass(frozen=True, slots=True)
class Moment:
    """What one frame brought, or its absence. visits: those that begin or end now. wall: UTC."""

    frame: LiveFrame | None
    wall: dt.datetime
    sights: tuple[Sight, ...]
    visits: tuple[Visit, ...]


def look(camera: Camera, watch: Watch, visits: Visits) -> Iterator[Moment]:
    """Until the camera is closed, or a file that is played once is over. Raises: NotFoundError; WrongModelError."""
    at, seen = 0.0, time.monotonic()
    while True:
        frame = camera.newest(_TICK)
        if frame is None:
            if camera.health.state is State.CLOSED:
                break
            # A camera that is away ends visits as an empty room does.
            now = at + time.monotonic() - seen
            yield Moment(None, dt.datetime.now(dt.UTC), (), tuple(visits.see((), now)))
            continue
        at, seen = frame.time, time.monotonic()
        sights = watch.see(frame.image, frame.time)
        yield Moment(frame, frame.wall, sights, tuple(visits.see(sights, frame.time)))
    yield Moment(None, dt.datetime.now(dt.UTC), (), tuple(visits.finish()))
