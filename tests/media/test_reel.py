# SPDX-License-Identifier: Apache-2.0
"""The player's logic in our own process, whatever bytes it is given; `test_video` plays through the worker."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from films import film, number
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.media.reel import Reel, UnplayableError

FILMS = {
    kind: film(kind, codec, count=30) for kind, codec in (("mp4", "libx264"), ("matroska", "mpeg4"), ("avi", "mpeg4"))
}


def test_what_the_file_says() -> None:
    told = Reel(lambda: io.BytesIO(FILMS["mp4"])).footage()
    assert told == {
        "codec": "h264", "container": "MP4", "duration": pytest.approx(1.2), "frame_rate": 25.0, "width": 128,
        "height": 64, "rotation": 0, "is_full_range": False, "sounds": [],
    }  # fmt: skip


def test_every_packet_is_a_sign_of_life() -> None:
    pulses: list[int] = []
    reel = Reel(lambda: io.BytesIO(FILMS["mp4"]), lambda: pulses.append(1))
    assert len(list(reel.frames(0.0, math.inf))) == 30
    assert len(pulses) >= 30


def test_a_range_that_follows_the_last_goes_on_without_opening_again() -> None:
    opened: list[int] = []

    def opener() -> io.BytesIO:
        opened.append(1)
        return io.BytesIO(FILMS["mp4"])

    reel = Reel(opener)
    shown = [round(frame.time, 3) for at in range(6) for frame in reel.frames(at / 5, (at + 1) / 5, 25.0)]
    assert shown == [round(at / 25, 3) for at in range(30)]
    assert len(opened) == 1


def test_frames_are_rgb_of_the_size_asked_for() -> None:
    reel = Reel(lambda: io.BytesIO(FILMS["mp4"]))
    for size in (None, (64, 32), (33, 17)):
        frame = next(reel.frames(0.2, 1.0, size=size)).frame
        assert (frame.width, frame.height) == (size or (128, 64))
        assert number(frame.to_ndarray()) == 5


@given(st.sampled_from(sorted(FILMS)), st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_film_is_played_or_refused_and_time_goes_on(kind: str, data: st.DataObject) -> None:
    raw = bytearray(FILMS[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(len(raw) // 2, len(raw)))]
    try:
        reel = Reel(lambda: io.BytesIO(bytes(raw)))
        times = [shown.time for shown in reel.frames(0.3, 2.0, size=(64, 32))]
    except (UnplayableError, MemoryError):
        return
    assert np.all(np.diff(times) > 0)
