# SPDX-License-Identifier: Apache-2.0
"""A stored video as its users see it: what it says of itself, and upright frames of any stretch of it.

The file is opened by a confined worker of its own, which asks for its bytes piece by piece. Knows pipes, deadlines and
what a worker may claim; decodes nothing itself.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from typing import Any, Self

import cv2
import numpy as np

from overt.errors import WireError
from overt.media.frames import BAD, BUSY, END, FRAMES, LENGTH, MOMENT, NEED, NEXT, OPEN, PIXELS, PLAY, TRY, WORDS
from overt.media.objects import StoredObject
from overt.media.worker import GoneError, RejectedError, SlowError, Worker
from overt.types import Footage, Frame, Image, Pixels, Sound

MEMORY = 2 << 30
"""Address space of a worker in bytes."""
_LONGEST_SIDE, _MOST_PIXELS = 16384, 8192 * 4352
"""What a worker may claim of a frame: 8K in its wider form."""
_MOST_WANTED = 1 << 24
"""Bytes of the file a worker may ask for at once."""
_ANSWER_SECONDS = 600.0
"""For one frame altogether, however alive the worker seems: a seek may have to read a file that has no index."""
_MOST_SOUNDS = 64
_NAME = 32
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class VideoError(Exception):
    """The video cannot be played, or not on; the message says why, for a person."""


class PlayerError(VideoError):
    """The process that decodes was ended, by what it decoded or from outside: another one may get further."""


class Video:
    """An opened video; a context manager. For one thread at a time.

    Args: source: the file, closed with the video, also when opening fails. seconds: how long the worker may be silent
    over one frame. memory: bytes of address space it may use.
    Raises: VideoError.
    """

    def __init__(self, source: StoredObject, *, seconds: float = 10.0, memory: int = MEMORY) -> None:
        self._source = source
        self.mark = source.mark
        """See `StoredObject.mark`."""
        self._seconds = seconds
        self._turn = 0
        self._ahead = False
        self._worker: Worker | None = None
        try:
            self._worker = Worker("overt.media.player", memory)
            self.footage, self._rotation = _footage(self._told(OPEN))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and close the file."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None
        self._source.close()

    @property
    def confinement(self) -> str:
        """Why the worker has no system-call filter, or ""."""
        return "" if self._worker is None else self._worker.missing

    @property
    def pid(self) -> int | None:
        """Process id of the worker; None once it has ended."""
        return None if self._worker is None else self._worker.pid

    def attempts(self) -> list[str]:
        """Have the worker try what it must not be able to do. Returns: a line each, ending in refused or ALLOWED."""
        return self._told(TRY).splitlines()

    def frames(
        self,
        start: float = 0.0,
        end: float = math.inf,
        rate: float | None = None,
        side: int | None = None,
        *,
        loudness: bool = False,
    ) -> Iterator[Frame]:
        """The frames of a stretch of time, each decoded while its user is still at work on the one before.

        Times are the file's own and rise from frame to frame: where they stand still, jump back or are missing, see
        `reel`. A file that was cut off ends early. Beginning another stretch ends this one.

        Args: start, end: seconds from the start, 0 <= start <= end. rate: looked-at frames a second on the grid
        k / rate: the first frame at or after each, once, in the stretch with start <= k / rate < end; None = every
        frame with start <= time < end. side: longest side in pixels that frames are scaled down to; None = as they
        are. loudness: whether to tell that of the sound since the frame before.
        Raises: VideoError, also while iterating, after which the video is closed; ValueError.
        """
        if not 0 <= start <= end or (rate is not None and not 0 < rate < math.inf) or (side is not None and side < 1):
            msg = f"no stretch of a video: start {start}, end {end}, rate {rate}, side {side}"
            raise ValueError(msg)
        self._turn += 1
        return self._frames(self._turn, start, end, rate or 0.0, _fitted(self._coded_size, side), loudness=loudness)

    def _frames(
        self, turn: int, start: float, end: float, rate: float, size: tuple[int, int], *, loudness: bool
    ) -> Iterator[Frame]:
        if turn != self._turn:
            raise _other_stretch()
        self._drain()
        self._ask(PLAY.pack(FRAMES, 0, start, end, rate, *size, loudness))
        last = -math.inf
        while (frame := self._frame(size, last)) is not None:
            last = frame.time
            self._ask(_NEXT)
            yield frame
            if turn != self._turn:
                raise _other_stretch()

    @property
    def _coded_size(self) -> tuple[int, int]:
        """Width and height before the turn."""
        size = self.footage.width, self.footage.height
        return size[::-1] if self._rotation in (90, 270) else size

    def _frame(self, size: tuple[int, int], last: float) -> Frame | None:
        """The next frame of the stretch, None at its end. Args: last: the time it must be after."""
        try:
            kind, width, height, length, deadline = self._answer()
            if kind == END:
                return None
            # The worker has seen hostile bytes: it does not get to choose how much memory we take.
            if kind != PIXELS or (width, height) != size or length != width * height * 3:
                raise self._needed().senseless()
            moment = bytearray(MOMENT.size)
            self._needed().fill(memoryview(moment), deadline)
            at, loudness = MOMENT.unpack(moment)
            if not last < at < math.inf:
                raise self._needed().senseless()
            pixels: Pixels = np.empty((height, width, 3), np.uint8)
            self._needed().fill(pixels.data.cast("B"), deadline)
        except RejectedError as error:
            raise self._failed(error) from error
        if self._rotation:
            pixels = np.asarray(cv2.rotate(pixels, _TURNS[self._rotation]), np.uint8)
        return Frame(Image(pixels, ""), at, None if math.isnan(loudness) else loudness)

    def _told(self, kind: bytes) -> str:
        """The worker's words in answer to a question. Raises: VideoError."""
        self._drain()
        try:
            _ = self._needed().missing  # its start does not count against the video
            self._ask(PLAY.pack(kind, self._source.size, 0.0, 0.0, 0.0, 0, 0, 0))
            answered, _, _, length, deadline = self._answer()
            if answered != WORDS:
                raise self._needed().senseless()
            return self._needed().words(length, deadline)
        except RejectedError as error:
            raise self._failed(error) from error

    def _ask(self, question: bytes) -> None:
        try:
            self._needed().send(question, deadline=time.monotonic() + self._seconds)
        except RejectedError as error:
            raise self._failed(error) from error
        self._ahead = True

    def _drain(self) -> None:
        """Take the answer to the last question of a stretch that was left early."""
        if not self._ahead:
            return
        try:
            kind, _, _, length, deadline = self._answer()
            if kind == PIXELS:
                if length > _MOST_PIXELS * 3:
                    raise self._needed().senseless()
                self._needed().fill(memoryview(bytearray(MOMENT.size + length)), deadline)
        except RejectedError as error:
            raise self._failed(error) from error

    def _answer(self) -> tuple[bytes, int, int, int, float]:
        """The head of the answer to the last question, and when the rest of it must be there.

        Gives the worker what it needs of the file meanwhile. Raises: VideoError for its refusals; RejectedError.
        """
        worker = self._needed()
        end = time.monotonic() + _ANSWER_SECONDS
        while True:
            deadline = min(end, time.monotonic() + self._seconds)
            kind, width, height, length = worker.head(deadline)
            if kind == NEED:
                self._supply(length, width)
            elif kind == BAD:
                raise self._failed(RejectedError(worker.words(length, deadline)))
            elif kind != BUSY:
                self._ahead = False
                return kind, width, height, length, deadline

    def _supply(self, offset: int, length: int) -> None:
        worker = self._needed()
        if length > _MOST_WANTED or offset > self._source.size:
            raise worker.senseless()
        try:
            data = self._source.read(offset, length)
        except WireError as error:
            self.close()
            raise VideoError(error.detail or error.text) from error
        worker.send(LENGTH.pack(len(data)), data, deadline=time.monotonic() + self._seconds)

    def _needed(self) -> Worker:
        if self._worker is None:
            msg = "the video is closed"
            raise VideoError(msg)
        return self._worker

    def _failed(self, error: RejectedError) -> VideoError:
        self.close()
        if isinstance(error, SlowError):
            return VideoError(f"the video cannot be played: {error}")
        if isinstance(error, GoneError):
            return PlayerError(
                f"the video cannot be played: {error}; it may be damaged, or the machine be short of memory"
            )
        return VideoError(f"the video cannot be played: {error}")


