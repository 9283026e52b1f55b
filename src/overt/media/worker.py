# SPDX-License-Identifier: Apache-2.0
"""A confined process that decodes, seen from the server: started with nothing of ours, spoken to against the clock.

Knows pipes and deadlines; which program runs and what the bytes mean is its users' business.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from overt.media.frames import ANSWER, WORDS, WORDS_LIMIT

_PIPE = 1 << 20
"""What an unprivileged process may ask for: a 640 x 480 picture passes in one piece. Source: pipe(7)."""
START_SECONDS = 30.0
"""How long a worker may take to be ready."""
_BOOT = (
    "import sys; sys.path[:0] = sys.argv[3:]; "
    "from importlib import import_module; import_module(sys.argv[1]).main(int(sys.argv[2]))"
)


class RejectedError(Exception):
    """The worker could not decode it; the message says why."""


class SlowError(RejectedError):
    """The worker was killed for taking too long."""


class GoneError(RejectedError):
    """The worker died."""


class Worker:
    """One process and its two pipes. Ends when they close, so it cannot outlive its server.

    The kernel's parent-death signal is not used: it fires when the *thread* that started a child ends.

    Args: program: the module whose `main` runs. memory: bytes of address space it may use.
    """

    def __init__(self, program: str, memory: int) -> None:
        # Nothing of our environment (keys, tokens) goes to the worker; one BLAS thread, since the filter wants one.
        environment = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        if "LD_LIBRARY_PATH" in os.environ:
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        paths = [str(Path(entry).resolve()) for entry in sys.path if entry]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", _BOOT, program, str(memory), *paths],
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
        self._missing: str | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def missing(self) -> str:
        """Why it has no system-call filter, or "". Waits for its first words, which say so.

        Raises: GoneError when it ended before; SlowError when it does not start.
        """
        if self._missing is None:
            deadline = time.monotonic() + START_SECONDS
            kind, _, _, length = self.head(deadline)
            if kind != WORDS:
                raise self.senseless()
            self._missing = self.words(length, deadline)
        return self._missing

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def resident(self) -> int:
        """Bytes of memory it holds now; 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except OSError:
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def send(self, *parts: bytes, deadline: float) -> None:
        """Parts one after another. Args: deadline: of the monotonic clock. Raises: GoneError, SlowError."""
        for data in parts:
            rest = memoryview(data)
            while rest:
                self._wait(self._inbox, select.POLLOUT, deadline)
                try:
                    rest = rest[os.write(self._inbox, rest) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError as error:
                    raise self._gone() from error

    def head(self, deadline: float) -> tuple[bytes, int, int, int]:
        """The next answer's head, as `ANSWER` has it. Raises: GoneError, SlowError."""
        frame = bytearray(ANSWER.size)
        self.fill(memoryview(frame), deadline)
        kind, width, height, length = ANSWER.unpack(frame)
        return kind, width, height, length

    def words(self, length: int, deadline: float) -> str:
        """That many bytes of text. Raises: GoneError, also for more than words may have; SlowError."""
        if length > WORDS_LIMIT:
            raise self.senseless()
        words = bytearray(length)
        self.fill(memoryview(words), deadline)
        return words.decode("utf-8", "replace")

    def fill(self, rest: memoryview, deadline: float) -> None:
        """Fill a buffer with what the worker writes. Raises: GoneError, SlowError."""
        while rest:
            self._wait(self._outbox, select.POLLIN, deadline)
            try:
                count = os.readv(self._outbox, [rest])
            except BlockingIOError:
                continue
            if count == 0:
                raise self._gone()
            rest = rest[count:]

    def senseless(self) -> GoneError:
        """The error to raise for an answer that was not asked for; the worker is killed."""
        self._process.kill()
        return GoneError("the decoder's answer made no sense")

    def kill(self) -> None:
        """Kill it from another thread: whoever waits for it gets a GoneError, and is to `end` it."""
        self._process.kill()

    def end(self) -> None:
        """Kill it: there is nothing it could lose."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

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
