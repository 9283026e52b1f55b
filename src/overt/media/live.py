# SPDX-License-Identifier: Apache-2.0
"""A live stream as its users see it: always the newest frame, for as long as they want, whatever happens to the camera.

Each camera has a confined worker of its own that decodes and a thread here that takes what it sends. A reader who is
late gets the newest frame; those before it are dropped and counted. Knows no face, and what no source is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Self

import cv2
import numpy as np

from overt.media.confine import Reach
from overt.media.frames import (
    BAD,
    BUSY,
    END,
    FOLLOW,
    LENGTH,
    NEED,
    OPEN,
    PIXELS,
    REFUSED,
    SIGHT,
    TRY,
    WATCH,
    WORDS,
    WORDS_LIMIT,
)
from overt.media.plan import Order
from overt.media.sources.base import Feed, Fragment, Services, Source, SourceError, scrubbed
from overt.media.sources.catalogue import find
from overt.media.worker import GoneError, RejectedError, SlowError, Worker
from overt.types import Image, Pixels

MEMORY = 3 << 29
"""Address space of a worker in bytes; 4K HEVC takes half of it."""
_LONGEST_SIDE, _MOST_PIXELS = 16384, 8192 * 4352
"""What a worker may claim of a frame."""
_MOST_WANTED = 1 << 24
"""Bytes of a source a worker may ask for at once."""
_FIRST_PAUSE, _LAST_PAUSE = 0.25, 4.0
"""Seconds before connecting again; each time twice as long, and a fifth more or less so that cameras do not march."""
_OPEN_SECONDS = 15.0
"""For the worker to connect and find out what it sees, before it has said anything."""
_GRACE = 5.0
"""Seconds more than the silence that the worker itself watches for."""
_BLIND_SECONDS = 60.0
"""Without a frame though data come; key frames may be ten seconds apart, and wanted ones further."""
_RATE_SECONDS = 5.0
_DRIFT = 2e-4
"""Seconds a second that a camera's clock may be slow before that reads as lag: cheap quartz is four times better."""
_TICK = 0.001
_END_SECONDS = 20.0
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


