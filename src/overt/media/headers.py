# SPDX-License-Identifier: Apache-2.0
"""Reads format, size and orientation of a JPEG or PNG from its first bytes. Decodes no pixel and knows no codec.

Plain Python on purpose: the server reads every header itself before a worker sees the picture, and Python's own
bounds checks are the only parser an attacker can reach there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers without a length: TEM and the restart markers."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG start-of-frame markers; C4, C8 and CC are tables. Source: ITU-T T.81, table B.1."""
_EXIF = b"Exif\x00\x00"
_ORIENTATION = 0x0112


class BadHeaderError(ValueError):
    """The bytes are no JPEG or PNG whose size can be read. The message says why, for the caller."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself.

    format: "JPEG" or "PNG". width, height: stored pixels, before any rotation. orientation: EXIF value 1..8, and
    always 1 for a PNG, which the service never rotates. colours: components of a JPEG (1, 3, 4), 0 for a PNG.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    colours: int = 0


def read(raw: bytes) -> Header:
    """The header of a picture, told by content alone.

    Raises: BadHeaderError.
    """
    if not raw:
        msg = "no bytes"
        raise BadHeaderError(msg)
    if raw.startswith(_PNG):
        return _png(raw)
    if raw.startswith(b"\xff\xd8"):
        return _jpeg(raw)
    msg = f"neither JPEG nor PNG, but {_guess(raw)}"
    raise BadHeaderError(msg)


def _guess(raw: bytes) -> str:
    """Words for a format we do not take."""
    for start, name in (
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"%PDF", "PDF"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"<svg", "SVG"),
        (b"<", "XML or HTML text"),
    ):
        if raw.startswith(start):
            return name
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "WebP"
    if raw[4:8] == b"ftyp":
        return "HEIF, AVIF or video"
    return "something unknown"


def _png(raw: bytes) -> Header:
    if raw[12:16] != b"IHDR" or len(raw) < 33:  # noqa: PLR2004 - signature 8, IHDR 25
        msg = "a PNG without its header"
        raise BadHeaderError(msg)
    width, height = struct.unpack(">II", raw[16:24])
    return _sized(Header("PNG", width, height))


def _jpeg(raw: bytes) -> Header:
    """Walks the marker segments up to the first frame header. Source: ITU-T T.81, annex B."""
    orientation = 1
    at = 2
    while at + 4 <= len(raw):
        if raw[at] != 0xFF:  # noqa: PLR2004
            break
        marker = raw[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - fill byte
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        length = int.from_bytes(raw[at + 2 : at + 4], "big")
        body = raw[at + 4 : at + 2 + length]
        if marker in _FRAMES:
            if len(body) < 6:  # noqa: PLR2004
                break
            height, width = struct.unpack(">HH", body[1:5])
            return _sized(Header("JPEG", width, height, orientation, body[5]))
        if marker == 0xE1 and body.startswith(_EXIF):  # noqa: PLR2004
            orientation = _exif_orientation(body[len(_EXIF) :])
        if length < 2 or marker in (0xD9, 0xDA):  # noqa: PLR2004
            break
        at += 2 + length
    msg = "a JPEG without a frame header"
    raise BadHeaderError(msg)


def _sized(header: Header) -> Header:
    if not header.width or not header.height:
        msg = f"a {header.format} of {header.width} x {header.height} pixels"
        raise BadHeaderError(msg)
    return header


def _exif_orientation(tiff: bytes) -> int:
    """Orientation 1..8 from an EXIF block; 1 where it is absent or nonsense. Source: TIFF 6.0, section 2; EXIF 2.32."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:  # noqa: PLR2004
        return 1
    (start,) = struct.unpack(order + "I", tiff[4:8])
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack(order + "H", tiff[start : start + 2])
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack(order + "HH", tiff[entry : entry + 4])
        if tag == _ORIENTATION and kind == 3:  # noqa: PLR2004 - SHORT
            (value,) = struct.unpack(order + "H", tiff[entry + 8 : entry + 10])
            return value if 1 <= value <= 8 else 1  # noqa: PLR2004
    return 1
