# SPDX-License-Identifier: Apache-2.0
"""A pool of confined worker processes that decode pictures. Knows pipes and deadlines, no codec and no EXIF.

One worker serves one picture at a time and no lock is held meanwhile. A worker that is too slow is killed, one that
dies is replaced, and each is replaced after some thousand pictures or when its memory has grown.
"""

from __future__ import annotations

import contextlib
import os
import queue
import time
from collections.abc import Iterator

import numpy as np

from overt.media.frames import BAD, DECODE, PIXELS, REQUEST, TRY, WORDS
from overt.media.worker import START_SECONDS, GoneError, RejectedError, Worker
from overt.types import Pixels

MEMORY = 3 << 29
"""Address space of a worker, 1.5 GiB. A 100-megapixel progressive CMYK JPEG, the worst we take, needs 1.31 GiB."""
_KEPT = 384 << 20
"""A worker that holds more memory than this between pictures, in bytes, is replaced."""


class Sandbox:
    """Decodes pictures in `workers` confined processes, started when first needed or by `start`.

    Args: workers: pictures decoded at the same time; default: one for each core. seconds: how long one picture may
    take. memory: address space of a worker in bytes. pictures: after how many a worker is replaced.
    """

    def __init__(
        self, workers: int | None = None, *, seconds: float = 10.0, memory: int = MEMORY, pictures: int = 4000
    ) -> None:
        self._seconds = seconds
        self._memory = memory
        self._pictures = pictures
        self._slots: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._alive: set[_Worker] = set()
        self._size = workers or os.cpu_count() or 1
        self._closed = False
        for _ in range(self._size):
            self._slots.put(None)

    def decode(self, raw: bytes, size: tuple[int, int], *, side: int, pixels: int) -> Pixels:
        """One picture's upright pixels.

        Args: raw: the file. size: (width, height) it must have when upright. side, pixels: limits on its header.
        Returns: (height, width, 3) uint8 RGB. Raises: RejectedError; SlowError; GoneError.
        """
        frame = REQUEST.pack(DECODE, len(raw), side, pixels)
        try:
            answer = self._ask(frame, raw, size)
        except GoneError:  # it may have been killed for another reason than this picture, which deserves a second try
            answer = self._ask(frame, raw, size)
        if isinstance(answer, str):
            raise RejectedError(answer)
        return answer

    def _ask(self, frame: bytes, raw: bytes, size: tuple[int, int]) -> Pixels | str:
        with self._worker() as worker:
            return worker.ask(frame, raw, size, self._seconds)

    @property
    def confinement(self) -> str:
        """What holds a worker back, in words. Starts one if none runs."""
        with self._worker() as worker:
            limits = f"{self._memory >> 20} MB of memory, {self._seconds:g} s a picture"
            return f"{worker.missing}; only {limits}" if worker.missing else f"system-call filter, {limits}"

    def attempts(self) -> list[str]:
        """Have a worker try what it must not be able to do. Returns: a line each, ending in refused or ALLOWED."""
        with self._worker() as worker:
            answer = worker.ask(REQUEST.pack(TRY, 0, 0, 0), b"", (0, 0), self._seconds)
        return str(answer).splitlines()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers now running."""
        return tuple(worker.pid for worker in tuple(self._alive))

    def start(self) -> None:
        """Start every worker now rather than with the first pictures; does not wait until they are ready."""
        with contextlib.ExitStack() as held:
            for _ in range(self._size):
                held.enter_context(self._worker())

    def close(self) -> None:
        """Wait for the pictures under way, then end the workers. Later calls raise RuntimeError."""
        self._closed = True
        for _ in range(self._size):
            with contextlib.suppress(queue.Empty):
                self._end(self._slots.get(timeout=self._seconds + START_SECONDS))
        for _ in range(self._size):
            self._slots.put(None)

    @contextlib.contextmanager
    def _worker(self) -> Iterator[_Worker]:
        """A worker for one question; it goes back unless it died or has had its day."""
        worker = self._slots.get()
        kept: _Worker | None = None
        try:
            if self._closed:
                msg = "the sandbox is closed"
                raise RuntimeError(msg)
            if worker is None or not worker.is_alive:
                self._end(worker)
                worker = _Worker(self._memory)
                self._alive.add(worker)
            yield worker
            if worker.answered < self._pictures and worker.resident < _KEPT:
                kept = worker
        finally:
            if kept is None:
                self._end(worker)
            self._slots.put(kept)

    def _end(self, worker: _Worker | None) -> None:
        if worker is not None:
            self._alive.discard(worker)
            worker.end()


class _Worker(Worker):
    """A worker that decodes one picture at a time."""

    def __init__(self, memory: int) -> None:
        super().__init__("overt.media.decoder", memory)
        self.answered = 0

    def ask(self, frame: bytes, raw: bytes, size: tuple[int, int], seconds: float) -> Pixels | str:
        """Send a request and read its answer: pixels of the size expected, or words. Raises: GoneError, SlowError."""
        _ = self.missing  # its start does not count against the picture
        deadline = time.monotonic() + seconds
        self.send(frame, raw, deadline=deadline)
        answer = self._answer(size, deadline)
        self.answered += 1
        return answer

    def _answer(self, size: tuple[int, int], deadline: float) -> Pixels | str:
        kind, width, height, length = self.head(deadline)
        # The worker has seen hostile bytes: it does not get to choose how much memory we take.
        if kind == PIXELS and (width, height) == size and length == width * height * 3:
            pixels = np.empty((height, width, 3), np.uint8)
            self.fill(pixels.data.cast("B"), deadline)
            return pixels
        if kind in (BAD, WORDS):
            return self.words(length, deadline)
        raise self.senseless()
