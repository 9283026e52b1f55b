# SPDX-License-Identifier: Apache-2.0
"""Search hits as matches: cosines on the scale that a pack is calibrated to. Knows no store."""

from __future__ import annotations

from collections.abc import Sequence

from overt.models.calibration import Calibration
from overt.types import Match, Subject

_SLACK = 1e-6  # of cosine: a threshold and its inverse may differ by float rounding


def cosine_floor(calibration: Calibration, similarity: float) -> float:
    """The least cosine that can reach a similarity (0..1)."""
    return calibration.cosine(similarity) - _SLACK


def matches(
    calibration: Calibration, hits: Sequence[tuple[Subject, float]], least: float
) -> tuple[Match[Subject], ...]:
    """Search hits (subject, cosine), best first, as matches of at least that similarity (0..1)."""
    pairs = [(rank, subject, cosine) for rank, (subject, cosine) in enumerate(hits, 1)]
    found = (Match(subject, calibration.similarity(cosine), cosine, rank) for rank, subject, cosine in pairs)
    return tuple(match for match in found if match.similarity >= least - _SLACK)
