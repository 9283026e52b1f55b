# SPDX-License-Identifier: Apache-2.0
"""A pool of confined worker processes that decode pictures. Knows pipes and deadlines, no codec and no EXIF.

One worker serves one picture at a time and no lock is held meanwhile. A worker that is too slow is killed, one that
dies is replaced, and each is replaced after some thousand pictures or when its memory has grown.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from overt.media.frames import ANSWER, BAD, DECODE, PIXELS, REQUEST, TRY, WORDS, WORDS_LIMIT
from overt.types import Pixels

MEMORY = 3 << 29
"""Address space of a worker, 1.5 GiB. A 100-megapixel progressive CMYK JPEG, the worst we take, needs 1.31 GiB."""
_KEPT = 384 << 20
"""A worker that holds more memory than this between pictures, in bytes, is replaced."""
_PIPE = 1 << 20
"""What an unprivileged process may ask for: a 640 x 480 picture passes in one piece. Source: pipe(7)."""
_START_SECONDS = 30.0
_BOOT = "import sys; sys.path[:0] = sys.argv[2:]; from overt.media.decoder import main; main(int(sys.argv[1]))"


class RejectedError(Exception):
    """The worker could not decode the picture; the message says why."""


class SlowError(RejectedError):
    """The worker was killed for taking too long."""


class GoneError(RejectedError):
    """The worker died."""


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
                self._end(self._slots.get(timeout=self._seconds + _START_SECONDS))
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


class _Worker:
    """One process and its two pipes. Ends when they close, so it cannot outlive its server.

    The kernel's parent-death signal is not used: it fires when the *thread* that started a child ends.
    """

    def __init__(self, memory: int) -> None:
        # Nothing of our environment (keys, tokens) goes to the worker; one BLAS thread, since the filter wants one.
        environment = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        if "LD_LIBRARY_PATH" in os.environ:
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        paths = [str(Path(entry).resolve()) for entry in sys.path if entry]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", _BOOT, str(memory), *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment,
            cwd="/",
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError
        self._inbox, self._outbox = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._inbox, self._outbox):
            os.set_blocking(pipe, False)
            with contextlib.suppress(OSError, AttributeError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
        self.answered = 0
        self._missing: str | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def missing(self) -> str:
        """Why it has no system-call filter, or "". Waits for its first words, which say so.

        Raises: GoneError when it ended before; SlowError when it does not start.
        """
        if self._missing is None:
            self._missing = str(self._answer((0, 0), time.monotonic() + _START_SECONDS))
        return self._missing

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def resident(self) -> int:
        """Bytes of memory it holds now; 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def ask(self, frame: bytes, raw: bytes, size: tuple[int, int], seconds: float) -> Pixels | str:
        """Send a request and read its answer: pixels of the size expected, or words. Raises: GoneError, SlowError."""
        _ = self.missing  # its start does not count against the picture
        deadline = time.monotonic() + seconds
        for data in (frame, raw):
            rest = memoryview(data)
            while rest:
                self._wait(self._inbox, select.POLLOUT, deadline)
                try:
                    rest = rest[os.write(self._inbox, rest) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError as error:
                    raise self._gone() from error
        answer = self._answer(size, deadline)
        self.answered += 1
        return answer

    def end(self) -> None:
        """Kill it: there is nothing it could lose."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _answer(self, size: tuple[int, int], deadline: float) -> Pixels | str:
        frame = bytearray(ANSWER.size)
        self._fill(memoryview(frame), deadline)
        kind, width, height, length = ANSWER.unpack(frame)
        # The worker has seen hostile bytes: it does not get to choose how much memory we take.
        if kind == PIXELS and (width, height) == size and length == width * height * 3:
            pixels = np.empty((height, width, 3), np.uint8)
            self._fill(pixels.data.cast("B"), deadline)
            return pixels
        if kind in (BAD, WORDS) and length <= WORDS_LIMIT:
            words = bytearray(length)
            self._fill(memoryview(words), deadline)
            return words.decode("utf-8", "replace")
        self._process.kill()
        msg = "the decoder's answer made no sense"
        raise GoneError(msg)

    def _fill(self, rest: memoryview, deadline: float) -> None:
        while rest:
            self._wait(self._outbox, select.POLLIN, deadline)
            try:
                count = os.readv(self._outbox, [rest])
            except BlockingIOError:
                continue
            if count == 0:
                raise self._gone()
            rest = rest[count:]

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self._process.kill()
            msg = "decoding took too long"
            raise SlowError(msg)

    def _gone(self) -> GoneError:
        code = self._process.wait()
        return GoneError(f"the decoder ended with code {code}")
