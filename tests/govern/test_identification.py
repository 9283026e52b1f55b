# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from overt.govern import identification
from overt.govern.identification import Labelled, Searches

GENUINE, SIZE = 3.0, 50  # mates score normally around 3, others around 0, both with a spread of 1


def drawn(random: np.random.Generator, searches: int) -> Searches:
    others = random.standard_normal((searches, SIZE - 1))
    mates = random.normal(GENUINE, 1, searches)
    ranks = 1 + (others >= mates[:, np.newaxis]).sum(axis=1)
    tops = random.standard_normal((searches, SIZE)).max(axis=1)
    numbers = np.arange(searches)
    return Searches(SIZE, mates, ranks, numbers, tops, numbers)


def fpir(threshold: float) -> float:
    return float(1 - norm.cdf(threshold) ** SIZE)


def fnir_at_one(threshold: float) -> float:
    """The right one is first and at the threshold unless another is above it."""
    return 1 - quad(lambda score: norm.pdf(score - GENUINE) * norm.cdf(score) ** (SIZE - 1), threshold, np.inf)[0]


@pytest.mark.parametrize("threshold", [1.5, 2.5, 3.5])
def test_intervals_hold_the_truth_as_often_as_they_say(threshold: float) -> None:
    random = np.random.default_rng(11)
    held = np.zeros(4)
    rounds = 200
    truths = (fpir(threshold), fnir_at_one(threshold), norm.cdf(threshold - GENUINE), 1 - fnir_at_one(-np.inf))
    for _ in range(rounds):
        searches = drawn(random, 300)
        told = (
            searches.fpir(threshold),
            searches.fnir(threshold, 1),
            searches.fnir(threshold, SIZE),
            searches.cmc(1)[0],
        )
        held += [figure.low <= truth <= figure.high for figure, truth in zip(told, truths, strict=True)]
    assert (held >= 0.93 * rounds).all()


def test_the_curve_and_the_operating_points_lie_where_the_closed_forms_do() -> None:
    searches = drawn(np.random.default_rng(5), 20_000)
    for threshold, false, missed in searches.det(SIZE)[::20]:
        assert false == pytest.approx(fpir(threshold), abs=0.012)
        assert missed == pytest.approx(norm.cdf(threshold - GENUINE), abs=0.012)
    threshold = searches.threshold(0.01)
    assert threshold == pytest.approx(norm.ppf(0.99 ** (1 / SIZE)), abs=0.1)
    assert searches.fpir(threshold).value <= 0.01
    assert searches.cmc(5)[4].value == pytest.approx((searches.ranks <= 5).mean())


def test_a_rate_that_too_few_people_can_show_is_not_told() -> None:
    searches = drawn(np.random.default_rng(5), 99)
    assert searches.threshold(0.01) is None
    assert searches.threshold(0.02) is not None


def test_repeats_steady_a_figure_and_do_not_narrow_its_interval() -> None:
    once = Searches(1, np.zeros(0), np.zeros(0, int), np.zeros(0, int), np.array([1.0] * 2 + [0.0] * 8), np.arange(10))
    often = Searches(1, once.mates, once.ranks, once.sought, np.tile(once.tops, 50), np.tile(once.strangers, 50))
    assert often.fpir(0.5).searches == 500
    assert (often.fpir(0.5).low, often.fpir(0.5).high) == (once.fpir(0.5).low, once.fpir(0.5).high)
    assert once.fnir(0.5, 1) is None
    assert once.det(1) == []


def test_people_are_enrolled_by_one_picture_and_looked_for_by_another() -> None:
    random = np.random.default_rng(2)
    centres = random.standard_normal((40, 64)) * 3
    rows = np.repeat(centres, 3, axis=0) + random.standard_normal((120, 64))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    people = [[3 * one, 3 * one + 1, 3 * one + 2] for one in range(40)]
    searches = identification.repeat(Labelled(vectors, np.ones(120, bool), people), 10, 7, random)
    assert (searches.size, len(searches.mates), len(searches.tops)) == (10, 70, 210)
    assert (searches.ranks == 1).all()
    assert searches.mates.max() < 0.999  # never a picture with itself
    assert not set(searches.sought[:10]) & set(searches.strangers[:30])
    assert searches.tops.max() < searches.mates.min()


def test_a_picture_without_a_face_is_a_miss_and_no_false_alert() -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 1]]
    present = np.array([True, False, True, False])
    searches = identification.repeat(Labelled(vectors, present, [[0, 1], [2, 3]]), 1, 40, np.random.default_rng(0))
    assert searches.fnir(-1.0, 1).value == 1
    assert searches.fpir(-1.0).value < 1
    assert searches.fpir(0.5).value == 0


@pytest.mark.parametrize("size", [0, 2])
def test_a_gallery_that_leaves_no_stranger_is_refused(size: int) -> None:
    two = Labelled(np.eye(2, dtype=np.float32), np.ones(2, bool), [[0], [1]])
    with pytest.raises(ValueError, match="stranger"):
        identification.repeat(two, size, 1, np.random.default_rng(0))
