# SPDX-License-Identifier: Apache-2.0
"""Files that claim to be pictures, and pictures of every unusual kind."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

ORIENTATION = 0x0112
# What a camera held that way would have stored: the transposition that makes orientation N of an upright picture.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encoded(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """A picture as a file's bytes."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def turned(picture: Image.Image, orientation: int) -> bytes:
    """An upright picture as the JPEG of a camera held otherwise, with EXIF to say so."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    how = _STORED[orientation]
    return encoded(picture if how is None else picture.transpose(how), quality=100, subsampling=0, exif=exif)


def sixteen_bit(picture: Image.Image) -> bytes:
    """A PNG of 16 bits a channel."""
    rgb = np.asarray(picture, np.uint16) * 257
    return cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()


def transparent(picture: Image.Image) -> bytes:
    """A PNG whose left and right edges are transparent."""
    alpha = Image.new("L", picture.size, 0)
    alpha.paste(255, (4, 0, picture.width - 4, picture.height))
    with_alpha = picture.copy()
    with_alpha.putalpha(alpha)
    return encoded(with_alpha, "PNG")


def png(width: int, height: int, scanlines: bytes, *, depth: int = 1, extra: bytes = b"") -> bytes:
    """A grey PNG put together by hand, so that its header may lie. extra: further chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + extra + _chunk(b"IDAT", zlib.compress(scanlines, 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that unfolds to side x side pixels."""
    return png(side, side, bytes(((side + 7) // 8 + 1) * side))


def bomb_behind_a_small_header() -> bytes:
    """A PNG that says 96 x 96 and unfolds to 200 MB."""
    return png(96, 96, bytes(200 << 20))


def bomb_in_a_comment() -> bytes:
    """A PNG with a comment of a few hundred kilobytes that unfolds to 200 MB."""
    comment = _chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(200 << 20), 9))
    return png(96, 96, bytes(13 * 96), extra=comment)


def wrong_checksum(raw: bytes) -> bytes:
    """A PNG whose picture data do not fit their checksum."""
    at = raw.index(b"IDAT") + 40
    return raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :]


def with_text(picture: Image.Image) -> bytes:
    """A PNG with an honest comment."""
    note = PngInfo()
    note.add_text("note", "taken in May", zip=True)
    return encoded(picture, "PNG", pnginfo=note)
