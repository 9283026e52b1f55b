# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from overt.jobs.spans import Span, Spans
from overt.jobs.task import SPANS
from overt.stores import plain
from overt.types import Finding, Label


def seen(**labels: float) -> dict[str, tuple[float, Label]]:
    return {name: (sure, Label(name, sure)) for name, sure in labels.items()}


def told(found: Sequence[Finding]) -> list[tuple[str, int, int, float]]:
    spans = [plain.read(Span[Label], each.body) for each in found]
    assert [each.view for each in found] == [SPANS] * len(found)
    return sorted((span.what.name, span.start, span.end, span.what.confidence) for span in spans)


LOOKS = [
    (0.0, seen(Dog=0.6)),
    (0.51, seen(Dog=0.9, Cat=0.5)),
    (1.0, seen(Dog=0.7)),
    (1.5, seen(Cat=0.8)),
    (2.0, seen()),
    (2.5, seen(Dog=0.7)),
]


@pytest.mark.parametrize("stop", range(len(LOOKS) + 1))
def test_looks_that_follow_one_another_are_one_span(stop: int) -> None:
    """Also when the work stops in between and goes on from its state."""
    spans, found = Spans(Label, 0.5, 2.7), []
    for number, (time, things) in enumerate(LOOKS):
        if number == stop:
            spans = Spans(Label, 0.5, 2.7, json.loads(json.dumps(spans.state())))
        found += spans.see(time, things)
    found += spans.finish()
    assert told(found) == [
        ("Cat", 510, 1010, 0.5),
        ("Cat", 1500, 2000, 0.8),
        ("Dog", 0, 1500, 0.9),
        ("Dog", 2500, 2700, 0.7),
    ]


def test_a_time_without_frames_ends_what_was_seen_before_it() -> None:
    spans = Spans(Label, 0.5, 60.0)
    assert told([*spans.see(0.0, seen(Dog=0.6)), *spans.see(30.0, seen(Dog=0.6)), *spans.finish()]) == [
        ("Dog", 0, 500, 0.6),
        ("Dog", 30000, 30500, 0.6),
    ]
