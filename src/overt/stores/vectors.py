# SPDX-License-Identifier: Apache-2.0
"""Embeddings to bytes and back: little-endian float16 on disk, unit float32 rows in memory. Knows no table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from overt.stores.codes import Halves, unit
from overt.types import Floats

_DISK = np.dtype("<f2")
_TOLERANCE = 1e-3  # how far from 1 the length of an embedding may be; float32 sums stray by 1e-6
_STRIP = 4096  # rows looked at together: what they need fits the processor's cache
_NO_DIRECTION = 1e-6  # a mean shorter than this points nowhere: its faces cancel out


def encode(vector: Floats) -> bytes:
    """A unit vector (dimension,) as 2 * dimension bytes. Raises: ValueError when its length is not 1."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if vector.ndim != 1 or not abs(length - 1.0) <= _TOLERANCE:  # written so that NaN fails too
        msg = f"an embedding must be one vector of length 1, not {vector.shape} of length {length:.4f}"
        raise ValueError(msg)
    return vector.astype(_DISK).tobytes()


def check_rows(rows: npt.NDArray[np.float16] | Floats) -> None:
    """Raises: ValueError unless every row of (n, dimension) has length 1."""
    for start in range(0, len(rows), _STRIP):
        strip = rows[start : start + _STRIP].astype(np.float32, copy=False)
        lengths = np.sqrt(np.einsum("ij,ij->i", strip, strip))
        good = np.abs(lengths - 1.0) <= _TOLERANCE  # False for NaN
        if not good.all():
            row = int(np.argmin(good))
            msg = f"an embedding must have length 1, not {lengths[row]:.4f} as row {start + row}"
            raise ValueError(msg)


def encode_rows(rows: npt.NDArray[np.float16] | Floats) -> list[bytes]:
    """Each row (n, dimension) as `encode` makes it of one vector; `check_rows` says whether they are unit vectors."""
    data, width = rows.astype(_DISK).tobytes(), rows.shape[1] * _DISK.itemsize
    return [data[start : start + width] for start in range(0, len(data), width)]


def stored(blobs: Sequence[bytes], dimension: int) -> Halves:
    """Stored vectors as they are: (n, dimension) float16."""
    return np.frombuffer(b"".join(blobs), _DISK).reshape(len(blobs), dimension)


def decode(blobs: Sequence[bytes], dimension: int) -> Floats:
    """Stored vectors as (n, dimension) float32 rows, made unit length again after the rounding to float16."""
    return unit(stored(blobs, dimension))


def mean(rows: Floats) -> Floats | None:
    """The direction (dimension,) in the middle of unit rows (n, dimension); None where there is none."""
    middle = rows.astype(np.float64).mean(axis=0) if len(rows) else np.zeros(1)
    length = np.linalg.norm(middle)
    return None if length < _NO_DIRECTION else (middle / length).astype(np.float32)
