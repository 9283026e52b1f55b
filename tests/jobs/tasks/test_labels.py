# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import filming

from overt.jobs.spans import Span
from overt.jobs.task import FRAMES, SPANS, Tools
from overt.jobs.tasks.labels import Labels
from overt.models.filters import LabelFilter
from overt.stores import plain
from overt.types import Footage, Frame, Image, Label

FOOTAGE = Footage("h264", "MP4", 1.0, 25.0, 640, 360, is_full_range=False)


def test_a_label_is_told_by_the_frame_with_boxes_and_as_a_span_without(gallery: Tools, photos: Path) -> None:
    watch = Labels(0.5, LabelFilter()).begin(gallery, FOOTAGE, None)
    pixels = next(filming.passing(photos / "coffee.png", 1, still=True))
    found = [
        *filming.seen(watch, Frame(Image(pixels, ""), 0.0)),
        *filming.seen(watch, Frame(Image(pixels, ""), 0.5)),
        *watch.finish(),
    ]
    tables = [each for each in found if each.name == "Dining Table"]
    assert [(each.view, each.time) for each in tables] == [(FRAMES, 0), (FRAMES, 500), (SPANS, 0)]
    assert plain.read(Label, tables[0].body).instances
    span = plain.read(Span[Label], tables[2].body)
    assert (span.start, span.end, span.what.instances) == (0, 1000, ())


def test_only_what_is_wanted_is_told(gallery: Tools, photos: Path) -> None:
    watch = Labels(0.5, LabelFilter(not_names=frozenset({"Espresso"}))).begin(gallery, FOOTAGE, None)
    pixels = next(filming.passing(photos / "coffee.png", 1, still=True))
    names = {each.name for each in filming.seen(watch, Frame(Image(pixels, ""), 0.0))}
    assert "Coffee" in names
    assert "Espresso" not in names
