# SPDX-License-Identifier: Apache-2.0
"""The kernel that is always there, and the reference for all others: numpy alone."""

from __future__ import annotations

import numpy as np

from overt.stores.kernels.base import Cosines, Numbers
from overt.types import Floats

# How far a float32 dot product of unit vectors may stray from the float64 one. The textbook bound for 512 terms in any
# order is 512 * 2**-24 = 3e-5, but real sums stray below 1e-6; 1e-4 leaves no doubt and costs a few rows rescored.
_SLACK = 1e-4
# Every how many rows a score is sampled to guess the cut: reads 1/16 of them and leaves about 16 * limit to sort.
_STRIDE = 16


class NumpyKernel:
    """One matrix product, a threshold, then a partial sort of the few rows left, rescored in float64."""

    def top(
        self, matrix: Floats, probe: Floats, limit: int, floor: float, hidden: Numbers | None = None
    ) -> tuple[Numbers, Cosines]:
        """See `Kernel.top`."""
        scores = matrix @ probe
        if hidden is not None:
            scores[hidden] = -np.inf
        # The limit-th best of a sample cannot beat the limit-th best of all, so nothing below it can be an answer.
        guess = _nth_best(scores[::_STRIDE], limit)
        rows = np.flatnonzero(scores >= max(floor, guess) - _SLACK)
        rows = rows[scores[rows] >= _nth_best(scores[rows], limit) - 2 * _SLACK]
        # Equal rows must get equal cosines wherever they lie; BLAS does not promise that, a sum along each row does.
        cosines = (matrix[rows].astype(np.float64) * probe.astype(np.float64)).sum(axis=1)
        kept = cosines >= max(floor, _nth_best(cosines, limit))
        rows, cosines = rows[kept], cosines[kept]
        order = np.argsort(-cosines, kind="stable")
        return rows[order], cosines[order]


def _nth_best(scores: np.ndarray[tuple[int], np.dtype[np.floating]], nth: int) -> float:
    """The nth largest score; minus infinity when there are fewer, infinity for nth 0."""
    if nth == 0:
        return np.inf
    if scores.size < nth:
        return -np.inf
    return float(np.partition(scores, scores.size - nth)[scores.size - nth])
