# SPDX-License-Identifier: Apache-2.0
"""Headers are read by content, and no bytes make the reader do anything but answer or refuse."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from overt.media import headers
from overt.media.headers import BadHeaderError, Header


def encoded(kind: str, size: tuple[int, int], **options: object) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size).save(file, kind, **options)
    return file.getvalue()


def test_size_and_format() -> None:
    assert headers.read(encoded("PNG", (123, 45))) == Header("PNG", 123, 45)
    assert headers.read(encoded("JPEG", (123, 45), progressive=True)) == Header("JPEG", 123, 45, 1, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    assert headers.read(encoded("JPEG", (90, 80), exif=exif)).orientation == orientation
    assert headers.read(encoded("PNG", (90, 80), exif=exif)).orientation == 1


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "no bytes"),
        (b"GIF89a" + bytes(50), "GIF"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"hello", "unknown"),
        (b"\x89PNG\r\n\x1a\n", "without its header"),
        (b"\xff\xd8\xff\xd9", "frame header"),
    ],
)
def test_others_are_named(raw: bytes, word: str) -> None:
    with pytest.raises(BadHeaderError, match=word):
        headers.read(raw)


@given(st.binary(max_size=400), st.sampled_from([b"\xff\xd8", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b""]))
def test_any_bytes_end_in_a_header_or_a_refusal(tail: bytes, start: bytes) -> None:
    try:
        header = headers.read(start + tail)
    except BadHeaderError:
        return
    assert header.width > 0
    assert header.height > 0
    assert 1 <= header.orientation <= 8


@given(st.integers(0, 600), st.integers(0, 255))
def test_a_changed_byte_of_a_real_jpeg_does_no_harm(at: int, value: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    raw = bytearray(encoded("JPEG", (90, 80), exif=exif))
    raw[at % len(raw)] = value
    with contextlib.suppress(BadHeaderError):
        headers.read(bytes(raw))
