# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from overt.govern import accuracy


@pytest.mark.parametrize(("count", "trials"), [(0, 535), (1, 10), (28, 535), (50, 50), (999, 1000)])
def test_intervals_are_the_exact_binomial_ones(count: int, trials: int) -> None:
    rate = accuracy.rate(count, trials)
    exact = binomtest(count, trials).proportion_ci(method="exact")
    assert (rate.low, rate.high) == pytest.approx((exact.low, exact.high))
    assert rate.value == count / trials


def test_true_match_rates_are_those_of_the_distributions_drawn_from() -> None:
    rng = np.random.default_rng(7)
    genuine, impostor = rng.normal(0.69, 0.11, 20_000), rng.normal(0.09, 0.09, 200_000)
    for fmr in (1e-2, 1e-3, 1e-4):
        point = accuracy.operating_point(genuine, impostor, fmr)
        threshold = norm.isf(fmr, 0.09, 0.09)
        assert point.threshold == pytest.approx(threshold, abs=0.02)
        assert point.tmr.low - 0.01 <= norm.sf(threshold, 0.69, 0.11) <= point.tmr.high + 0.01
        assert (impostor >= point.threshold).mean() <= fmr


def test_a_rate_that_cannot_be_observed_is_not_told() -> None:
    point = accuracy.operating_point(np.ones(10), np.zeros(999), 1e-3)
    assert (point.tmr, point.threshold, point.impostors_needed) == (None, None, 1000)
    assert accuracy.operating_point(np.ones(10), np.zeros(1000), 1e-3).tmr.value == 1


def test_equal_impostor_scores_are_never_let_in_beyond_the_rate() -> None:
    impostor = np.array([0.5] * 10 + [0.1] * 90)
    point = accuracy.operating_point(np.array([0.5, 0.6]), impostor, 0.05)
    assert (impostor >= point.threshold).mean() <= 0.05
    assert point.tmr.count == 1


def test_the_best_threshold_parts_what_can_be_parted() -> None:
    assert accuracy.best_threshold(np.array([0.7, 0.8]), np.array([0.1, 0.3])) == pytest.approx(0.5)
    mixed = accuracy.best_threshold(np.array([0.2, 0.7, 0.8]), np.array([0.1, 0.3]))
    assert 0.3 < mixed < 0.7 or 0.1 < mixed < 0.2


def test_accuracy_of_a_fold_uses_the_threshold_of_the_others() -> None:
    scores = np.array([0.9, 0.1, 0.9, 0.1, 0.4, 0.3])
    same = np.array([True, False, True, False, False, True])
    folds = np.array([0, 0, 1, 1, 2, 2])
    assert accuracy.fold_accuracies(scores, same, folds)[2] == 0.5
