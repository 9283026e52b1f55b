# SPDX-License-Identifier: Apache-2.0
"""What happens in front of one camera, frame by frame: who is in sight, and whose visit begins or ends.

Knows no outputs: whoever looks at it tells what it gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overt.media.live import Camera, LiveFrame, State
from overt.streams.visits import Visit, Visits
from overt.streams.watch import Sight, Watch
from overt.types import Box

TICK = 1.0
"""Seconds without a frame, after which visits may be over all the same."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What one frame brought, or its absence. visits: those of which there is news."""

    sights: tuple[Sight, ...]
    visits: tuple[Visit, ...]


def _anywhere(_box: Box) -> bool:
    return True


class Scene:
    """Not thread-safe."""

    def __init__(self, watch: Watch, visits: Visits) -> None:
        self._watch = watch
        self._visits = visits
        self._at, self._seen = 0.0, time.monotonic()

    def see(self, frame: LiveFrame | None, counts: Callable[[Box], bool] = _anywhere) -> Moment:
        """The next frame, or None when there was none. Faces in boxes that do not count are passed over.

        Raises: NotFoundError; WrongModelError.
        """
        if frame is None:
            # A camera that is away ends visits as an empty room does.
            return Moment((), tuple(self._visits.see((), self._at + time.monotonic() - self._seen)))
        self._at, self._seen = frame.time, time.monotonic()
        sights = tuple(each for each in self._watch.see(frame.image, frame.time) if counts(each.face.box))
        return Moment(sights, tuple(self._visits.see(sights, frame.time)))

    def finish(self) -> Moment:
        """There are no more frames."""
        return Moment((), tuple(self._visits.finish()))


def frames(camera: Camera) -> Iterator[LiveFrame | None]:
    """The newest frame each time, None when none came for a while.

    Until the camera is closed, or a file that is played once is over.
    """
    while (frame := camera.newest(TICK)) is not None or camera.health.state is not State.CLOSED:
        yield frame
