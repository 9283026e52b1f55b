# SPDX-License-Identifier: Apache-2.0
"""Vectors as int8 codes, and how far a score of codes can lie from the true cosine. Knows no file and no table.

A unit row x is kept as x' = scale * code, a unit probe q as q' likewise. Then, by Cauchy and Schwarz,

    |q.x - q'.x'| <= |q| |x - x'| + |q - q'| |x'| <= residual + probe.residual * reach

with the largest |x - x'| and the largest |x'| of all rows scanned. Whoever looks through codes takes every row whose
score lies within that margin of an answer, and so loses none.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from overt.types import Floats

Codes = npt.NDArray[np.int8]
Halves = npt.NDArray[np.float16]
Numbers = npt.NDArray[np.int64]

_LARGEST = 127  # -128 is never used: its absolute value does not fit, which some instructions need
WIDTH_STEP = 64  # codes of a row, padded with zeros to a multiple of this: one register of AVX-512
_BATCH = 65_536  # rows quantised at a time, so that the float32 copies stay small


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Rows:
    """Stored vectors in the order of their sequences, as a kernel scans them and a search rescores them.

    sequences: (n,) int64 ascending. codes: (n, width) int8 in -127..127. scales: (n,) float32. halves: (n, dimension)
    float16, the vectors as the database holds them. residual: at least the largest |x - scale * code| over the rows,
    with x the unit row that `unit(halves)` gives; reach: at least the largest |scale * code|. marks: (n,) uint32, the
    `mark` of each row where they come from a file, which could have been changed; None where they come from a database.
    """

    sequences: Numbers
    codes: Codes
    scales: Floats
    halves: Halves
    residual: float
    reach: float
    marks: npt.NDArray[np.uint32] | None = None

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.sequences.nbytes + self.codes.nbytes + self.scales.nbytes + self.halves.nbytes

    def cut(self, start: int, stop: int) -> Rows:
        """Some of the rows, without copying them; the bounds stay true."""
        some = slice(start, stop)
        return Rows(
            self.sequences[some],
            self.codes[some],
            self.scales[some],
            self.halves[some],
            self.residual,
            self.reach,
            None if self.marks is None else self.marks[some],
        )

    def parts(self, size: int) -> tuple[Rows, ...]:
        """All rows, at most so many at a time."""
        return tuple(self.cut(start, start + size) for start in range(0, len(self), size))

    def spoiled(self, found: Numbers) -> Numbers:
        """Those of some row numbers whose vector or sequence is not what was written."""
        if self.marks is None:
            return found[:0]
        wrong: Numbers = found[mark(self.sequences[found], self.halves[found]) != self.marks[found]]
        return wrong


@dataclass(frozen=True, slots=True)
class Probe:
    """A unit vector to look for, and what is wanted of it.

    vector: (dimension,) float32. code: (width,) int8, scale: float, residual: |vector - scale * code|.
    limit: rows wanted, at least 1. floor: least cosine, -1..1.
    """

    vector: Floats
    code: Codes
    scale: float
    residual: float
    limit: int
    floor: float

    @classmethod
    def of(cls, vector: Floats, limit: int, floor: float) -> Probe:
        """A probe of a unit vector (dimension,)."""
        codes, scales, residual, _ = encode(vector[np.newaxis])
        return cls(vector, codes[0], float(scales[0]), residual, limit, floor)


def unit(halves: Halves) -> Floats:
    """Stored vectors (n, dimension) as float32 rows, made unit length again after the rounding to float16."""
    rows = halves.astype(np.float32)
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    rows /= np.where(lengths > 0, lengths, 1)  # a row that was erased is all zeros until it is let go
    return rows


def encode(rows: Floats) -> tuple[Codes, Floats, float, float]:
    """Unit rows (n, dimension) as codes (n, width) int8 and scales (n,) float32, with their residual and reach."""
    count, dimension = rows.shape
    codes = np.zeros((count, width(dimension)), np.int8)
    largest: Floats = np.abs(rows).max(axis=1, initial=np.float32(0))
    scales = largest / np.float32(_LARGEST)
    steps = rows / np.where(scales > 0, scales, 1)[:, np.newaxis]
    codes[:, :dimension] = np.clip(np.rint(steps), -_LARGEST, _LARGEST)
    kept: Floats = codes[:, :dimension] * scales[:, np.newaxis]
    return codes, scales, _longest(rows - kept), _longest(kept)


def quantise(sequences: Numbers, halves: Halves) -> Rows:
    """Rows of stored vectors (n, dimension), in batches that keep the working memory small."""
    count, dimension = halves.shape
    codes = np.empty((count, width(dimension)), np.int8)
    scales = np.empty(count, np.float32)
    residual = reach = 0.0
    for start in range(0, count, _BATCH):
        part = slice(start, start + _BATCH)
        codes[part], scales[part], stray, length = encode(unit(halves[part]))
        residual, reach = max(residual, stray), max(reach, length)
    return Rows(sequences, codes, scales, halves, residual, reach)


def mark(sequences: Numbers, halves: Halves) -> npt.NDArray[np.uint32]:
    """A checksum of each row (n,): the crc-32 of its sequence and its vector."""
    rows, length = np.ascontiguousarray(halves).tobytes(), halves.shape[1] * halves.itemsize
    starts = range(0, len(rows), length)
    pairs = zip(starts, sequences.tolist(), strict=True)
    sums = [crc32(rows[start : start + length], sequence & 0xFFFFFFFF) for start, sequence in pairs]
    return np.array(sums, np.uint32)


def width(dimension: int) -> int:
    """Bytes of a row's code."""
    return -(-dimension // WIDTH_STEP) * WIDTH_STEP


def _longest(rows: Floats) -> float:
    """The length of the longest row, rounded up by more than float32 sums can stray."""
    return float(np.sqrt((rows * rows).sum(axis=1).max(initial=0.0))) * (1 + 1e-5)