class State(Enum):
    """What a camera is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """One picture of a live stream.

    time: seconds since the stream began, by its own clock between two connections and by ours across them; rises from
    frame to frame. wall: when it arrived here, UTC. fragment: of Kinesis, the piece it belongs to; offset: seconds
    since that began.
    """

    image: Image
    time: float
    wall: dt.datetime
    fragment: Fragment | None = None
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """How a camera is.

    reason: why it is not live, or was not before; "" = nothing has happened. decoded: frames; damaged: packets that
    could not be; dropped: wanted frames that no reader took in time; reconnects: attempts after the first. frame_rate:
    decoded frames a second lately. lag: seconds that the newest frame came later than the promptest lately. last: when
    the newest frame arrived, UTC.
    """

    state: State
    reason: str = ""
    decoded: int = 0
    damaged: int = 0
    dropped: int = 0
    reconnects: int = 0
    frame_rate: float = 0.0
    lag: float = 0.0
    last: dt.datetime | None = None


class Camera:
    """A stream that is watched from now until `close`; a context manager. Frames are for one reader.

    Connects again after every error, end and silence, for ever; only a file that is played once comes to an end.

    Args: source: a URL, or a `Source`. rate: frames wanted a second, None = every one. side: longest side in pixels
    that frames are scaled down to; None = as they are. keyframes_only: decode nothing else, which costs a tenth and
    gives a frame every one to ten seconds, as the camera is set. services: for sources of a URL. memory: bytes of
    address space of the worker.
    Raises: SourceError for an address that nothing reads; ValueError.
    """

    def __init__(
        self,
        source: str | Source,
        rate: float | None = 5.0,
        side: int | None = None,
        *,
        keyframes_only: bool = False,
        services: Services | None = None,
        memory: int = MEMORY,
    ) -> None:
        if (rate is not None and not 0 < rate < math.inf) or (side is not None and side < 1):
            msg = f"no way to watch: rate {rate}, side {side}"
            raise ValueError(msg)
        self._source = find(source, services) if isinstance(source, str) else source
        self._wanted = (rate or 0.0, side or 0, keyframes_only)
        self._memory = memory
        self._closing = threading.Event()
        self._changed = threading.Condition()
        # What follows is guarded by `_changed`.
        self._newest: LiveFrame | None = None
        self._state, self._reason = State.CONNECTING, ""
        self._decoded = self._damaged = self._dropped = self._reconnects = 0
        self._lag = 0.0
        self._last: dt.datetime | None = None
        self._counts: deque[tuple[float, int]] = deque()
        self._feed: Feed | None = None
        self._worker: Worker | None = None
        # And this is the thread's own.
        self._clock = _Clock()
        self._thread = threading.Thread(target=self._run, name=f"camera {self._source.label}", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"Camera({self._source.label!r}, {self._state.value})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def label(self) -> str:
        """The source's address, as it may be shown."""
        return self._source.label

    @property
    def health(self) -> Health:
        """How it is now."""
        with self._changed:
            now = time.monotonic()
            while self._counts and now - self._counts[0][0] > _RATE_SECONDS:
                self._counts.popleft()
            rate = 0.0
            if len(self._counts) > 1:
                (since, before), (until, after) = self._counts[0], self._counts[-1]
                rate = (after - before) / max(until - since, _TICK)
            return Health(
                self._state,
                self._reason,
                self._decoded,
                self._damaged,
                self._dropped,
                self._reconnects,
                rate,
                self._lag,
                self._last,
            )

    @property
    def pid(self) -> int | None:
        """Process id of the worker; None while there is none."""
        with self._changed:
            return None if self._worker is None else self._worker.pid

    @property
    def resident(self) -> int:
        """Bytes of memory that the worker holds; 0 while there is none."""
        with self._changed:
            return 0 if self._worker is None else self._worker.resident

    def frames(self) -> Iterator[LiveFrame]:
        """The newest frame each time, waiting for one that has not been taken; ends when the camera is closed."""
        while (frame := self.newest()) is not None:
            yield frame

    def newest(self, timeout: float | None = None) -> LiveFrame | None:
        """The newest frame that has not been taken. Args: timeout: seconds to wait for one; None = until closed.

        Returns: None when there is none in time, or ever again.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._state is State.CLOSED, timeout)
            frame, self._newest = self._newest, None
            return frame

    def close(self) -> None:
        """Stop watching, and end the worker."""
        self._closing.set()
        with self._changed:
            if self._feed is not None:
                self._feed.interrupt()
            if self._worker is not None:
                self._worker.kill()
            self._newest = None
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            before = self._decoded
            is_over = self._connect()
            if is_over or self._closing.is_set():
                break
            if self._state is State.LIVE or self._decoded > before:
                pause = _FIRST_PAUSE
            with self._changed:
                self._state = State.WAITING
            if self._closing.wait(pause * random.uniform(0.8, 1.2)):
                break
            pause = min(2 * pause, _LAST_PAUSE)
            with self._changed:
                self._reconnects += 1
                self._state = State.CONNECTING
        self._end_worker()
        with self._changed:
            self._state = State.CLOSED
            self._changed.notify_all()

    def _connect(self) -> bool:
        """One connection, from its beginning to its end. Returns: whether there is to be no other."""
        feed: Feed | None = None
        try:
            feed = self._source.connect()
            with self._changed:
                self._feed = feed
            self._watch(feed)
        except SourceError as error:
            reason = str(error)
        except SlowError:
            self._end_worker()
            reason = "it has stalled: its reader said nothing any more and was ended"
        except GoneError as error:
            self._end_worker()
            reason = f"its reader ended ({error}): the stream may be damaged, or the machine short of memory"
        except Exception as error:  # noqa: BLE001 - sources may be of others, and a camera goes on
            self._end_worker()
            reason = f"the source failed: {type(error).__name__}"
        else:
            reason = "the stream ended"
        with self._changed:
            self._feed = None
            if not self._closing.is_set():
                self._reason = scrubbed(reason, self._source.secrets)
        if feed is None:
            return False
        with contextlib.suppress(Exception):  # as above: nothing is to be done about it
            feed.close()
        return reason == "the stream ended" and feed.plan.ends

    def _watch(self, feed: Feed) -> None:
        """Take what comes until it ends. Raises: SourceError; RejectedError."""
        worker = self._ordered(OPEN, feed)
        silence = feed.plan.silence + _GRACE
        deadline = time.monotonic() + _OPEN_SECONDS + silence
        blind = time.monotonic() + _OPEN_SECONDS + _BLIND_SECONDS
        self._clock.begin()
        decoded, damaged = self._decoded, self._damaged
        broken: SourceError | None = None
        while True:
            answer = worker.head(deadline)
            kind, damages, _, count = answer
            if kind == BAD:
                words = worker.words(count, deadline)
                raise broken or SourceError(words)
            if kind in (BUSY, END):
                self._count(decoded + count, damaged + damages)
            elif kind == PIXELS:
                told = self._show(worker, feed, answer, deadline)
                self._count(decoded + told[0], damaged + told[1])
                blind = time.monotonic() + _BLIND_SECONDS
            else:
                broken = self._serve(worker, feed, answer, deadline) or broken
            if kind == END:
                break
            now = time.monotonic()
            if now > blind:
                self._end_worker()
                msg = f"no picture came for {_BLIND_SECONDS:g} s, though data did"
                raise SourceError(msg)
            if self._state is State.LIVE or kind in (NEED, FOLLOW):
                deadline = now + silence
        if broken is not None:
            raise broken

    def _ordered(self, kind: bytes, feed: Feed) -> Worker:
        """The worker, which has got its order. Raises: RejectedError."""
        if feed.plan.reach is Reach.DEVICE:
            self._end_worker()  # it opens the device before it is confined
        order = Order(feed.plan, *self._wanted).packed()
        worker = self._worker
        if worker is None:
            worker = Worker("overt.media.watcher", self._memory)
            with self._changed:
                self._worker = worker
        if self._closing.is_set():
            worker.kill()
        try:
            worker.send(WATCH.pack(kind, len(order)), order, deadline=time.monotonic() + _OPEN_SECONDS)
            _ = worker.missing  # its start does not count against the stream
        except RejectedError:
            self._end_worker()
            raise
        return worker

    def _end_worker(self) -> None:
        with self._changed:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.end()

    def _serve(
        self, worker: Worker, feed: Feed, answer: tuple[bytes, int, int, int], deadline: float
    ) -> SourceError | None:
        """Give the worker what it needs of the source. Returns: why it cannot have it, which it will end over."""
        kind, wanted, number, length = answer
        if kind not in (NEED, FOLLOW) or wanted > _MOST_WANTED or (kind == FOLLOW and length > WORDS_LIMIT):
            raise worker.senseless()
        try:
            if kind == NEED:
                data = feed.read(number, length, wanted)
                reply = [LENGTH.pack(len(data)), data]
            else:
                reply = [LENGTH.pack(feed.follow(worker.words(length, deadline)))]
        except SourceError as error:
            worker.send(LENGTH.pack(REFUSED), deadline=time.monotonic() + _GRACE)
            return error
        worker.send(*reply, deadline=time.monotonic() + _GRACE)
        return None

    def _show(
        self, worker: Worker, feed: Feed, answer: tuple[bytes, int, int, int], deadline: float
    ) -> tuple[int, int]:
        """Take a frame. Returns: frames decoded and packets damaged since connecting."""
        _, width, height, length = answer
        side = self._wanted[1] or _LONGEST_SIDE
        # The worker has seen hostile bytes: it does not get to choose how much memory we take.
        if not 0 < max(width, height) <= side or width * height > _MOST_PIXELS or length != width * height * 3:
            raise worker.senseless()
        head = bytearray(SIGHT.size)
        worker.fill(memoryview(head), deadline)
        moment, told, decoded, damaged, degrees = SIGHT.unpack(head)
        if not 0 <= moment < math.inf or degrees not in (0, *_TURNS) or not length:
            raise worker.senseless()
        pixels: Pixels = np.empty((height, width, 3), np.uint8)
        worker.fill(pixels.data.cast("B"), deadline)
        if degrees:
            pixels = np.asarray(cv2.rotate(pixels, _TURNS[degrees]), np.uint8)
        at, lag = self._clock.read(moment)
        fragment = None if math.isnan(told) else feed.fragment(told)
        wall = dt.datetime.now(dt.UTC)
        frame = LiveFrame(Image(pixels, ""), at, wall, fragment, told - fragment.start if fragment else 0.0)
        with self._changed:
            if not self._closing.is_set():
                self._dropped += self._newest is not None
                self._newest = frame
            self._state = State.LIVE
            self._lag, self._last = lag, wall
            self._changed.notify_all()
        return decoded, damaged

    def _count(self, decoded: int, damaged: int) -> None:
        with self._changed:
            self._decoded, self._damaged = decoded, damaged
            now = time.monotonic()
            self._counts.append((now, decoded))
            while now - self._counts[0][0] > _RATE_SECONDS:
                self._counts.popleft()


class _Clock:
    """The stream's time from that of each connection, and how late frames are."""

    def __init__(self) -> None:
        self._origin = self._base = self._promptest = math.nan
        self._last = -math.inf
        self._arrived = 0.0

    def begin(self) -> None:
        """A new connection, whose times begin anew."""
        self._base = math.nan

    def read(self, moment: float) -> tuple[float, float]:
        """Args: moment: of a frame that has just come, in its connection. Returns: the stream's time; lag."""
        now = time.monotonic()
        if math.isnan(self._origin):
            self._origin = now
        if math.isnan(self._base):
            self._base = max(now - self._origin, self._last + _TICK) - moment
            self._promptest = math.inf
        at = max(self._base + moment, self._last + _TICK)
        late = now - at
        self._promptest = min(late, self._promptest + _DRIFT * (now - self._arrived))
        self._last, self._arrived = at, now
        return at, late - self._promptest


def tried(source: str | Source, services: Services | None = None) -> list[str]:
    """Have a worker for a source try what it must not be able to do.

    Returns: a line each, ending in refused or ALLOWED. Raises: SourceError; RejectedError.
    """
    found = find(source, services) if isinstance(source, str) else source
    with contextlib.closing(found.connect()) as feed:
        worker = Worker("overt.media.watcher", MEMORY)
        try:
            order = Order(feed.plan, 0.0, 0, keyframes_only=False).packed()
            worker.send(WATCH.pack(TRY, len(order)), order, deadline=time.monotonic() + _OPEN_SECONDS)
            _ = worker.missing
            kind, _, _, length = worker.head(time.monotonic() + _OPEN_SECONDS)
            if kind != WORDS:
                raise worker.senseless()
            return worker.words(length, time.monotonic() + _OPEN_SECONDS).splitlines()
        finally:
            worker.end()
