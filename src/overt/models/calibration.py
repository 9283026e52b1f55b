# SPDX-License-Identifier: Apache-2.0
"""From the cosine of two embeddings to a similarity and to its measured false match rate. Knows no model.

A similarity is a name for a point on a measured curve, never a share of identity: each comes with the share of pairs
of different people that reach it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The curves of one embedding model.

    false_match_rates: (cosine, share of impostor pairs at or above it), cosines rising, rates falling.
    similarities: (cosine, similarity 0..1), both rising. true_match_rates: (false match rate, share of genuine pairs
    found at it). fitted_on: the data behind them, in words.
    """

    model: str
    metric: str
    version: str
    fitted_on: str
    false_match_rates: Curve
    similarities: Curve
    true_match_rates: Curve

    def __post_init__(self) -> None:
        """Raises: ValueError when a curve cannot be read both ways."""
        for name, curve, rising in (
            ("false_match_rates", self.false_match_rates, False),
            ("similarities", self.similarities, True),
        ):
            pairs = list(itertools.pairwise(curve))
            steady = all(a[0] < b[0] and (a[1] < b[1] if rising else a[1] > b[1] > 0) for a, b in pairs)
            if not pairs or not steady:
                way = "rising" if rising else "falling"
                msg = f"{name} must list at least two points, cosines rising and values {way}"
                raise ValueError(msg)

    def similarity(self, cosine: float) -> float:
        """The similarity 0..1 of a cosine -1..1: linear between the points."""
        cosines, similarities = zip(*self.similarities, strict=True)
        return float(np.interp(cosine, cosines, similarities))

    def cosine(self, similarity: float) -> float:
        """The least cosine of a similarity 0..1, the inverse of `similarity`."""
        cosines, similarities = zip(*self.similarities, strict=True)
        return float(np.interp(similarity, similarities, cosines))

    def false_match_rate(self, cosine: float) -> float:
        """The share of pairs of different people that reach this cosine, 0..1.

        Linear in log10 between the points and below the first one. Above the last it stays at the last: nothing
        smaller was measured.
        """
        cosines, rates = zip(*self.false_match_rates, strict=True)
        logs = [math.log10(rate) for rate in rates]
        if cosine < cosines[0]:
            slope = (logs[1] - logs[0]) / (cosines[1] - cosines[0])
            return float(min(1.0, 10 ** (logs[0] + slope * (cosine - cosines[0]))))
        return float(10 ** np.interp(cosine, cosines, logs))
