# SPDX-License-Identifier: Apache-2.0
"""The worker program that watches streams: it takes orders one after another and ends when nobody listens."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from films import film, number

from overt.media import watcher
from overt.media.confine import Reach
from overt.media.frames import (
    ANSWER,
    BAD,
    BUSY,
    END,
    LENGTH,
    NEED,
    OPEN,
    PIXELS,
    REFUSED,
    SIGHT,
    TRY,
    WATCH,
    WORDS,
)
from overt.media.plan import Order, Plan


class Worker:
    """A worker process, its two pipes and the file it may ask for."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        program = "from overt.media.watcher import main; main(2 << 30)"
        self.process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def order(self, kind: bytes = OPEN, reach: Reach = Reach.NOTHING, name: str = "film", format_: str = "") -> None:
        size = len(self.raw) if reach is Reach.NOTHING else None
        order = Order(Plan(reach, name, format_, size=size), 0.0, 0, keyframes_only=False).packed()
        self.process.stdin.write(WATCH.pack(kind, len(order)) + order)
        self.process.stdin.flush()

    def answer(self) -> tuple[bytes, int, bytes]:
        while True:
            kind, wanted, _, length = ANSWER.unpack(self.process.stdout.read(ANSWER.size))
            if kind == NEED:
                data = self.raw[length : length + wanted]
                self.process.stdin.write(LENGTH.pack(len(data)) + data if self.raw else LENGTH.pack(REFUSED))
                self.process.stdin.flush()
            elif kind == END:
                return kind, length, b""
            elif kind != BUSY:
                return kind, length, self.process.stdout.read(length + (SIGHT.size if kind == PIXELS else 0))


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(film(count=6))
    yield made
    for pipe in (made.process.stdin, made.process.stdout):
        pipe.close()
    made.process.wait(30)


def test_it_watches_one_stream_after_another(worker: Worker) -> None:
    worker.order()
    assert worker.answer() == (WORDS, 0, b"")
    for first in (0, 100):
        shown = []
        while (answer := worker.answer())[0] == PIXELS:
            time, told, decoded, damaged, degrees = SIGHT.unpack(answer[2][: SIGHT.size])
            assert (damaged, degrees) == (0, 0)
            assert time == pytest.approx(told, abs=0.002)
            pixels = np.frombuffer(answer[2][SIGHT.size :], np.uint8).reshape(64, 128, 3)
            shown.append((number(pixels), decoded, round(time, 2)))
        assert answer == (END, 6, b"")
        assert shown == [(first + at, at + 1, at / 25) for at in range(6)]
        worker.raw = film(count=6, first=100)
        worker.order()


def test_what_it_cannot_watch_is_answered_in_words_and_it_goes_on(worker: Worker) -> None:
    good, worker.raw = worker.raw, b"nonsense" * 100
    worker.order()
    assert worker.answer()[0] == WORDS
    assert worker.answer()[0] == BAD
    worker.raw = good
    worker.order()
    assert worker.answer()[0] == PIXELS


def test_what_the_server_refuses_ends_the_watching(worker: Worker) -> None:
    worker.raw = b""
    worker.order()
    assert worker.answer()[0] == WORDS
    assert worker.answer()[0] == BAD


def test_a_device_is_opened_before_and_its_fault_told_after(worker: Worker) -> None:
    worker.order(reach=Reach.DEVICE, name="/dev/video99", format_="v4l2")
    assert worker.answer()[0] == WORDS
    kind, _, words = worker.answer()
    assert kind == BAD
    assert b"no such device" in words


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has system-call filters")
@pytest.mark.parametrize("reach", Reach)
def test_asked_to_break_out_it_fails(worker: Worker, reach: Reach) -> None:
    worker.order(TRY, reach, "/dev/video99", "v4l2")
    assert worker.answer() == (WORDS, 0, b"")
    _, _, words = worker.answer()
    allowed = [line for line in words.decode().splitlines() if not line.endswith("refused")]
    assert allowed == (["make a socket: ALLOWED"] if reach is Reach.NETWORK else [])


def test_it_ends_when_the_server_goes(worker: Worker) -> None:
    worker.order()
    assert worker.answer()[0] == WORDS
    assert worker.answer()[0] == PIXELS
    worker.process.stdin.close()
    worker.process.stdout.close()
    assert worker.process.wait(30) == 0
    worker.process.stdin = worker.process.stdout = open(os.devnull, "wb")  # noqa: PTH123, SIM115 - closed with the rest


def test_it_is_small(worker: Worker) -> None:
    """What would make it larger is loaded by none of its parts."""
    program = (
        "import sys, overt.media.watcher; print([m for m in ('numpy', 'cv2', 'boto3', 'ssl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_far_file_seeks_where_it_has_an_end() -> None:
    file = watcher.FarFile(0, "film", 100)
    assert (file.seek(10), file.seek(5, io.SEEK_CUR), file.seek(-1, io.SEEK_END), file.tell()) == (10, 15, 99, 99)
    assert file.readable()
    assert file.seekable()
    assert file.read(0) == b""
    file.close()
    stream = watcher.FarFile(1, "http://127.0.0.1/")
    assert not stream.seekable()
    with pytest.raises(io.UnsupportedOperation):
        stream.seek(0)
    stream.close()
