# SPDX-License-Identifier: Apache-2.0
"""The filter learns speed, does not mind how time is cut, and is as sure as it may be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.models.tracking.kalman import TINY, Motion

BOX = np.array([[0.2, 0.5, 0.4, 0.3]])
ALL = np.array([0])


@given(first=st.floats(0, 5), second=st.floats(0, 5), pace=st.floats(0.1, 5))
def test_two_steps_are_one_as_long_as_both(first: float, second: float, pace: float) -> None:
    start = Motion.begin(BOX, pace)
    start.beliefs[0, 1] = 0.3, -0.1, 0.0, 0.0
    once, twice = start.after(first + second, pace), start.after(first, pace).after(second, pace)
    assert once.beliefs == pytest.approx(twice.beliefs)


@pytest.mark.parametrize("times", [np.arange(0, 4, 0.04), np.arange(0, 4, 0.2), np.cumsum([0.2, 0.1, 0.9, 0.4] * 3)])
def test_a_steady_walk_is_learnt_from_frames_at_any_distance(times: np.ndarray) -> None:
    speed = np.array([[0.2, 0.05, 0.0, 0.02]])
    motion = Motion.begin(BOX, 1)
    for before, now in itertools.pairwise(times.tolist()):
        motion = motion.after(now - before, 1).seen(ALL, BOX + speed * (now - times[0]))
    assert motion.beliefs[:, 1] == pytest.approx(speed, abs=0.01)
    assert motion.after(1, 1).places == pytest.approx(BOX + speed * (times[-1] - times[0] + 1), abs=0.02)


def test_noise_is_smoothed() -> None:
    random = np.random.default_rng(0)
    motion, errors = Motion.begin(BOX, 1), []
    for _ in range(250):
        motion = motion.after(0.04, 1).seen(ALL, BOX + random.normal(0, 0.05 * 0.3, (1, 4)))
        errors.append(np.abs(motion.places - BOX)[0, :2].mean())
    assert np.mean(errors[50:]) < 0.8 * 0.05 * 0.3 * np.sqrt(2 / np.pi)


def test_spreads_stay_possible() -> None:
    motion = Motion.begin(BOX, 1)
    for step in range(300):
        motion = motion.after(0.01 if step % 7 else 2.0, 1)
        motion = motion.seen(ALL, BOX) if step % 3 else motion
        _, _, place, both, speed = motion.beliefs[0]
        assert (place > 0).all()
        assert (speed >= 0).all()
        assert (both**2 <= place * speed * (1 + 1e-9) + 1e-18).all()


def test_the_longer_unseen_the_less_sure() -> None:
    motion = Motion.begin(BOX, 1)
    away = BOX + np.array([0.3, 0.0, 0.0, 0.0])
    distances = [float(motion.after(seconds, 1).distances(away)[0, 0]) for seconds in (0, 0.2, 1, 3)]
    assert distances == sorted(distances, reverse=True)
    assert motion.distances(BOX)[0, 0] == 0


def test_each_box_is_followed_as_if_it_were_alone() -> None:
    many = np.concatenate([BOX, BOX * 2, BOX + 0.1])
    together = Motion.begin(many, 1).after(0.3, 1).seen(np.array([2, 0]), many[[2, 0]] + 0.02)
    for row, is_seen in enumerate([True, False, True]):
        alone = Motion.begin(many[[row]], 1).after(0.3, 1)
        alone = alone.seen(ALL, many[[row]] + 0.02) if is_seen else alone
        assert np.array_equal(together.take(np.array([row])).beliefs, alone.beliefs)
    again = together.take(np.array([0])).joined(together.take(np.array([False, True, True])))
    assert np.array_equal(again.beliefs, together.beliefs)


def test_nothing_is_divided_by_nothing() -> None:
    flat = np.array([[0.5, 0.5, TINY, 0.0]])
    motion = Motion.begin(flat, 1).after(0.1, 1).seen(ALL, flat).after(5, 1)
    assert np.isfinite(motion.distances(flat)).all()
    assert (motion.places[:, 2:] > 0).all()
