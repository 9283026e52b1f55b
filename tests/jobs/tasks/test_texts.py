# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import filming

from overt.jobs.task import Tools
from overt.jobs.tasks.texts import Texts
from overt.models.filters import WordFilter
from overt.stores import plain
from overt.types import Footage, Frame, Image, Written

FOOTAGE = Footage("h264", "MP4", 1.0, 25.0, 640, 360, is_full_range=False)


def test_each_frame_is_read_by_itself_and_numbered_anew(gallery: Tools) -> None:
    watch = Texts(WordFilter(0.8)).begin(gallery, FOOTAGE, None)
    pixels = next(filming.sign("WAY OUT", 1))
    for time in (0.0, 0.5):
        written = [plain.read(Written, each.body) for each in filming.seen(watch, Frame(Image(pixels, ""), time))]
        assert [(each.text.text, each.number, each.parent) for each in written] == [
            ("WAY OUT", 0, None),
            ("WAY", 1, 0),
            ("OUT", 2, 0),
        ]
    assert (watch.finish(), watch.state()) == ((), None)
