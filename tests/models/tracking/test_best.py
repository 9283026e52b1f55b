# SPDX-License-Identifier: Apache-2.0
"""A face is offered again only where it is clearly better, and each shortcoming makes it worse."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from overt.models.tracking.best import BestSights, worth
from overt.types import Box, Face, Pose, Quality

SIZE = (1920, 1080)
POINTS = np.array([[0.42, 0.4], [0.58, 0.4], [0.5, 0.5], [0.44, 0.6], [0.56, 0.6]], np.float32)
GOOD = Face(Box(0.4, 0.3, 0.1, 0.2), 0.95, POINTS, pose=Pose(0, 0, 0), quality=Quality(0.5, 0.8))


@pytest.mark.parametrize(
    "worse",
    [
        replace(GOOD, box=Box(0.4, 0.3, 0.02, 0.04)),
        replace(GOOD, pose=Pose(0, 60, 0)),
        replace(GOOD, pose=Pose(0, 0, -50)),
        replace(GOOD, quality=Quality(0.5, 0.2)),
        replace(GOOD, confidence=0.6),
    ],
)
def test_each_shortcoming_makes_a_face_worth_less(worse: Face) -> None:
    assert worth(worse, *SIZE) < 0.75 * worth(GOOD, *SIZE)


def test_what_the_embedder_cannot_see_adds_nothing() -> None:
    assert worth(replace(GOOD, box=Box(0.1, 0.1, 0.4, 0.8)), *SIZE) == worth(GOOD, *SIZE)
    assert worth(replace(GOOD, pose=Pose(30, 0, 0)), *SIZE) == worth(GOOD, *SIZE)


def test_a_face_turned_away_is_worth_nothing_and_is_taken_only_first() -> None:
    away = replace(GOOD, pose=Pose(0, 120, 0))
    assert worth(away, *SIZE) == 0
    best = BestSights(*SIZE)
    assert best.offer(1, away)
    assert not best.offer(1, away)
    assert best.offer(1, GOOD)


def test_the_points_tell_the_pose_where_it_is_not_described() -> None:
    bare = replace(GOOD, pose=None, quality=None)
    turned = replace(bare, points=POINTS + np.array([[0, 0], [0, 0], [0.06, 0], [0, 0], [0, 0]], np.float32))
    assert 0 < worth(turned, *SIZE) < worth(bare, *SIZE) <= 1


def test_only_first_and_clearly_better_faces_are_taken() -> None:
    best = BestSights(*SIZE)
    blurred = replace(GOOD, quality=Quality(0.5, 0.3))
    assert best.offer(7, blurred)
    assert not best.offer(7, replace(GOOD, quality=Quality(0.5, 0.35)))
    assert best.offer(7, GOOD)
    assert not best.offer(7, blurred)
    assert best.offer(8, blurred)
    best.drop(7)
    best.drop(99)
    assert best.offer(7, blurred)


def test_a_face_that_comes_nearer_is_embedded_a_few_times_only() -> None:
    best = BestSights(*SIZE)
    sides = np.linspace(0.005, 0.3, 1000)
    taken = sum(best.offer(0, replace(GOOD, box=Box(0.1, 0.1, side, side * 16 / 9))) for side in sides.tolist())
    assert 2 <= taken <= 13


def test_it_goes_on_from_its_state() -> None:
    best = BestSights(*SIZE)
    best.offer(3, replace(GOOD, confidence=0.7))
    again = BestSights.of(json.loads(json.dumps(best.state())))
    assert again.state() == best.state()
    assert not again.offer(3, replace(GOOD, confidence=0.8))
    assert again.offer(3, GOOD)
