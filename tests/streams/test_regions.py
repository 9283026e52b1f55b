# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest

from overt.streams.regions import Regions
from overt.types import Box, Region

LEFT_HALF = Region(Box(0.0, 0.0, 0.5, 1.0))
TRIANGLE = Region(polygon=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))


def test_no_regions_are_everywhere() -> None:
    assert Regions().holds(Box(0.9, 0.9, 0.1, 0.1))
    assert Regions().holds(Box(-0.5, 0.9, 0.1, 0.1))


def test_half_of_a_thing_must_lie_in_a_box() -> None:
    lefts = (0.0, 0.3, 0.399, 0.401, 0.5, 0.8)
    held = [left for left in lefts if Regions([LEFT_HALF]).holds(Box(left, 0.2, 0.2, 0.2))]
    assert held == [0.0, 0.3, 0.399]


def test_a_polygon_is_what_its_sides_enclose() -> None:
    regions = Regions([TRIANGLE])
    assert regions.holds(Box(0.1, 0.1, 0.2, 0.2))
    assert regions.holds(Box(0.41, 0.41, 0.17, 0.17))  # a little more than half
    assert not regions.holds(Box(0.45, 0.45, 0.2, 0.2))
    hollow = Region(polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.9, 1.0), (0.9, 0.1), (0.0, 0.1)))
    assert not Regions([hollow]).holds(Box(0.2, 0.4, 0.4, 0.4))


def test_regions_count_together_and_what_two_share_counts_once() -> None:
    lower, upper = Region(Box(0.4, 0.0, 0.2, 0.3)), Region(Box(0.4, 0.3, 0.2, 0.3))
    thing = Box(0.4, 0.1, 0.2, 0.8)
    assert not Regions([lower]).holds(thing)
    assert not Regions([upper]).holds(thing)
    assert Regions([lower, upper]).holds(thing)
    assert not Regions([upper, upper]).holds(thing)


def test_what_lies_beyond_the_picture_does_not_count() -> None:
    everywhere = Regions([Region(Box(0.0, 0.0, 1.0, 1.0))])
    assert everywhere.holds(Box(-0.9, 0.0, 1.0, 0.5))
    assert not everywhere.holds(Box(-0.9, 0.0, 0.5, 0.5))
    assert not everywhere.holds(Box(0.5, 0.5, 0.0, 0.1))


def test_sums_of_ratios_may_miss_one_by_a_hair() -> None:
    assert Regions([Region(Box(0.7, 0.1, 0.1 + 0.2 + 1e-9, 0.9))]).holds(Box(0.8, 0.8, 0.1, 0.1))


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (Region(), "either a box or a polygon"),
        (Region(Box(0, 0, 1, 1), TRIANGLE.polygon), "either a box or a polygon"),
        (Region(Box(0.2, 0.2, 0.0, 0.5)), "no area"),
        (Region(Box(0.5, 0.2, -0.2, 0.5)), "no area"),
        (Region(Box(0.5, 0.2, 0.6, 0.5)), "from 0 to 1"),
        (Region(Box(math.nan, 0.2, 0.6, 0.5)), "from 0 to 1"),
        (Region(polygon=((0.0, 0.0), (1.0, 0.0))), "at least 3 different corners, not 2"),
        (Region(polygon=((0.0, 0.0), (1.0, 0.0), (0.0, 0.0))), "at least 3 different corners, not 2"),
        (Region(polygon=((0.0, 0.0), (0.0, 10.0), (10.0, 0.0))), "from 0 to 1"),
        (Region(polygon=((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))), "cross"),
        (Region(polygon=((0.0, 0.0), (0.5, 0.5), (1.0, 1.0))), "lie on one another"),
    ],
)
def test_a_region_of_no_use_is_named_with_the_reason(region: Region, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^region 2 is of no use: .*{reason}"):
        Regions([LEFT_HALF, region])
