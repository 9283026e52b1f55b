# SPDX-License-Identifier: Apache-2.0
"""From what a model gives to what is said: cosines to similarities, raw scores to confidences. Knows no model.

A similarity is a name for a point on a measured curve, never a share of identity: each comes with the share of pairs
of different people that reach it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from overt.types import Floats

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Confidences:
    """From a model's raw scores to the share of answers that were right at such a score.

    points: (raw 0..1, confidence 0..1), raws rising, confidences never falling. fitted_on: the data, in words, or
    "uncalibrated".
    """

    points: Curve
    fitted_on: str

    def __post_init__(self) -> None:
        """Raises: ValueError when the points are no such curve."""
        raws, confidences = zip(*self.points, strict=True) if self.points else ((), ())
        inside = all(0 <= value <= 1 for value in (*raws, *confidences))
        steady = all(a < b for a, b in itertools.pairwise(raws)) and list(confidences) == sorted(confidences)
        if len(self.points) < 2 or not inside or not steady:  # noqa: PLR2004 - two points make a line
            raise ValueError("confidences must list at least two points 0..1, raws rising, confidences not falling")

    def of(self, raw: Floats) -> Floats:
        """Confidences 0..1 of raw scores of any shape: linear between the points."""
        raws, confidences = zip(*self.points, strict=True)
        return np.asarray(np.interp(raw, raws, confidences), np.float32)

    def raw(self, confidence: float) -> float:
        """The least raw score that has this confidence; above 1 when none has."""
        for (low, least), (high, most) in itertools.pairwise(self.points):
            if confidence <= least:
                return low
            if confidence <= most:
                return low + (high - low) * (confidence - least) / (most - least)
        return math.inf


UNCALIBRATED = Confidences(((0.0, 0.0), (1.0, 1.0)), "uncalibrated")


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

    def false_positive_rate(self, similarity: float, size: int) -> float:
        """How likely a search for somebody who is not enrolled finds a match at this similarity or above, 0..1.

        The false-positive identification rate (FPIR) if the enrolled were independent of one another:
        1 - (1 - FMR)^size. Source: ISO/IEC 19795-1, 1:N from 1:1 rates. Args: size: enrolled faces (or users).
        """
        rate = self.false_match_rate(self.cosine(similarity))
        return -math.expm1(size * math.log1p(-rate)) if rate < 1 else float(size > 0)

    def similarity_for(self, false_positive_rate: float, size: int) -> float | None:
        """The least similarity at which a search of `size` faces keeps to a false-positive identification rate.

        Args: false_positive_rate: above 0 and below 1. Returns: 0..1, the inverse of `false_positive_rate`; None where
        that needs a false match rate smaller than any that was measured.
        """
        wanted = -math.expm1(math.log1p(-false_positive_rate) / max(size, 1))
        cosines, rates = zip(*self.false_match_rates, strict=True)
        if wanted < rates[-1] * (1 - 1e-9):
            return None
        logs = [-math.log10(rate) for rate in rates]
        if wanted > rates[0]:
            slope = (cosines[1] - cosines[0]) / (logs[1] - logs[0])
            return self.similarity(max(-1.0, cosines[0] + slope * (-math.log10(wanted) - logs[0])))
        return self.similarity(float(np.interp(-math.log10(wanted), logs, cosines)))
