# SPDX-License-Identifier: Apache-2.0
"""A worker's end of its two pipes: exact reads from the server, whole writes to it. Knows no codec."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from overt.media.frames import ANSWER, WORDS_LIMIT

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_STRIP = 1 << 20
"""Bytes of pixels written at once: what a pipe holds."""


def read(length: int) -> bytearray | None:
    """Exactly that many bytes from the server, or None when it has gone."""
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        count = os.readv(0, [rest])
        if count == 0:
            return None
        rest = rest[count:]
    return data


def write(data: bytes | memoryview) -> None:
    """All of it to the server, however long that takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


def write_all(parts: Sequence[memoryview]) -> None:
    """Up to 1024 pieces one after another to the server, together where the pipe takes them."""
    rest = list(parts)
    while rest:
        count = os.writev(1, rest)
        while rest and count >= len(rest[0]):
            count -= len(rest.pop(0))
        if count:
            rest[0] = rest[0][count:]


def say(kind: bytes, text: str) -> None:
    """An answer of words, cut to what an answer may hold."""
    words = text.encode("utf-8", "replace")[:WORDS_LIMIT]
    write(ANSWER.pack(kind, 0, 0, len(words)) + words)


def write_rows(rows: npt.NDArray[np.uint8]) -> None:
    """Pixels (height, width, 3), row by row; copied only where they do not lie one after another."""
    if rows.flags.c_contiguous:
        write(rows.data.cast("B"))
        return
    import numpy as np  # noqa: PLC0415 - loaded already where there are rows; a camera's worker is to stay small

    height, width, _ = rows.shape
    step = max(1, _STRIP // (width * 3))
    for top in range(0, height, step):
        write(np.ascontiguousarray(rows[top : top + step]).data.cast("B"))
