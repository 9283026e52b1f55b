# SPDX-License-Identifier: Apache-2.0
"""Every kind of picture that is allowed comes out as it looks; everything else is refused, fast and in words."""

from __future__ import annotations

import hashlib
import io
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from overt.errors import (
    ImageTooLargeException,
    InvalidImageFormatException,
    InvalidParameterException,
    WireError,
)
from overt.media.images import Decoder
from overt.media.sandbox import Sandbox


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    sandbox = Sandbox(1)
    yield Decoder(sandbox)
    sandbox.close()


@pytest.fixture
def picture() -> npt.NDArray[np.uint8]:
    """Four plain quarters, 160 x 100: red, green, blue, grey."""
    rows = np.zeros((100, 160, 3), np.uint8)
    rows[:50, :80, 0] = rows[:50, 80:, 1] = rows[50:, :80, 2] = 255
    rows[50:, 80:] = 128
    return rows


def encoded(rows: npt.NDArray[np.generic] | Pillow.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image = rows if isinstance(rows, Pillow.Image) else Pillow.fromarray(rows)
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def refused(decoder: Decoder, raw: bytes, kind: type[WireError]) -> str:
    start = time.monotonic()
    with pytest.raises(kind) as caught:
        decoder.decode(raw)
    assert time.monotonic() - start < 1
    assert caught.value.detail
    return caught.value.detail


def test_png_is_exact(decoder: Decoder, picture: npt.NDArray[np.uint8]) -> None:
    raw = encoded(picture, "PNG")
    image = decoder.decode(raw)
    assert np.array_equal(image.pixels, picture)
    assert image.sha256 == hashlib.sha256(raw).hexdigest()
    assert image.pixels.flags.c_contiguous
    assert image.pixels.flags.writeable


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_near(decoder: Decoder, picture: npt.NDArray[np.uint8], options: dict[str, object]) -> None:
    image = decoder.decode(encoded(picture, "JPEG", quality=95, **options))
    assert np.abs(image.pixels[10:40, 10:70].astype(int) - picture[10:40, 10:70]).max() < 6


def test_cmyk_jpeg(decoder: Decoder, picture: npt.NDArray[np.uint8]) -> None:
    image = decoder.decode(encoded(Pillow.fromarray(picture).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(image.pixels[20, 20].astype(int) - [255, 0, 0]).max() < 8
    assert np.abs(image.pixels[70, 120].astype(int) - [128, 128, 128]).max() < 8


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "I;16"])
def test_every_kind_of_png(decoder: Decoder, picture: npt.NDArray[np.uint8], mode: str) -> None:
    source = Pillow.fromarray(picture)
    if mode == "I;16":
        stored = Pillow.fromarray(np.asarray(source.convert("L")).astype(np.uint16) * 257)
    else:
        stored = source.convert(mode)
    expected = np.asarray(stored.convert("RGB") if mode != "I;16" else source.convert("L").convert("RGB"))
    assert np.abs(decoder.decode(encoded(stored, "PNG")).pixels.astype(int) - expected).max() <= 1


def test_transparent_is_white_and_half_is_between(decoder: Decoder) -> None:
    rows = np.zeros((90, 90, 4), np.uint8)
    rows[:45, :, 3] = 128
    pixels = decoder.decode(encoded(rows, "PNG")).pixels
    assert (pixels[60] == 255).all()
    assert (np.abs(pixels[20].astype(int) - 127) <= 1).all()


def test_palette_with_transparency(decoder: Decoder) -> None:
    stored = Pillow.new("P", (90, 90), 1)
    stored.putpalette([0, 0, 0, 10, 20, 30])
    assert (decoder.decode(encoded(stored, "PNG", transparency=1)).pixels == 255).all()
    assert (decoder.decode(encoded(stored, "PNG")).pixels == (10, 20, 30)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(decoder: Decoder, picture: npt.NDArray[np.uint8], orientation: int) -> None:
    stored = {  # how a camera that was held so would have stored the upright picture
        1: picture, 2: picture[:, ::-1], 3: picture[::-1, ::-1], 4: picture[::-1], 5: picture.swapaxes(0, 1),
        6: np.rot90(picture), 7: np.rot90(picture, 2).swapaxes(0, 1), 8: np.rot90(picture, -1),
    }[orientation]  # fmt: skip
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    raw = encoded(np.ascontiguousarray(stored), "JPEG", quality=95, subsampling=0, exif=exif)
    pixels = decoder.decode(raw).pixels
    assert pixels.shape == picture.shape
    assert np.abs(pixels.astype(int) - picture).max() < 16
    flat = encoded(np.ascontiguousarray(stored), "PNG", exif=exif)
    assert np.array_equal(decoder.decode(flat).pixels, stored)


def test_a_real_photo(decoder: Decoder, photos: Path) -> None:
    raw = (photos / "obama.jpg").read_bytes()
    expected = np.asarray(Pillow.open(io.BytesIO(raw)).convert("RGB"))
    assert np.abs(decoder.decode(raw).pixels.astype(int) - expected).mean() < 1


def test_what_is_no_picture(decoder: Decoder) -> None:
    for raw in (b"", b"hello", b"<svg/>", b"%PDF-1.4", encoded(np.zeros((90, 90), np.uint8), "GIF")):
        refused(decoder, raw, InvalidImageFormatException)
    assert "GIF" in refused(decoder, b"GIF89a", InvalidImageFormatException)


def test_truncated(decoder: Decoder, photos: Path) -> None:
    raw = (photos / "obama2.jpg").read_bytes()
    for cut in (3, 30, 700, len(raw) // 2, len(raw) - 1000):
        refused(decoder, raw[:cut], InvalidImageFormatException)
    assert "premature" in refused(decoder, raw[: len(raw) // 2] + b"\xff\xd9", InvalidImageFormatException)
    flat = encoded(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8), "PNG")
    for cut in (20, 40, 100, len(flat) // 2):
        refused(decoder, flat[:cut], InvalidImageFormatException)


def test_damaged_png(decoder: Decoder) -> None:
    raw = bytearray(encoded(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8), "PNG"))
    raw[len(raw) // 2] ^= 0x55
    refused(decoder, bytes(raw), InvalidImageFormatException)


def test_bombs(decoder: Decoder) -> None:
    bomb = png(20000, 20000, zlib.compress(bytes(20001 * 200), 9))
    assert "20000" in refused(decoder, bomb, ImageTooLargeException)
    refused(decoder, png(10000, 10001, b""), ImageTooLargeException)
    refused(decoder, png(2**31, 2**31, b""), ImageTooLargeException)
    # Claims little and inflates to much: only what was claimed may come out.
    liar = png(100, 100, zlib.compress(bytes(50_000_000), 9))
    assert decoder.decode(liar).pixels.shape == (100, 100, 3)
    # Claims much and holds little.
    refused(decoder, png(10000, 10000, zlib.compress(bytes(1000))), InvalidImageFormatException)


def test_too_small(decoder: Decoder) -> None:
    assert "79" in refused(decoder, encoded(np.zeros((79, 200, 3), np.uint8), "PNG"), InvalidParameterException)
    assert decoder.decode(encoded(np.zeros((80, 80, 3), np.uint8), "PNG")).width == 80


def test_the_largest_allowed(decoder: Decoder) -> None:
    raw = encoded(Pillow.new("L", (10000, 10000), 7), "PNG", compress_level=1)
    assert decoder.decode(raw).pixels[9999, 9999].tolist() == [7, 7, 7]
