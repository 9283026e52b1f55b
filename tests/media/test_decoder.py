# SPDX-License-Identifier: Apache-2.0
"""The worker program: answers frames on its pipes until they close, and says in words what it cannot decode."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from overt.media import decoder
from overt.media.decoder import UndecodableError
from overt.media.frames import ANSWER, BAD, DECODE, PIXELS, REQUEST, TRY, WORDS, WORDS_LIMIT

LIMITS = (10_000, 100_000_000)
ROWS = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)


def encoded(rows: npt.NDArray[np.uint8], kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(rows).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_other_programs_show(orientation: int) -> None:
    """Pillow's own idea of EXIF is the judge."""
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    with Pillow.open(io.BytesIO(encoded(ROWS, "PNG", exif=exif))) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    assert np.array_equal(decoder.upright(ROWS, orientation), expected)


def test_an_orientation_that_does_not_exist_changes_nothing() -> None:
    assert np.array_equal(decoder.upright(ROWS, 0), ROWS)


def test_limits_are_read_off_the_header() -> None:
    raw = encoded(ROWS, "PNG")
    assert np.array_equal(decoder.decode(raw, 120, 90 * 120), ROWS)
    for side, pixels in ((119, 90 * 120), (120, 90 * 120 - 1)):
        with pytest.raises(UndecodableError, match="too many pixels"):
            decoder.decode(raw, side, pixels)


@given(st.sampled_from(["PNG", "JPEG"]), st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_picture_is_decoded_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    """Whatever a codec makes of it, no picture larger than allowed comes out."""
    raw = bytearray(encoded(ROWS, kind))
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        rows = decoder.decode(bytes(raw), 500, 500 * 500)
    except (UndecodableError, MemoryError):
        return
    assert rows.dtype == np.uint8
    assert rows.ndim == 3
    assert max(rows.shape[:2]) <= 500


# The program, spoken to as the server does.


class Worker:
    """A worker process and its two pipes."""

    def __init__(self) -> None:
        program = "from overt.media.decoder import main; main(1 << 30)"
        self.process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, kind: bytes, raw: bytes = b"", limits: tuple[int, int] = LIMITS) -> None:
        self.process.stdin.write(REQUEST.pack(kind, len(raw), *limits) + raw)
        self.process.stdin.flush()

    def answer(self) -> tuple[bytes, int, int, bytes]:
        kind, width, height, length = ANSWER.unpack(self.process.stdout.read(ANSWER.size))
        return kind, width, height, self.process.stdout.read(length)


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    for pipe in (made.process.stdin, made.process.stdout):
        pipe.close()
    made.process.wait(30)


def test_its_first_words_say_how_it_is_confined(worker: Worker) -> None:
    kind, _, _, words = worker.answer()
    assert kind == WORDS
    assert (words == b"") == (sys.platform == "linux")


def test_pictures_are_answered_in_turn(worker: Worker) -> None:
    worker.answer()
    for rows in (ROWS, ROWS[:80], ROWS[:, :100]):
        worker.ask(DECODE, encoded(rows, "PNG"))
    for rows in (ROWS, ROWS[:80], ROWS[:, :100]):
        assert worker.answer() == (PIXELS, rows.shape[1], rows.shape[0], rows.tobytes())


def test_what_cannot_be_decoded_is_answered_in_words_and_the_next_picture_is_decoded(worker: Worker) -> None:
    worker.answer()
    good = encoded(ROWS, "PNG")
    for raw, limits in ((b"nonsense", LIMITS), (good[:200], LIMITS), (b"", LIMITS), (good, (50, 10**6))):
        worker.ask(DECODE, raw, limits)
        kind, width, height, words = worker.answer()
        assert (kind, width, height) == (BAD, 0, 0)
        assert 0 < len(words) <= WORDS_LIMIT
        assert words.decode()
    worker.ask(DECODE, good)
    assert worker.answer()[0] == PIXELS


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has system-call filters")
def test_asked_to_break_out_it_fails_and_goes_on(worker: Worker) -> None:
    worker.answer()
    worker.ask(TRY)
    kind, _, _, words = worker.answer()
    assert kind == WORDS
    assert {line.rsplit(": ", 1)[1] for line in words.decode().splitlines()} == {"refused"}
    worker.ask(DECODE, encoded(ROWS, "JPEG"))
    assert worker.answer()[0] == PIXELS


@pytest.mark.parametrize("said", [b"", b"D\x01", REQUEST.pack(DECODE, 1000, *LIMITS) + b"half"])
def test_it_ends_when_the_server_goes(worker: Worker, said: bytes) -> None:
    """Between pictures, or in the middle of one."""
    worker.answer()
    worker.process.stdin.write(said)
    worker.process.stdin.flush()
    worker.process.stdin.close()
    assert worker.process.wait(30) == 0


@pytest.fixture
def real(photos: Path) -> Callable[[str], bytes]:
    return lambda name: (photos / name).read_bytes()


@pytest.mark.parametrize("name", ["obama.jpg", "coffee.png", "32bit.png"])
def test_photos_look_as_pillow_shows_them(worker: Worker, real: Callable[[str], bytes], name: str) -> None:
    worker.answer()
    worker.ask(DECODE, real(name))
    kind, width, height, body = worker.answer()
    assert kind == PIXELS
    with Pillow.open(io.BytesIO(real(name))) as opened:
        background = Pillow.new("RGBA", opened.size, "white")
        expected = np.asarray(Pillow.alpha_composite(background, opened.convert("RGBA")).convert("RGB"))
    shown = np.frombuffer(body, np.uint8).reshape(height, width, 3)
    assert np.abs(shown.astype(int) - expected).mean() < 1