_NEXT = PLAY.pack(NEXT, 0, 0.0, 0.0, 0.0, 0, 0, 0)


def _other_stretch() -> RuntimeError:
    return RuntimeError("another stretch of this video has been begun")


def _fitted(size: tuple[int, int], side: int | None) -> tuple[int, int]:
    """Width and height scaled down to a longest side, in whole pixels."""
    longest = max(size)
    if side is None or longest <= side:
        return size
    width, height = (max(1, round(length * side / longest)) for length in size)
    return width, height


def _footage(words: str) -> tuple[Footage, int]:
    """What the worker says of the file, and by how many degrees its frames are to be turned. Raises: VideoError."""
    try:
        told = json.loads(words)
        width, height, rotation = _shape(told)
        sounds = tuple(
            Sound(
                _name(sound["codec"]),
                _real(sound["duration"]),
                _whole(sound["sample_rate"], 1 << 30),
                _whole(sound["channels"], 1 << 10),
            )
            for sound in told["sounds"][:_MOST_SOUNDS]
        )
        footage = Footage(
            codec=_name(told["codec"]),
            container=_name(told["container"]),
            duration=_real(told["duration"]),
            frame_rate=_real(told["frame_rate"]),
            width=width,
            height=height,
            is_full_range=bool(told["is_full_range"]),
            sounds=sounds,
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = "the video cannot be played: its size and length make no sense"
        raise VideoError(msg) from error
    return footage, rotation


def _shape(told: dict[str, Any]) -> tuple[int, int, int]:
    """Width and height when upright, and degrees clockwise that make them so. Raises: ValueError, KeyError."""
    width, height, rotation = (_whole(told[key], _LONGEST_SIDE) for key in ("width", "height", "rotation"))
    if not width or not height or width * height > _MOST_PIXELS or rotation not in (0, *_TURNS):
        raise ValueError
    return (height, width, rotation) if rotation in (90, 270) else (width, height, rotation)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.replace("_", "").isalnum() or len(value) > _NAME:
        raise ValueError
    return value


def _whole(value: Any, most: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError
    return value


def _real(value: Any) -> float:
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError
    return float(value)
