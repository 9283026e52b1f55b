# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from overt.govern import accuracy, tagging


def test_the_true_label_counts_when_it_is_among_the_first_k() -> None:
    ranked = [["cat", "dog", "cow"], ["dog", "cat"], ["cow"], []]
    truth = ["cat", "cat", "cat", "cat"]
    assert tagging.top(1, ranked, truth) == accuracy.rate(1, 4)
    assert tagging.top(2, ranked, truth) == accuracy.rate(2, 4)
    assert tagging.top(5, [("cow", "dog")], ["cow"]).value == 1


def test_answers_and_truths_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        tagging.top(1, [], [])
    with pytest.raises(ValueError, match=r"zip\(\)"):
        tagging.top(1, [["cat"]], ["cat", "dog"])


def test_figures_of_a_label_at_a_threshold() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.1])
    truth = np.array([True, False, True, True, False, False])
    found = tagging.tag("Weapons", scores, truth, 0.7)
    assert found.precision == accuracy.rate(2, 3)
    assert found.recall == accuracy.rate(2, 3)
    assert found.false_alarms == accuracy.rate(1, 3)
    assert found.f1 == pytest.approx(2 / 3)
    # Steps of recall at ranks 1, 3 and 4.
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 3)


def test_what_there_is_nothing_of_has_no_rate() -> None:
    none_true = tagging.tag("Drugs", np.array([0.9, 0.1]), np.array([False, False]), 0.5)
    assert none_true.recall is None
    assert none_true.precision.value == 0
    assert math.isnan(none_true.f1)
    assert math.isnan(none_true.average_precision)
    none_given = tagging.tag("Drugs", np.array([0.2, 0.1]), np.array([True, True]), 0.5)
    assert (none_given.precision, none_given.false_alarms, none_given.f1) == (None, None, 0.0)
    assert none_given.recall.value == 0


def test_equal_scores_gain_nothing_from_their_order() -> None:
    scores, truth = np.full(10, 0.5), np.arange(10) < 3
    assert tagging.average_precision(scores, truth) == tagging.average_precision(scores, truth[::-1]) == 0.3


def test_average_precision_of_random_scores_is_the_share_of_true_ones() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(20_000) < 0.2
    assert tagging.average_precision(rng.random(20_000), truth) == pytest.approx(0.2, abs=0.01)
    assert tagging.average_precision(truth.astype(float), truth) == 1


@pytest.mark.parametrize(("scores", "truth"), [([], []), ([0.5], [True, False]), ([0.5, math.nan], [True, False])])
def test_what_cannot_be_measured_is_refused(scores: list[float], truth: list[bool]) -> None:
    with pytest.raises(ValueError, match="Weapons"):
        tagging.tag("Weapons", np.array(scores), np.array(truth, np.bool_), 0.5)
