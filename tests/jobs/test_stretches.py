# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from overt.jobs.stretches import Stretch, Stretches


def fed(stretches: Stretches, scores: str, first: int = 0) -> Stretches:
    """Feeds a frame a tenth of a second for each sign: a digit is a score in tenths, a point is none."""
    for number, sign in enumerate(scores, first):
        stretches.see(number, number / 10, None if sign == "." else int(sign) / 10)
    return stretches


def spans(stretches: Stretches) -> list[tuple[int, int]]:
    return [(one.start_frame, one.end_frame) for one in stretches.all()]


def test_frames_with_a_score_in_a_row_are_a_stretch() -> None:
    assert spans(fed(Stretches(), "..999..9.99")) == [(2, 4), (7, 7), (9, 10)]


def test_a_stretch_knows_its_times_and_mean_score() -> None:
    (one,) = fed(Stretches(), ".842").all()
    assert one == Stretch(1, 3, 0.1, 0.3, one.total, 3)
    assert round(one.score, 6) == round((0.8 + 0.4 + 0.2) / 3, 6)


def test_a_gap_may_lie_inside_but_not_at_the_end() -> None:
    assert spans(fed(Stretches(gap=0.25), "9..9...9..")) == [(0, 3), (7, 7)]


def test_nothing_seen_is_no_stretch() -> None:
    assert spans(fed(Stretches(), "....")) == spans(Stretches()) == []


def test_going_on_from_any_frame_gives_the_same() -> None:
    scores = "..98..7.66...5"
    whole = fed(Stretches(0.2), scores).all()
    for at in range(len(scores)):
        state = json.loads(json.dumps(fed(Stretches(0.2), scores[:at]).state()))
        assert fed(Stretches.of(state), scores[at:], at).all() == whole
