# SPDX-License-Identifier: Apache-2.0
"""Pose follows the picture when it is turned or mirrored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from overt.models.tasks import pose
from overt.models.tasks.embed import TEMPLATE
from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.mesh import Mesh
from overt.types import Face, Image

Load = Callable[[str | Path], Image]
Describe = Callable[..., Face]
Turn = Callable[[Image, float], Image]
Change = Callable[[Image], Image]


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_turning_the_picture_turns_the_roll(
    faces: FaceTasks, load: Load, degrees: float, described: Describe, turned: Turn
) -> None:
    image = load("obama.jpg")
    before, after = (described(faces, i).pose for i in (image, turned(image, degrees)))
    assert before is not None
    assert after is not None
    assert after.roll - before.roll == pytest.approx(degrees, abs=4)
    assert after.yaw == pytest.approx(before.yaw, abs=6)
    assert after.pitch == pytest.approx(before.pitch, abs=6)


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"])
def test_the_mirror_negates_yaw_and_roll(
    faces: FaceTasks, load: Load, name: str, described: Describe, mirrored: Change
) -> None:
    image = load(name)
    before, after = (described(faces, i).pose for i in (image, mirrored(image)))
    assert before is not None
    assert after is not None
    assert after.roll == pytest.approx(-before.roll, abs=4)
    assert after.yaw == pytest.approx(-before.yaw, abs=6)
    assert after.pitch == pytest.approx(before.pitch, abs=5)


def test_signs_by_eye(faces: FaceTasks, load: Load, described: Describe) -> None:
    """In obama2.jpg he looks to the left side of the picture, in obama3.jpg he lifts his chin."""
    aside, lifted = (described(faces, load(name)).pose for name in ("obama2.jpg", "obama3.jpg"))
    assert aside is not None
    assert lifted is not None
    assert aside.yaw < -5
    assert lifted.pitch > 8


def test_five_points_give_a_like_pose(faces: FaceTasks, load: Load, described: Describe) -> None:
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"):
        image = load(name)
        face = described(faces, image)
        rough = pose.from_points(face.points * np.float32([image.width, image.height]))
        assert face.pose is not None
        assert rough.roll == pytest.approx(face.pose.roll, abs=10)
        assert rough.yaw == pytest.approx(face.pose.yaw, abs=15)


@given(st.floats(-170, 170))
def test_five_points_turn_with_the_picture(degrees: float) -> None:
    """Only the roll follows; what is left is the same head."""
    level = np.float32(TEMPLATE)
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = pose.from_points(level), pose.from_points(np.float32(level @ rotation.T))
    assert (after.roll - before.roll - degrees + 180) % 360 - 180 == pytest.approx(0, abs=0.1)
    assert after.yaw == pytest.approx(before.yaw, abs=0.1)
    assert after.pitch == pytest.approx(before.pitch, abs=0.1)


@given(hnp.arrays(np.float32, (5, 2), elements=st.floats(-1000, 1000, width=32)))
def test_any_five_points_give_angles_that_can_be(points: np.ndarray) -> None:
    """Even five points in one place: a face is never answered with a pose that is no number."""
    head = pose.from_points(points)
    assert abs(head.roll) <= 180
    assert abs(head.yaw) <= 90
    assert abs(head.pitch) <= 90


@given(hnp.arrays(np.float32, (468, 3), elements=st.floats(-1000, 1000, width=32)))
@settings(max_examples=30)
def test_any_mesh_gives_angles_that_can_be(points: np.ndarray) -> None:
    head = pose.from_mesh(Mesh(points, 0.0))
    assert max(abs(head.roll), abs(head.yaw), abs(head.pitch)) <= 180
