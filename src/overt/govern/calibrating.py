# SPDX-License-Identifier: Apache-2.0
"""From a model's raw scores to confidences that say how often it is right, fitted on judged answers. Knows no model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.govern.accuracy import Scores

Curve = tuple[tuple[float, float], ...]
Judged = npt.NDArray[np.bool_]

_POINTS = 12
"""Most points of a curve: what a person can still read."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted curve and what it gains.

    curve: (raw score, confidence), from (0, 0) to (1, 1), scores rising, confidences never falling; linear between the
    points. answers: judged ones it was fitted on. error_before, error_after: expected calibration error, 0..1, of raw
    scores and of confidences. The second is worked out on answers the curve had not seen: each fifth of them with a
    curve fitted on the rest; NaN with fewer than five.
    """

    curve: Curve
    answers: int
    error_before: float
    error_after: float


def fit(scores: Scores, right: Judged, *, points: int = _POINTS) -> Fit:
    """The confidences of raw scores, and how much better they tell how often the answers are right.

    Args and raises: as `fit_confidences`.
    """
    curve = fit_confidences(scores, right, points=points)
    return Fit(curve, len(scores), calibration_error(scores, right), _unseen_error(scores, right, points))


def fit_confidences(scores: Scores, right: Judged, *, points: int = _POINTS) -> Curve:
    """The curve from raw score to share of right answers: isotonic regression, thinned to straight pieces.

    Args: scores: (n,) 0..1. right: (n,) whether each answer was. points: most points of the curve, at least 2.
    Raises: ValueError when there are no answers, the lengths differ or a score is outside 0..1.
    Source: B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
    KDD 2002.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to import, and only evaluations fit

    if not len(scores) or scores.shape != right.shape or not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError("scores and judgements must be as many, at least one, and scores 0..1")
    raw, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    shares = np.bincount(place, right) / counts
    steps = isotonic_regression(shares, weights=counts)
    return _thinned(raw, np.asarray(steps.x), counts.astype(np.float64), np.asarray(steps.blocks), points)


def confidences(curve: Curve, scores: Scores) -> Scores:
    """The confidences of raw scores, (n,) 0..1."""
    raw, values = zip(*curve, strict=True)
    return np.asarray(np.interp(scores, raw, values), np.float64)


def calibration_error(stated: Scores, right: Judged, bins: int = 15) -> float:
    """How far stated confidences lie from the share of right answers, 0..1, on average over the answers.

    Answers are cut into bins of equal width. Args: stated: (n,) 0..1, n > 0. right: (n,).
    Source: C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    place = np.minimum((stated * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, stated - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(stated))


def _unseen_error(scores: Scores, right: Judged, points: int, folds: int = 5) -> float:
    if len(scores) < folds:
        return float("nan")
    fold = np.random.default_rng(0).permutation(len(scores)) % folds
    stated = np.empty(len(scores))
    for one in range(folds):
        curve = fit_confidences(scores[fold != one], right[fold != one], points=points)
        stated[fold == one] = confidences(curve, scores[fold == one])
    return calibration_error(stated, right)


def _thinned(raw: Scores, values: Scores, counts: Scores, blocks: npt.NDArray[np.integer], points: int) -> Curve:
    """The steps as at most `points` points: those are added that lessen the squared error most.

    Args: raw, values, counts: (m,) distinct scores, their fitted values and how many answers have each. blocks: where
    each run of equal values begins, and the end.
    """
    spans = [slice(begin, end) for begin, end in itertools.pairwise(blocks)]
    # A step stands at the middle of its answers; its ends are offered too, where the curve must stay level.
    offered = [(float(np.average(raw[span], weights=counts[span])), float(values[span][0])) for span in spans]
    offered += [(float(raw[at]), float(values[at])) for span in spans for at in (span.start, span.stop - 1)]
    candidates = sorted({point for point in offered if 0 < point[0] < 1})
    chosen: list[tuple[float, float]] = [(0.0, 0.0), (1.0, 1.0)]

    def error(curve: Sequence[tuple[float, float]]) -> float:
        return float(counts @ (confidences(tuple(curve), raw) - values) ** 2)

    least = error(chosen)
    while len(chosen) < points and candidates:
        tries = [(error(sorted([*chosen, point])), point) for point in candidates]
        lower, best = min(tries)
        if lower >= least:
            break
        chosen, least = sorted([*chosen, best]), lower
        candidates = [point for point in candidates if point[0] != best[0]]
    return tuple(chosen)
