# SPDX-License-Identifier: Apache-2.0
"""A process of a program's own: nothing of ours goes to it, and no deadline passes unseen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from overt.media.frames import ANSWER
from overt.media.worker import GoneError, SlowError, Worker

WORDS = "os.write(1, struct.pack('<cIIQ', b'W', 0, 0, 2) + b'ok')"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Worker]]:
    """Starts a worker whose program is given."""
    started: list[Worker] = []

    def make(program: str) -> Worker:
        monkeypatch.setattr("overt.media.worker._BOOT", f"import os, struct, sys, time\n{program}")
        started.append(Worker("none", 1 << 30))
        return started[-1]

    yield make
    for worker in started:
        worker.end()


def soon(seconds: float = 0.3) -> float:
    return time.monotonic() + seconds


def test_its_first_words_and_its_end(start: Callable[[str], Worker]) -> None:
    worker = start(f"{WORDS}\nos.read(0, 1)")
    assert worker.missing == "ok"
    assert worker.is_alive
    assert worker.resident > 1 << 20
    assert Path(f"/proc/{worker.pid}").exists()
    worker.end()
    assert not worker.is_alive
    assert not Path(f"/proc/{worker.pid}").exists()
    assert worker.resident == 0


def test_nothing_of_our_environment_goes_to_it(start: Callable[[str], Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    program = "told = repr((dict(os.environ), os.getcwd())).encode()\n"
    worker = start(f"{program}os.write(1, struct.pack('<cIIQ', b'W', 0, 0, len(told)) + told)")
    assert "secret" not in worker.missing
    assert "'/'" in worker.missing


def test_silence_is_not_waited_for(start: Callable[[str], Worker]) -> None:
    worker = start("time.sleep(60)")
    with pytest.raises(SlowError, match="too long"):
        worker.fill(memoryview(bytearray(1)), soon())
    worker = start("time.sleep(60)")
    with pytest.raises(SlowError):
        worker.send(bytes(1 << 25), deadline=soon())


def test_a_process_that_has_ended_is_told(start: Callable[[str], Worker]) -> None:
    worker = start("sys.exit(7)")
    with pytest.raises(GoneError, match="code 7"):
        worker.head(soon(30))
    with pytest.raises(GoneError, match="code 7"):
        worker.send(b"x", deadline=soon(30))


def test_words_without_end_are_not_read(start: Callable[[str], Worker]) -> None:
    worker = start("time.sleep(60)")
    with pytest.raises(GoneError, match="no sense"):
        worker.words(1 << 40, soon())
    worker = start("os.write(1, struct.pack('<cIIQ', b'P', 1, 1, 3))\ntime.sleep(60)")
    with pytest.raises(GoneError, match="no sense"):
        _ = worker.missing


def test_heads_and_bytes_in_turn(start: Callable[[str], Worker]) -> None:
    worker = start("raw = os.read(0, 99)\nos.write(1, struct.pack('<cIIQ', b'P', 1, 2, len(raw)) + raw)\nos.read(0, 1)")
    worker.send(b"ab", b"cd", deadline=soon(30))
    time.sleep(0.2)
    kind, width, height, length = worker.head(soon(30))
    body = bytearray(length)
    worker.fill(memoryview(body), soon(30))
    assert (kind, width, height) == (b"P", 1, 2)
    assert b"abcd".startswith(body)
    assert ANSWER.size == 17
