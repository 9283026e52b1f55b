# SPDX-License-Identifier: Apache-2.0
"""From a picture file's bytes to an `Image`: checks what it claims to be, then has it decoded out of harm's way.

Rules of the service: JPEG and PNG by content, whatever the name says; a JPEG's EXIF orientation is applied, a PNG is
never rotated. Knows limits and errors; decodes nothing itself.
"""

from __future__ import annotations

import hashlib

from overt.errors import ImageTooLargeException, InvalidImageFormatException, InvalidParameterException
from overt.media import headers
from overt.media.sandbox import Sandbox
from overt.media.worker import RejectedError
from overt.types import Image

SHORTEST_SIDE = 80
"""Pixels; operations may take smaller ones. Source: Rekognition guide, guidelines and quotas."""
LONGEST_SIDE = 10_000
"""Pixels. Source: DetectLabels and DetectModerationLabels of the same page; taken for every operation here."""
MOST_PIXELS = 100_000_000


class Decoder:
    """Decodes pictures in a sandbox. Thread-safe. Args: sandbox: who decodes; closing it is its owner's task."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def decode(self, raw: bytes, shortest: int = SHORTEST_SIDE) -> Image:
        """One picture, upright, RGB; `sha256` is that of the bytes given.

        Args: shortest: pixels that each side needs.
        Raises: InvalidImageFormatException for anything but an intact JPEG or PNG; ImageTooLargeException;
        InvalidParameterException when a side is too short.
        """
        try:
            header = headers.read(raw)
        except headers.BadHeaderError as error:
            raise InvalidImageFormatException(detail=f"the picture is {error}; send a JPEG or PNG") from error
        width, height = header.width, header.height
        if max(width, height) > LONGEST_SIDE or width * height > MOST_PIXELS:
            raise ImageTooLargeException(
                detail=f"{width} x {height} pixels; at most {LONGEST_SIDE} a side and {MOST_PIXELS // 10**6} million"
            )
        if min(width, height) < shortest:
            raise InvalidParameterException(
                detail=f"the picture has {width} x {height} pixels; each side needs at least {shortest}"
            )
        size = (height, width) if header.orientation >= 5 else (width, height)  # noqa: PLR2004 - 5..8 lie on a side
        try:
            pixels = self._sandbox.decode(raw, size, side=LONGEST_SIDE, pixels=MOST_PIXELS)
        except RejectedError as error:
            raise InvalidImageFormatException(detail=f"the {header.format} cannot be decoded: {error}") from error
        return Image(pixels, hashlib.sha256(raw).hexdigest())
