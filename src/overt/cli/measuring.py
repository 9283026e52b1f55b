# SPDX-License-Identifier: Apache-2.0
"""What benchmarks measure with: time of work in this process, this machine's memory, a server called by clients.

Knows no operation and judges no figure.
"""

from __future__ import annotations

import configparser
import itertools
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from overt.cli import output
from overt.cli.home import own_store

Act = Callable[[], Any]
Ask = Callable[[Any, bytes], Any]
"""Makes one call: of a boto3 client, with a picture."""


def machine() -> str:
    """What is measured on, in words."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


# --- work in this process ---


def cpu(workers: Sequence[int] = ()) -> Callable[[], float]:
    """A clock of the CPU seconds of this thread, together with those of other processes."""
    return lambda: time.thread_time() + sum(cpu_seconds(pid) for pid in workers)


def median_ms(clock: Callable[[], float], act: Act, rounds: int, pictures: int) -> float:
    """Milliseconds by a clock that work on so many pictures takes for one: the median over rounds, after one more."""
    act()
    spent = []
    for _ in range(rounds):
        start = clock()
        act()
        spent.append((clock() - start) / pictures * 1000)
    return round(statistics.median(spent), 2)


def cpu_seconds(pid: int) -> float:
    """CPU time of another process; 0 where the kernel does not tell to the nanosecond."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


def spans(acts: Iterable[Act], seconds: float) -> list[float]:
    """Seconds that each of some acts takes, one after the other until the time is up; at least the first."""
    spent: list[float] = []
    end = time.perf_counter() + seconds
    for act in acts:
        start = time.perf_counter()
        act()
        spent.append(time.perf_counter() - start)
        if time.perf_counter() > end:
            break
    return spent


# --- this machine's memory ---

_BUFFER = 2**30  # bytes: no processor's cache holds as many
_PIECE = 2**24
_PASSES = 5


def bandwidth(threads: int) -> float:
    """Bytes a second that so many threads read from memory together: numpy's bitwise or of 1 GiB, the best of 5 passes.

    In a core's own cache it is more than twice as fast as memory is, so what it measures is memory.
    """
    buffer = np.full(_BUFFER // 8, 1, np.uint64)  # written, as pages never written to are all one page
    pieces = [buffer[start : start + _PIECE // 8] for start in range(0, buffer.size, _PIECE // 8)]
    with ThreadPoolExecutor(threads) as pool:
        passes = [lambda: list(pool.map(np.bitwise_or.reduce, pieces))] * _PASSES
        return _BUFFER / min(spans(passes, seconds=math.inf))


# --- a server, through HTTP ---


@dataclass(frozen=True, slots=True)
class Server:
    """A running `overt up`. home: its folder, with the owner's keys. ready_seconds: from its start."""

    pid: int
    url: str
    home: Path
    ready_seconds: float

    def client(self) -> Any:
        """A boto3 client with the owner's keys, whatever other AWS settings this shell has."""
        import boto3

        credentials = configparser.ConfigParser()
        credentials.read(self.home / "credentials")
        owner = credentials["default"]
        os.environ.pop("AWS_PROFILE", None)  # boto3 stops at a profile it cannot find, although none is needed here
        return boto3.session.Session().client(
            "rekognition",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=owner["aws_access_key_id"],
            aws_secret_access_key=owner["aws_secret_access_key"],
        )

    def memory_mb(self) -> int:
        """What it holds in memory, with its worker processes."""
        return round(sum(_resident_mb(pid) for pid in [self.pid, *children(self.pid)]))


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server of its own over a home folder, ended with the block. Raises: CommandError when it does not start."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "overt", "up", "--port", "0", "--home", str(home), "--store", own_store(home)]
    with subprocess.Popen(
        [*command, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "OVERT_RAY"},
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise output.CommandError("the server did not start; try `overt up`")
            yield Server(process.pid, json.loads(line)["ready"], home, time.perf_counter() - started)
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Load:
    """How calls went: how many a second, and seconds that the median and the slowest twentieth of them took."""

    per_second: float
    p50: float
    p95: float


def load(server: Server, ask: Ask, pictures: Sequence[bytes], seconds: float, clients: int) -> Load:
    """Let clients call at once, each one call after another, until the time is up; each calls at least once."""
    callers = [server.client() for _ in range(clients)]
    start_line = threading.Barrier(clients)

    def call(client: Any) -> list[float]:
        start_line.wait()
        spent: list[float] = []
        end = time.perf_counter() + seconds
        while not spent or time.perf_counter() < end:
            start = time.perf_counter()
            ask(client, pictures[len(spent) % len(pictures)])
            spent.append(time.perf_counter() - start)
        return spent

    with ThreadPoolExecutor(clients) as threads:
        started = time.perf_counter()
        spent = sorted(itertools.chain.from_iterable(threads.map(call, callers)))
        elapsed = time.perf_counter() - started
    return Load(len(spent) / elapsed, spent[len(spent) // 2], spent[int(len(spent) * 0.95)])


def peak_mb(pid: int) -> int:
    """The most that another process has held in memory so far; 0 where the system does not tell."""
    return round(_status_mb(pid, "VmHWM:"))


def _resident_mb(pid: int) -> float:
    return _status_mb(pid, "VmRSS:")


def _status_mb(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1000
    return 0.0


def children(pid: int) -> list[int]:
    """The processes that another process has started."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
