# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from overt.cli.albums import Picture
from overt.cli.linking import OVERLAP, Deal, Group, deal, link, pair
from overt.cli.source import SourceFace
from overt.types import Box

HERE, THERE = Box(0.1, 0.1, 0.2, 0.3), Box(0.6, 0.2, 0.2, 0.3)


def picture(key: str) -> Picture:
    return Picture(key, "1")


def face(name: str, image: str, external: str = "", box: Box = HERE) -> SourceFace:
    return SourceFace(name, image, external, "", box)


def test_pictures_and_faces_of_one_external_image_id_are_a_group() -> None:
    faces = [face("f1", "i1", "ann"), face("f2", "i2", "ann"), face("f3", "i3", "gone"), face("f4", "i4")]
    links = link([(picture("a"), "ann"), (picture("b"), "ann"), (picture("c"), "new")], faces, {})
    assert links.groups == [Group("ann", (picture("a"), picture("b")), (faces[0], faces[1]))]
    assert links.strays == [picture("c")]
    assert links.orphans == [faces[2], faces[3]]


def test_a_face_whose_picture_is_known_takes_its_image_along() -> None:
    faces = [face("f1", "i1"), face("f2", "i1", box=THERE), face("f3", "i2", "ann")]
    links = link([(picture("a"), "ann"), (picture("b"), "ann")], faces, {"f2": picture("b")})
    assert links.groups == [
        Group("", (picture("b"),), (faces[0], faces[1])),
        Group("ann", (picture("a"),), (faces[2],)),
    ]
    assert links.strays == links.orphans == []


def test_a_picture_enrolled_twice_is_one() -> None:
    group = Group("x", (picture("a"),), (face("1", "i"), face("2", "j"), face("3", "k", box=THERE)))
    assert [[one.id for one in image] for image in group.images] == [["1", "2"], ["3"]]


def test_boxes_are_paired_by_the_greatest_overlap_in_all() -> None:
    found = [THERE, HERE, Box(0.0, 0.7, 0.1, 0.1)]
    wanted = [Box(0.11, 0.12, 0.2, 0.3), Box(0.61, 0.2, 0.2, 0.3), Box(0.8, 0.8, 0.1, 0.1)]
    pairs = pair(found, wanted, OVERLAP)
    assert [(one.found, one.wanted) for one in pairs] == [(0, 1), (1, 0)]
    assert all(0.7 < one.overlap < 1 for one in pairs)
    assert pair([], wanted, OVERLAP) == pair(found, [], OVERLAP) == []


ratios = st.integers(1, 100).map(lambda percent: percent / 100)
boxes = st.builds(Box, *[ratios] * 4)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6), st.floats(0.05, 0.95))
def test_no_box_is_in_two_pairs_and_none_is_below_the_least(found: list[Box], wanted: list[Box], least: float) -> None:
    pairs = pair(found, wanted, least)
    assert len({one.found for one in pairs}) == len({one.wanted for one in pairs}) == len(pairs)
    assert all(least <= one.overlap <= 1.0001 for one in pairs)


def test_pictures_of_one_person_are_told_apart_by_where_faces_lie() -> None:
    random = np.random.default_rng(3)
    images = [[Box(*random.uniform(0.05, 0.7, 2), *random.uniform(0.1, 0.25, 2))] for _ in range(40)]
    order = random.permutation(40)
    shifted = [
        [Box(box.left + 0.004, box.top - 0.004, box.width, box.height * 1.02) for box in images[number]]
        for number in order
    ]
    deals = deal(shifted, images, OVERLAP)
    assert {one.image: one.picture for one in deals} == {int(image): at for at, image in enumerate(order)}
    assert sum(one.clear for one in deals) > 30


def test_a_picture_like_another_is_not_clear_and_one_without_its_face_is_not_dealt() -> None:
    assert deal([[HERE], [HERE], []], [[HERE]], OVERLAP) == [Deal(0, 0, clear=False)]
    assert deal([[HERE], [THERE]], [[THERE]], OVERLAP) == [Deal(0, 1, clear=True)]
    assert deal([[], [HERE]], [[THERE], [Box(0, 0, 0.1, 0.1)]], OVERLAP) == []
    assert deal([], [[HERE]], OVERLAP) == deal([[HERE]], [], OVERLAP) == []
