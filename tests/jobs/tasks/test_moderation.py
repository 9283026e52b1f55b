# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import filming
import pytest

from overt.jobs.task import FRAMES, Tools
from overt.jobs.tasks.moderation import Judged, Moderation
from overt.stores import plain
from overt.types import Footage, Frame, Image

FOOTAGE = Footage("h264", "MP4", 1.0, 25.0, 640, 360, is_full_range=False)


@pytest.mark.parametrize("is_older", [False, True])
def test_labels_have_the_names_of_the_version_asked_for(gallery: Tools, photos: Path, *, is_older: bool) -> None:
    watch = Moderation(0.0, is_older).begin(gallery, FOOTAGE, None)
    pixels = next(filming.passing(photos / "coffee.png", 1, still=True))
    found = filming.seen(watch, Frame(Image(pixels, ""), 0.0))
    judged = [plain.read(Judged, each.body) for each in found if each.view == FRAMES]
    names = [each.label.name for each in judged]
    assert ("Suggestive" in names) == is_older
    assert ("Explicit" in names) != is_older
    assert len(names) == len(set(names))
    assert {each.label.level for each in judged} == ({0} if is_older else {1, 2, 3})
