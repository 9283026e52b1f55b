# SPDX-License-Identifier: Apache-2.0
"""Paths keep their numbers through misses, crossings and hiding, at rare frames too; a stopped one goes on exactly."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from crowds import Moment, crowd, follow, numbers, score, unit, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.models.hub import Hub
from overt.models.tasks.scenes import PERSON
from overt.models.tracking import looks as clothes
from overt.models.tracking.tracker import FACES, PEOPLE, Tracker
from overt.types import Box, Detection, Image

HERE = Box(0.4, 0.3, 0.1, 0.25)


def moved(box: Box, right: float, down: float = 0.0) -> Box:
    return replace(box, left=box.left + right, top=box.top + down)


# Crowds: 20 people in a small square who hide one another; some 12 % of them cannot be seen at any time.


@pytest.mark.parametrize(("rate", "idf1", "association"), [(25, 0.8, 0.7), (5, 0.8, 0.7), (1, 0.6, 0.45)])
def test_a_crowd_with_misses_noise_and_false_alarms_is_followed(rate: float, idf1: float, association: float) -> None:
    moments = crowd(rate, 20 if rate > 1 else 60, seed=1)
    found = score(moments, follow(moments))
    assert found.mota > 0.8
    assert found.idf1 > idf1
    assert found.association > association


def test_looks_help_a_crowd() -> None:
    moments = crowd(5, 20, seed=2)
    seen, blind = (score(moments, follow(moments, with_looks=looks)) for looks in (True, False))
    assert seen.switches < blind.switches / 2
    assert seen.idf1 > blind.idf1 + 0.1


# Two people


def across(time: float) -> tuple[float, float]:
    return 0.1 + 0.2 * time, 0.5


def back_across(time: float) -> tuple[float, float]:
    return 0.9 - 0.2 * time, 0.51


def turns_back(time: float) -> tuple[float, float]:
    """Goes to the middle, stays a second, and goes back."""
    return 0.5 - 0.2 * (2 - time if time < 2 else max(0.0, time - 3)), 0.5


def turns_back_too(time: float) -> tuple[float, float]:
    return 1.0 - turns_back(time)[0], 0.51


@pytest.mark.parametrize("rate", [25, 10, 5])
@pytest.mark.parametrize("seed", range(4))
def test_two_who_pass_each_other_keep_their_numbers(rate: float, seed: int) -> None:
    moments = walk(rate, [across, back_across], 4, seed)
    ids = follow(moments)
    assert [numbers(moments, ids, who) for who in (0, 1)] in ([[0], [1]], [[1], [0]])


@pytest.mark.parametrize("seed", range(4))
def test_two_who_meet_and_turn_back_are_told_apart_by_their_looks_only(seed: int) -> None:
    moments = walk(5, [turns_back, turns_back_too], 5, seed)
    first, last = (dict(zip(one.walkers, range(2), strict=False)) for one in (moments[0], moments[-1]))
    kept = {}
    for looks in (True, False):
        ids = follow(moments, with_looks=looks)
        kept[looks] = all(ids[0][first[who]] == ids[-1][last[who]] for who in (0, 1))
    assert kept == {True: True, False: False}


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize("rate", [25, 5])
def test_who_is_hidden_for_a_second_keeps_the_number(rate: float, looks: bool) -> None:  # noqa: FBT001
    moments = walk(rate, [lambda time: None if 1.5 <= time < 2.5 else across(time)], 4)
    assert numbers(moments, follow(moments, with_looks=looks), 0) == [0]


def test_who_enters_where_another_left_is_another() -> None:
    leaves, enters = (lambda time: across(time) if time < 2 else None), (lambda time: (0.6, 0.5) if time >= 3 else None)
    other = unit(np.eye(2) + 0.01)
    for rate in (25, 5, 2):
        moments = walk(rate, [leaves, enters], 5, looks=other)
        assert [numbers(moments, follow(moments), who) for who in (0, 1)] == [[0], [1]]
    later = walk(5, [leaves, lambda time: across(2) if time >= 5.5 else None], 7)
    assert [numbers(later, follow(later, with_looks=False), who) for who in (0, 1)] == [[0], [1]]


@pytest.mark.parametrize(("rate", "pace"), [(5, PEOPLE), (2, PEOPLE), (1, PEOPLE), (5, FACES)])
def test_rare_frames_in_which_boxes_do_not_overlap(rate: float, pace: float) -> None:
    """People at 0.8 heights a second, faces at 3.2."""
    step = 0.8 * pace * 0.1 / rate
    box, tracker = Box(0.0, 0.3, 0.04, 0.1), Tracker(pace=pace)
    given = [tracker.update([moved(box, step * k), moved(box, 0.9 - step * k, 0.5)], [0.9, 0.9], k / rate)
             for k in range(8)]  # fmt: skip
    assert set(given) == {(0, 1)}


# Scores


def test_an_unsure_box_goes_on_with_a_track_and_begins_none() -> None:
    tracker = Tracker()
    assert tracker.update([HERE], [0.4], 0.0) == (None,)
    assert tracker.update([HERE], [0.9], 0.2) == (0,)
    assert tracker.update([HERE, moved(HERE, 0.4)], [0.2, 0.2], 0.4) == (0, None)
    assert tracker.update([HERE], [0.05], 0.6) == (None,)


def test_sure_boxes_choose_first() -> None:
    tracker = Tracker()
    tracker.update([HERE], [0.9], 0.0)
    assert tracker.update([HERE, moved(HERE, 0.01)], [0.3, 0.8], 0.2) == (None, 0)


def test_a_track_is_told_at_once_and_confirmed_by_a_second_sight() -> None:
    tracker = Tracker()
    assert tracker.update([HERE], [0.9], 0.0) == (0,)
    assert not tracker.is_confirmed(0)
    assert tracker.update([HERE], [0.9], 0.2) == (0,)
    assert tracker.is_confirmed(0)
    assert not tracker.is_confirmed(99)


# Ends


def test_a_track_ends_after_three_seconds_and_a_single_sight_sooner() -> None:
    tracker = Tracker()
    tracker.update([HERE], [0.9], 0.0)
    tracker.update([HERE, moved(HERE, 0.4)], [0.9, 0.9], 0.2)
    ends = {}
    for step in range(2, 19):
        tracker.update([], [], step / 5)
        ends |= {number: (step, tracker.is_confirmed(number)) for number in tracker.ended()}
    assert ends == {1: (4, False), 0: (16, True)}
    assert tracker.ended() == ()
    assert tracker.update([HERE], [0.9], 4.0) == (2,)


@pytest.mark.parametrize("time", [61.0, 0.9, -5.0, 1e300])
def test_a_jump_in_time_ends_all(time: float) -> None:
    tracker = Tracker()
    for step in range(5):
        tracker.update([HERE, moved(HERE, 0.4)], [0.9, 0.9], 0.2 + step / 5)
    assert tracker.update([HERE], [0.9], time) == (2,)
    assert tracker.ended() == (0, 1)
    assert tracker.update([HERE], [0.9], time) == (2,)


def test_one_sight_a_second_is_no_jump() -> None:
    tracker = Tracker()
    assert {tracker.update([HERE], [0.9], float(second)) for second in range(5)} == {(0,)}


# What it is given


@pytest.mark.parametrize(
    ("boxes", "scores", "time", "looks"),
    [
        ([HERE], [], 0.0, None),
        ([HERE], [0.5], math.nan, None),
        ([HERE], [0.5], math.inf, None),
        ([replace(HERE, left=math.nan)], [0.5], 0.0, None),
        ([HERE], [math.nan], 0.0, None),
        ([HERE], [0.5], 0.0, np.ones((2, 3), np.float32)),
        ([HERE], [0.5], 0.0, np.ones(3, np.float32)),
        ([HERE], [0.5], 0.0, np.full((1, 3), np.nan, np.float32)),
    ],
)
def test_what_cannot_be_followed_is_refused(boxes: list, scores: list, time: float, looks: np.ndarray | None) -> None:
    tracker = Tracker()
    with pytest.raises(ValueError, match="a tracker needs"):
        tracker.update(boxes, scores, time, looks)
    assert tracker.update([HERE], [0.9], 0.0) == (0,)


def test_looks_stay_of_one_length_and_may_come_late_or_be_missing() -> None:
    tracker = Tracker()
    one = np.array([[0.6, 0.8]], np.float32)
    given = [
        tracker.update([HERE], [0.9], time / 5, looks) for time, looks in enumerate((None, one, None, one * 0, one))
    ]
    assert set(given) == {(0,)}
    with pytest.raises(ValueError, match="of one length"):
        tracker.update([HERE], [0.9], 1.0, np.ones((1, 3), np.float32))


def test_numbers_do_not_depend_on_the_order_of_boxes() -> None:
    moments = crowd(5, 6, count=8, false=0)
    ids = follow(moments)
    turned = [replace(one, boxes=one.boxes[::-1], scores=one.scores[::-1], looks=one.looks[::-1]) for one in moments]
    tracks = {}
    for row, other in zip(ids, follow(turned), strict=True):
        assert all(tracks.setdefault(one, two) == two for one, two in zip(row, other[::-1], strict=True))


@pytest.mark.parametrize("shape", [16 / 9, 9 / 16])
def test_a_wide_picture_is_followed_like_a_square_one(shape: float) -> None:
    crowded = crowd(5, 10, seed=3)
    square, wide = (
        [replace(one, boxes=tuple(in_the_middle(box, wider) for box in one.boxes)) for one in crowded]
        for wider in (1, shape)
    )
    assert follow(wide, Tracker(shape)) == follow(square)


def in_the_middle(box: Box, shape: float) -> Box:
    """A third of its size, around the middle of a picture of any shape, where nobody leaves it."""
    left, top = 0.5 + (box.left - 0.5) / 3 / shape, 0.5 + (box.top - 0.5) / 3
    return Box(left, top, box.width / 3 / shape, box.height / 3)


# Real people


WALKS = {
    "the man in black who comes from the right, passes behind the sign, stays left of it and goes back": [
        (0, 0.86, 0.49), (1, 0.74, 0.49), (3, 0.54, 0.45), (5, 0.58, 0.37), (6, 0.49, 0.36), (8, 0.35, 0.36),
    ],
    "the man who stands left of the sign while others pass": [
        (0, 0.67, 0.34), (1, 0.63, 0.36), (4, 0.51, 0.38), (6, 0.51, 0.38), (8, 0.50, 0.38), (9, 0.51, 0.38),
    ],
    "the man who comes from the left and then stands behind the sign": [
        (0, 0.35, 0.46), (1, 0.44, 0.43), (3, 0.51, 0.38), (4, 0.53, 0.38), (6, 0.53, 0.39), (8, 0.55, 0.40),
    ],
    "the left one of a pair": [(2, 0.92, 0.56), (4, 0.76, 0.49), (6, 0.63, 0.43), (8, 0.60, 0.37), (9, 0.62, 0.34)],
    "the right one of a pair": [(2, 0.97, 0.56), (4, 0.80, 0.49), (6, 0.67, 0.42), (8, 0.64, 0.37), (9, 0.65, 0.35)],
    "the man in jeans": [(4, 0.98, 0.59), (5, 0.90, 0.54), (7, 0.79, 0.45), (9, 0.76, 0.37)],
}  # fmt: skip
"""Where people of vtest.avi are by the eye: seconds, and the middle of the body as ratios."""


@pytest.fixture(scope="module")
def street(hub: Hub, shared_data: Path) -> list[tuple[float, Image, tuple[Detection, ...]]]:
    """The people found in the first ten seconds of vtest.avi, five times a second."""
    found = []
    with av.open(str(shared_data / "video" / "vtest.avi")) as file:
        for frame in file.decode(video=0):
            if frame.time >= 10:
                break
            if frame.time >= len(found) / 5 - 1e-6:
                image = Image(frame.to_ndarray(format="rgb24"), "")
                people = tuple(one for one in hub.scenes.objects(image, 0.1) if one.label == PERSON)
                found.append((frame.time, image, people))
    return found


def test_people_on_a_street_are_counted_and_keep_their_numbers(street: list) -> None:
    """Seven walk by in these ten seconds, the seventh far away; three of them meet behind a sign."""
    tracker, sights, had = Tracker(768 / 576), Counter(), {name: [] for name in WALKS}
    for time, image, people in street:
        boxes = [one.box for one in people]
        ids = tracker.update(boxes, [one.confidence for one in people], time, clothes.looks(image, boxes))
        sights.update(number for number in ids if number is not None)
        for name, places in WALKS.items():
            for x, y in [(x, y) for when, x, y in places if abs(when - time) < 0.01]:
                away = [math.hypot(box.left + box.width / 2 - x, box.top + box.height / 2 - y) for box in boxes]
                assert min(away) < 0.03, (name, time)
                had[name].append(ids[int(np.argmin(away))])
    assert sum(count >= 5 for count in sights.values()) == 7
    assert len(sights) <= 9
    assert {name: len(set(numbers)) for name, numbers in had.items()} == dict.fromkeys(WALKS, 1)
    assert len({numbers[0] for numbers in had.values()}) == len(WALKS)


# Stopping


boxes = st.builds(Box, st.floats(-0.2, 1), st.floats(-0.2, 1), st.floats(0, 0.5), st.floats(0, 0.5))
frames = st.lists(
    st.tuples(
        st.lists(st.tuples(boxes, st.floats(0, 1), st.integers(0, 3)), max_size=6),
        st.sampled_from([0.0, 0.04, 0.2, 0.2, 1.0, 4.0, -1.0]),
    ),
    max_size=12,
)


@given(frames=frames, stop=st.integers(0, 12), with_looks=st.booleans())
@settings(max_examples=150)
def test_a_stopped_tracker_goes_on_as_if_it_had_not_stopped(frames: list, stop: int, with_looks: bool) -> None:  # noqa: FBT001
    kinds = np.vstack([np.zeros(3), np.eye(3)]).astype(np.float32)
    whole, parted, time = Tracker(1.5), Tracker(1.5), 0.0
    for step, (found, later) in enumerate(frames):
        time += later
        if step == stop:
            parted = Tracker.of(json.loads(json.dumps(parted.state(), allow_nan=False)))
        looks = kinds[[kind for _, _, kind in found]] if with_looks else None
        told = [box for box, _, _ in found], [score for _, score, _ in found], time, looks
        assert whole.update(*told) == parted.update(*told)
        assert whole.ended() == parted.ended()
        assert whole.state() == parted.state()


@pytest.mark.parametrize("stop", [1, 37, 70])
def test_a_crowd_goes_on_exactly(stop: int) -> None:
    moments = crowd(10, 10, seed=5)
    whole = follow(moments)
    tracker = Tracker()
    before = follow(moments[:stop], tracker)
    assert before + follow(moments[stop:], Tracker.of(json.loads(json.dumps(tracker.state())))) == whole


def test_states_do_not_grow() -> None:
    def size(moments: list[Moment]) -> int:
        tracker = Tracker()
        follow(moments, tracker)
        return len(json.dumps(tracker.state()))

    assert size(crowd(5, 40)) < 1.5 * size(crowd(5, 10))
