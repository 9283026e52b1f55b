# SPDX-License-Identifier: Apache-2.0
"""How often the labels given to whole pictures are right, with exact intervals. Knows names and scores, not pictures.

Two ways to ask: one true label a picture (is it among the first k?), and any number of labels, each true or not
(precision and recall at a threshold, and over all thresholds).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from overt.govern.accuracy import Rate, Scores, rate

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tag:
    """How well one label is given. Rates are None where there is nothing to take a share of.

    threshold: it is given to a picture at or above this score. precision: of the pictures given it, those that have
    it. recall: of those that have it, those given it. false_alarms: of those that lack it, those given it.
    average_precision: 0..1, over all thresholds; NaN when no picture has it.
    """

    name: str
    threshold: float
    precision: Rate | None
    recall: Rate | None
    false_alarms: Rate | None
    average_precision: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0..1; NaN when no picture has the label."""
        if self.recall is None:
            return math.nan
        if self.precision is None or not self.precision.count:
            return 0.0
        return 2 / (1 / self.precision.value + 1 / self.recall.value)


def top(k: int, ranked: Sequence[Sequence[Hashable]], truth: Sequence[Hashable]) -> Rate:
    """How often the true label is among the first k.

    Args: k: at least 1. ranked: the labels of each picture, surest first; may be fewer than k. truth: the true one.
    Raises: ValueError when there are no pictures, or not as many answers as truths.
    """
    if not truth:
        raise ValueError("no pictures to measure on")
    hits = sum(true in list(labels)[:k] for labels, true in zip(ranked, truth, strict=True))
    return rate(hits, len(truth))


def tag(name: str, scores: Scores, truth: Truths, threshold: float) -> Tag:
    """How well one label is given.

    Args: scores: (n,) of each picture, higher = surer. truth: (n,) whether it has the label.
    Raises: ValueError when there are no pictures, the lengths differ or a score is NaN.
    """
    if not len(scores) or scores.shape != truth.shape or np.isnan(scores).any():
        raise ValueError(f"{name}: scores and truths must be as many, at least one, and numbers")
    given = scores >= threshold
    right, has = int((given & truth).sum()), int(truth.sum())
    return Tag(
        name,
        threshold,
        precision=_share(right, int(given.sum())),
        recall=_share(right, has),
        false_alarms=_share(int((given & ~truth).sum()), len(truth) - has),
        average_precision=average_precision(scores, truth),
    )


def average_precision(scores: Scores, truth: Truths) -> float:
    """The mean of the precisions at each step of recall, 0..1; equal scores are one step. NaN when nothing is true.

    Args: scores, truth: as `tag`. Source: C. D. Manning et al., "Introduction to Information Retrieval" (2008), 8.4,
    not interpolated.
    """
    if not truth.any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(truth[order])
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    precision, recall = right[last] / (last + 1), right[last] / right[-1]
    return float(precision @ np.diff(recall, prepend=0.0))


def _share(count: int, trials: int) -> Rate | None:
    return rate(count, trials) if trials else None
