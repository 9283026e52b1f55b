# SPDX-License-Identifier: Apache-2.0
"""How often a comparison is wrong: error rates of scored pairs, with exact intervals. Knows scores, not pictures.

Terms and operating points as in ISO/IEC 19795-1: a false match is an impostor pair at or above the threshold, a true
match a genuine pair there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of trials. low and high: its exact 95 % confidence interval."""

    count: int
    trials: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The observed share, 0..1."""
        return self.count / self.trials


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The true-match rate where at most `fmr` of the impostor pairs match.

    threshold: the least such score; None, with no rate, when there are too few impostor pairs to observe that FMR.
    """

    fmr: float
    threshold: float | None
    tmr: Rate | None
    impostors_needed: int


def interval(count: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share, `count` of `trials`; neither need be whole, where trials stand for others.

    Source: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934).
    """
    from scipy.stats import beta  # noqa: PLC0415 - 0.5 s that only evaluations pay

    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else float(beta.ppf(tail, count, trials - count + 1))
    high = 1.0 if count == trials else float(beta.ppf(1 - tail, count + 1, trials - count))
    return low, high


def rate(count: int, trials: int) -> Rate:
    """`count` of `trials` with its exact 95 % interval."""
    return Rate(count, trials, *interval(count, trials))


def operating_point(genuine: Scores, impostor: Scores, fmr: float) -> OperatingPoint:
    """TMR at a false-match rate.

    Args: genuine, impostor: (n,) float64 scores, higher = more alike. fmr: 0..1, exclusive of 0.
    """
    needed = int(np.ceil(1 / fmr))
    if len(impostor) < needed or len(genuine) == 0:
        return OperatingPoint(fmr, None, None, needed)
    allowed = int(np.floor(fmr * len(impostor) + 1e-9))
    highest = np.sort(impostor)[::-1]
    threshold = float(np.nextafter(highest[allowed], np.inf)) if allowed < len(impostor) else float(highest[-1])
    return OperatingPoint(fmr, threshold, rate(int((genuine >= threshold).sum()), len(genuine)), needed)


def best_threshold(genuine: Scores, impostor: Scores) -> float:
    """The threshold with the fewest errors on these pairs (the middle between the two scores it separates)."""
    scores = np.concatenate([genuine, impostor])
    order = np.argsort(scores, kind="stable")
    labels = np.concatenate([np.ones(len(genuine)), np.zeros(len(impostor))])[order]
    # Errors when the first i scores are rejected: genuine ones among them, and impostors behind them.
    errors = np.concatenate([[0], np.cumsum(labels)]) + np.concatenate([np.cumsum((1 - labels)[::-1])[::-1], [0]])
    cut = int(np.argmin(errors))
    ordered = np.concatenate([[-1.0], scores[order], [1.0]])
    return float((ordered[cut] + ordered[cut + 1]) / 2)


def fold_accuracies(scores: Scores, same: npt.NDArray[np.bool_], folds: npt.NDArray[np.int_]) -> Scores:
    """Accuracy on each fold at the best threshold of the other folds.

    Args: scores, same, folds: (n,) each; same is True for genuine pairs, folds numbers from 0.
    Returns: (number of folds,) accuracies 0..1.
    Source: G. B. Huang et al., "Labeled Faces in the Wild", View 2 protocol (2007).
    """
    accuracies = []
    for fold in np.unique(folds):
        test = folds == fold
        train_genuine, train_impostor = scores[~test & same], scores[~test & ~same]
        threshold = best_threshold(train_genuine, train_impostor)
        accuracies.append(float(((scores[test] >= threshold) == same[test]).mean()))
    return np.asarray(accuracies)
