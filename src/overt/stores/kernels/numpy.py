# SPDX-License-Identifier: Apache-2.0
"""The kernel that is always there, and the reference for all others: numpy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from overt.stores.codes import Probe, Rows
from overt.stores.kernels.base import Candidates, Hidden
from overt.types import Floats

# How far a float32 sum of products may stray from the exact one, for rows of length 1. The textbook bound for 512 terms
# in any order is 512 * 2**-24 = 3e-5; 1e-4 leaves no doubt and costs a few rows rescored.
SLACK = 1e-4
_BATCH = 4096  # rows made floats at a time: 2 MiB of 128, which a core's own cache holds


class NumpyKernel:
    """Codes made float32 a batch at a time, in the cache, and multiplied by the probes as they are."""

    name = "numpy"

    def scan(self, rows: Rows, probes: Sequence[Probe], hidden: Hidden | None = None) -> list[Candidates]:
        """See `Kernel.scan`. The margin is the rows' residual alone, as the probes are not quantised."""
        margin = rows.residual + SLACK
        scores = _scores(rows, np.stack([probe.vector for probe in probes]))
        if hidden is not None:
            scores[:, hidden] = -np.inf
        return [select(line, probe, margin) for line, probe in zip(scores, probes, strict=True)]


def select(scores: Floats, probe: Probe, margin: float) -> Candidates:
    """The candidates among all rows' scores (n,); hidden rows have minus infinity."""
    cut = max(probe.floor - margin, nth_best(scores, probe.limit) - 2 * margin)
    found = np.flatnonzero(scores >= max(cut, -2.0))  # hidden rows never; no cosine lies so low
    return Candidates(found, scores[found], margin, cut)


def nth_best(scores: np.ndarray[tuple[int], np.dtype[np.floating]], nth: int) -> float:
    """The nth largest score, nth >= 1; minus infinity when there are fewer."""
    if scores.size < nth:
        return -np.inf
    return float(np.partition(scores, scores.size - nth)[scores.size - nth])


def _scores(rows: Rows, vectors: Floats) -> Floats:
    """Scores (probes, n) float32."""
    dimension = vectors.shape[1]
    scores = np.empty((len(vectors), len(rows)), np.float32)
    floats = np.empty((min(_BATCH, len(rows)), dimension), np.float32)
    for start in range(0, len(rows), _BATCH):
        part = slice(start, min(start + _BATCH, len(rows)))
        batch = floats[: part.stop - start]
        np.copyto(batch, rows.codes[part, :dimension])
        scores[:, part] = np.matmul(vectors, batch.T) * rows.scales[part]
    return scores
