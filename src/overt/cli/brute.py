# SPDX-License-Identifier: Apache-2.0
"""The answer to a search by brute force: every stored vector against every probe. Shares no code with real searches.

Products are summed in float32 to tell which rows can matter, and of these in float64 to tell which do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.types import Floats

_STRAY = 1e-4  # more than a float32 sum of 512 products of unit vectors can be wrong: 512 * 2**-24
_BATCH = 16_384  # rows
_TOGETHER = 512  # probes: with that many rows, 32 MiB of products


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rows (m,), cosine descending, then row, and their cosines (m,). All that tie with the last are there."""

    rows: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float64]


def nearest(halves: npt.NDArray[np.float16], vectors: Floats, limit: int, floor: float) -> list[Nearest]:
    """The `limit` nearest of stored vectors (n, dimension) to each probe (q, dimension), of those above a floor."""
    found: list[Nearest] = []
    for start in range(0, len(vectors), _TOGETHER):
        found += _together(halves, vectors[start : start + _TOGETHER], limit, floor)
    return found


def _together(halves: npt.NDArray[np.float16], vectors: Floats, limit: int, floor: float) -> list[Nearest]:
    least = np.full(len(vectors), floor - _STRAY, np.float32)
    rows = [np.empty(0, np.int64) for _ in vectors]
    scores = [np.empty(0, np.float32) for _ in vectors]
    for start in range(0, len(halves), _BATCH):
        products = vectors @ _unit(halves[start : start + _BATCH]).T
        probes, near = np.nonzero(products >= least[:, np.newaxis])
        ends = np.searchsorted(probes, np.arange(len(vectors) + 1))
        for probe in np.unique(probes):
            mine = near[ends[probe] : ends[probe + 1]]
            score = np.concatenate([scores[probe], products[probe, mine]])
            row = np.concatenate([rows[probe], mine + start])
            if len(score) >= limit:
                last = np.partition(score, len(score) - limit)[len(score) - limit]
                least[probe] = max(least[probe], last - 2 * _STRAY)
            kept = score >= least[probe]
            rows[probe], scores[probe] = row[kept], score[kept]
    return [_best(halves, row, vector, limit, floor) for row, vector in zip(rows, vectors, strict=True)]


def _best(
    halves: npt.NDArray[np.float16], rows: npt.NDArray[np.int64], vector: Floats, limit: int, floor: float
) -> Nearest:
    cosines = (_unit(halves[rows]).astype(np.float64) * vector.astype(np.float64)).sum(axis=1)
    order = np.lexsort((rows, -cosines))
    rows, cosines = rows[order], cosines[order]
    last = cosines[limit - 1] if len(cosines) >= limit else -np.inf
    kept = cosines >= max(floor, last)
    return Nearest(rows[kept], cosines[kept])


def _unit(halves: npt.NDArray[np.float16]) -> Floats:
    rows = halves.astype(np.float32)
    rows /= np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return rows
