# SPDX-License-Identifier: Apache-2.0
"""Similarities and false match rates are monotone and go through the measured points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.models.calibration import Calibration, Confidences
from overt.models.pack import Pack

CURVE = Calibration(
    "m", "cosine", "1", "test", ((0.2, 1e-1), (0.3, 1e-2), (0.5, 1e-6)), ((-1.0, 0.0), (0.3, 0.8), (1.0, 1.0)), ()
)


def test_points() -> None:
    assert CURVE.similarity(0.3) == pytest.approx(0.8)
    assert CURVE.false_match_rate(0.2) == pytest.approx(1e-1)
    assert CURVE.false_match_rate(0.25) == pytest.approx(10**-1.5)
    assert CURVE.false_match_rate(0.9) == pytest.approx(1e-6)  # nothing smaller was measured
    assert CURVE.false_match_rate(-1) == 1


def test_the_packs_thresholds(pack: Pack) -> None:
    assert pack.calibration is not None
    assert pack.calibration.cosine(0.8) == pytest.approx(0.363)
    assert pack.calibration.false_match_rate(0.363) == pytest.approx(1e-3)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_monotone(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert CURVE.similarity(low) <= CURVE.similarity(high)
    assert CURVE.false_match_rate(low) >= CURVE.false_match_rate(high)


@given(st.floats(0, 1))
def test_inverse(similarity: float) -> None:
    assert CURVE.similarity(CURVE.cosine(similarity)) == pytest.approx(similarity, abs=1e-9)


def test_curves_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ValueError, match="similarities"):
        Calibration("m", "cosine", "1", "t", CURVE.false_match_rates, ((0.0, 0.5), (1.0, 0.4)), ())


CONFIDENCES = Confidences(((0.0, 0.0), (0.2, 0.1), (0.5, 0.8), (1.0, 1.0)), "made up")


def test_confidences_are_linear_between_points() -> None:
    assert CONFIDENCES.of(np.float32([0, 0.1, 0.35, 0.5, 0.75, 1])).tolist() == pytest.approx(
        [0, 0.05, 0.45, 0.8, 0.9, 1]
    )


@given(st.floats(0, 1))
def test_the_least_raw_score_of_a_confidence(confidence: float) -> None:
    raw = CONFIDENCES.raw(confidence)
    assert float(CONFIDENCES.of(np.float32(raw))) == pytest.approx(confidence, abs=1e-6)


def test_a_confidence_that_none_reaches_has_no_raw_score() -> None:
    capped = Confidences(((0.0, 0.0), (0.5, 0.9), (1.0, 0.9)), "made up")
    assert capped.raw(0.9) == pytest.approx(0.5)
    assert capped.raw(0.95) == math.inf


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0.0, 0.0),),
        ((0.5, 0.0), (0.5, 1.0)),
        ((0.0, 0.5), (1.0, 0.4)),
        ((0.0, 0.0), (1.0, 1.1)),
        ((-0.1, 0.0), (1, 1)),
    ],
)
def test_confidences_that_cannot_be_read_are_refused(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="confidences"):
        Confidences(points, "made up")


@given(st.floats(0.3, 1), st.integers(0, 10**7))
def test_false_positives_grow_with_the_gallery_and_fall_with_the_threshold(similarity: float, size: int) -> None:
    rate = CURVE.false_positive_rate(similarity, size)
    assert 0 <= rate <= CURVE.false_positive_rate(similarity, size + 1000) <= 1
    assert rate >= CURVE.false_positive_rate(min(1.0, similarity + 0.05), size)


def test_a_few_false_positives_are_as_many_as_pairs_times_their_rate(pack: Pack) -> None:
    curve = pack.calibration
    assert curve is not None
    assert curve.false_positive_rate(0.9, 100) == pytest.approx(100 * 1e-4, rel=0.01)
    assert curve.false_positive_rate(0.8, 5000) == pytest.approx(1 - (1 - 1e-3) ** 5000)
    assert curve.false_positive_rate(0.8, 0) == 0


@given(st.floats(0.001, 0.9), st.integers(1, 10**7))
def test_the_threshold_of_a_rate_keeps_to_it(rate: float, size: int) -> None:
    least = CURVE.similarity_for(rate, size)
    if least is None:  # it would need fewer false matches than the fewest measured, one in a million
        assert 1 - (1 - rate) ** (1 / size) < 1e-6
    elif least > 0:
        assert CURVE.false_positive_rate(least, size) == pytest.approx(rate, rel=1e-3)
