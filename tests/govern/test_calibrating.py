# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from overt.govern import calibrating


def judged(answers: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a model that claims too much: right with the cube of what it says."""
    rng = np.random.default_rng(seed)
    scores = rng.random(answers)
    return scores, rng.random(answers) < scores**3


def test_the_curve_recovers_how_often_answers_are_right() -> None:
    curve = calibrating.fit_confidences(*judged(20_000))
    raw = np.linspace(0.05, 0.95, 19)
    assert calibrating.confidences(curve, raw) == pytest.approx(raw**3, abs=0.04)


@pytest.mark.parametrize("answers", [1, 2, 10, 300, 5000])
def test_curves_are_short_and_rise_from_corner_to_corner(answers: int) -> None:
    curve = calibrating.fit_confidences(*judged(answers))
    raw, values = zip(*curve, strict=True)
    assert 2 <= len(curve) <= 12
    assert (curve[0], curve[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert all(a < b for a, b in itertools.pairwise(raw))
    assert list(values) == sorted(values)


def test_fewer_points_can_be_asked_for() -> None:
    assert len(calibrating.fit_confidences(*judged(5000), points=4)) <= 4
    assert calibrating.fit_confidences(*judged(5000), points=2) == ((0, 0), (1, 1))


def test_a_level_stretch_stays_level() -> None:
    rng = np.random.default_rng(2)
    scores = rng.random(20_000)
    right = rng.random(20_000) < np.where(scores < 0.5, 0.2, 0.8)
    curve = calibrating.fit_confidences(scores, right)
    assert calibrating.confidences(curve, np.array([0.1, 0.4, 0.6, 0.9])) == pytest.approx(
        [0.2, 0.2, 0.8, 0.8], abs=0.05
    )


def test_calibration_lessens_the_error_on_answers_not_seen() -> None:
    fitted = calibrating.fit(*judged(4000))
    assert fitted.answers == 4000
    assert fitted.error_before == pytest.approx(0.25, abs=0.02)  # the mean of x - x^3
    assert fitted.error_after < 0.05
    scores, right = judged(4000, seed=9)
    assert calibrating.calibration_error(calibrating.confidences(fitted.curve, scores), right) < 0.04


def test_the_error_told_is_not_the_flattering_one_of_the_answers_fitted_on() -> None:
    rng = np.random.default_rng(4)
    scores, right = rng.random(40), rng.random(40) < 0.5
    fitted = calibrating.fit(scores, right)
    flattering = calibrating.calibration_error(calibrating.confidences(fitted.curve, scores), right)
    assert fitted.error_after > flattering
    assert math.isnan(calibrating.fit(scores[:4], right[:4]).error_after)


def test_the_error_is_the_gap_between_said_and_seen() -> None:
    stated = np.array([0.9] * 10 + [0.3] * 10)
    right = np.array([True] * 8 + [False] * 2 + [True] * 3 + [False] * 7)
    assert calibrating.calibration_error(stated, right) == pytest.approx(0.05)
    assert calibrating.calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, 1.5], [0.5, float("nan")]])
def test_what_cannot_be_fitted_is_refused(scores: list[float]) -> None:
    right = np.array([True, False]) if scores else np.array([], np.bool_)
    with pytest.raises(ValueError, match="scores"):
        calibrating.fit_confidences(np.array(scores), right)
