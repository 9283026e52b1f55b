# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import filming
import pytest

from overt.jobs.segments import Segment
from overt.jobs.task import Tools
from overt.jobs.tasks.segments import CUE, SHOT, Segments
from overt.stores import plain
from overt.types import Footage, Frame, Image

FOOTAGE = Footage("h264", "MP4", 2.0, 25.0, 640, 360, is_full_range=False)


@pytest.mark.parametrize(
    ("types", "least", "told"),
    [((SHOT,), 0.5, {SHOT}), ((CUE,), 0.5, {CUE}), ((SHOT, CUE), 0.5, {SHOT, CUE}), ((SHOT, CUE), 1.01, set())],
)
def test_the_types_asked_for_are_told_from_a_confidence_on(
    gallery: Tools, types: tuple[str, ...], least: float, told: set[str]
) -> None:
    task = Segments(types, least, least, 0.2, 99.0)
    assert task.hears == (CUE in types)
    watch = task.begin(gallery, FOOTAGE, None)
    for number, pixels in enumerate(itertools.chain(filming.empty(1), filming.sign("X", 1))):
        assert filming.seen(watch, Frame(Image(pixels, ""), number / 25)) == []
    found = list(watch.finish())
    assert {each.name for each in found} == told
    shots = [plain.read(Segment, each.body) for each in found if each.name == SHOT]
    assert [shot.start_frame for shot in shots] == ([0, 25] if SHOT in told else [])
