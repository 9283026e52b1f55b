# SPDX-License-Identifier: Apache-2.0
"""The worker program that plays videos: it asks for the file's bytes and ends when nobody answers."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from films import film, number

from overt.media import player
from overt.media.frames import ANSWER, BAD, END, FRAMES, LENGTH, MOMENT, NEED, NEXT, OPEN, PIXELS, PLAY, TRY, WORDS


class Worker:
    """A worker process, its two pipes and the file it may ask for."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.asked = raw, 0
        program = "from overt.media.player import main; main(2 << 30)"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, OPENBLAS_NUM_THREADS="1"),
        )  # fmt: skip

    def ask(self, kind: bytes, start: float = 0.0, end: float = 9.0, rate: float = 0.0) -> None:
        self.process.stdin.write(PLAY.pack(kind, len(self.raw), start, end, rate, 128, 64, 0))
        self.process.stdin.flush()

    def answer(self) -> tuple[bytes, bytes]:
        while True:
            kind, width, _, length = ANSWER.unpack(self.process.stdout.read(ANSWER.size))
            if kind != NEED:
                return kind, self.process.stdout.read(length + (MOMENT.size if kind == PIXELS else 0))
            self.asked += width
            data = self.raw[length : length + width]
            self.process.stdin.write(LENGTH.pack(len(data)) + data)
            self.process.stdin.flush()


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(film(count=6))
    assert made.answer() == (WORDS, b"")
    yield made
    for pipe in (made.process.stdin, made.process.stdout):
        pipe.close()
    made.process.wait(30)


def test_it_opens_and_plays_what_the_server_hands_it(worker: Worker) -> None:
    worker.ask(OPEN)
    kind, words = worker.answer()
    assert kind == WORDS
    assert b'"h264"' in words
    shown = []
    worker.ask(FRAMES)
    while (answer := worker.answer())[0] == PIXELS:
        time, _ = MOMENT.unpack(answer[1][: MOMENT.size])
        pixels = np.frombuffer(answer[1][MOMENT.size :], np.uint8).reshape(64, 128, 3)
        shown.append((number(pixels), round(time, 3)))
        worker.ask(NEXT)
    assert answer == (END, b"")
    assert shown == [(at, at / 25) for at in range(6)]
    assert worker.asked >= len(worker.raw)


def test_what_it_cannot_open_is_answered_in_words(worker: Worker) -> None:
    worker.raw = b"nonsense" * 100
    worker.ask(OPEN)
    kind, words = worker.answer()
    assert kind == BAD
    assert b"no MP4" in words


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has system-call filters")
def test_asked_to_break_out_it_fails_and_goes_on(worker: Worker) -> None:
    worker.ask(TRY)
    kind, words = worker.answer()
    assert kind == WORDS
    assert {line.rsplit(": ", 1)[1] for line in words.decode().splitlines()} == {"refused"}
    worker.ask(OPEN)
    assert worker.answer()[0] == WORDS


def test_it_ends_when_the_server_goes_while_it_waits_for_bytes(worker: Worker) -> None:
    worker.ask(OPEN)
    worker.process.stdin.close()
    assert worker.process.wait(30) == 0
    worker.process.stdin = open(os.devnull, "wb")  # noqa: PTH123, SIM115 - closed with the rest


def test_the_far_file_seeks_without_asking() -> None:
    file = player.FarFile(100)
    assert (file.seek(10), file.seek(5, io.SEEK_CUR), file.seek(-1, io.SEEK_END), file.tell()) == (10, 15, 99, 99)
    assert file.seek(0, io.SEEK_END) == 100
    assert file.read(10) == b""
    assert file.readable()
    assert file.seekable()
    file.close()
