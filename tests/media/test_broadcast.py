# SPDX-License-Identifier: Apache-2.0
"""Frames of a stream as it is decoded: which are wanted, their times, and what is no stream."""

from __future__ import annotations

import errno
import io
import itertools
from typing import BinaryIO

import av
import numpy as np
import pytest
from films import film, number

from overt.media import broadcast
from overt.media.broadcast import Broadcast, Sight, UnwatchableError
from overt.media.confine import Reach
from overt.media.plan import Order, Plan


def watched(
    raw: bytes, rate: float = 0.0, side: int = 0, *, keyframes_only: bool = False, count: int = 500, **plan: object
) -> list[Sight]:
    order = Order(Plan(Reach.NOTHING, "film", size=len(raw), **plan), rate, side, keyframes_only)  # type: ignore[arg-type]
    made = Broadcast(order, lambda: io.BytesIO(raw), refuse)
    try:
        return list(itertools.islice(made.sights(), count))
    finally:
        made.close()


def refuse(url: str) -> BinaryIO:
    raise OSError(errno.EPERM, url)


def shown(sight: Sight) -> int:
    frame = sight.frame
    rows = np.frombuffer(frame.planes[0], np.uint8).reshape(frame.height, -1)[:, : frame.width * 3]
    return number(rows.reshape(frame.height, frame.width, 3))


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("mpegts", "libx265"), ("matroska", "libvpx-vp9")])
def test_every_frame_with_its_time(kind: str, codec: str) -> None:
    sights = watched(film(kind, codec, count=20))
    assert [shown(sight) for sight in sights] == list(range(20))
    assert [sight.time for sight in sights] == pytest.approx([at / 25 for at in range(20)], abs=0.002)


def test_frames_wanted_are_the_first_of_each_step() -> None:
    sights = watched(film(count=50), rate=5.0)
    assert [shown(sight) for sight in sights] == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]
    assert [shown(sight) for sight in watched(film(count=50), rate=10.0)][:5] == [0, 3, 5, 8, 10]


def test_key_frames_only() -> None:
    sights = watched(film(count=50, gop=10), keyframes_only=True)
    assert [shown(sight) for sight in sights] == [0, 10, 20, 30, 40]
    assert [sight.time for sight in sights] == pytest.approx([0, 0.4, 0.8, 1.2, 1.6], abs=0.002)


def test_frames_are_scaled_down_and_never_up() -> None:
    assert {(sight.frame.width, sight.frame.height) for sight in watched(film(count=3), side=64)} == {(64, 32)}
    assert {(sight.frame.width, sight.frame.height) for sight in watched(film(count=3), side=999)} == {(128, 64)}


def test_a_loop_goes_on_for_ever_and_so_does_its_time() -> None:
    sights = watched(film(count=5), is_looped=True, count=23)
    assert [shown(sight) for sight in sights] == [at % 5 for at in range(23)]
    assert [sight.time for sight in sights] == pytest.approx([at / 25 for at in range(23)], abs=0.005)


def test_time_that_jumps_or_goes_back_goes_on() -> None:
    """An hour on, and an hour back, are another count and no pause; ten seconds are a pause."""
    jumps = [0.0, 0.04, 3600.0, 3600.04, 3610.04]
    times = [sight.time for sight in watched(film(times=jumps))]
    assert times == sorted(set(times))
    assert times[2] - times[1] < 1
    assert times[4] - times[3] == pytest.approx(10, abs=0.01)
    joined = film("mpegts", times=[100 + at / 25 for at in range(10)]) + film("mpegts", count=10, first=10)
    times = [sight.time for sight in watched(joined)]
    assert len(times) >= 19
    assert times == sorted(set(times))
    assert times[-1] < 2


def test_the_stream_is_played_at_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(broadcast.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(broadcast.time, "sleep", sleep)
    watched(film(times=[0, 0.04, 0.08, 2.08]), is_paced=True)
    assert sum(slept) == pytest.approx(2.08, abs=0.002)
    assert max(slept) <= 0.5


def test_a_machine_that_is_too_slow_takes_key_frames_until_it_has_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets take longer to come to than they last, up to a moment; then nothing does."""
    now, packets = [100.0], [0]

    def monotonic() -> float:
        packets[0] += 1
        now[0] += 0.2 if packets[0] < 60 else 0.0
        return now[0]

    monkeypatch.setattr(broadcast.time, "monotonic", monotonic)
    numbers = [shown(sight) for sight in watched(film("mpegts", count=600, gop=10))]
    assert numbers[:5] == list(range(5))
    hurried = [number for number in numbers if 25 < number < 250]
    assert hurried == list(range(30, 250, 10))
    assert numbers[-100:] == list(range(500, 600))
    assert numbers == sorted(set(numbers))


def test_a_picture_that_changes_its_size_is_shown_so() -> None:
    joined = film("mpegts", count=10) + film("mpegts", count=10, size=(64, 128), first=10)
    sights = watched(joined)
    assert {(sight.frame.width, sight.frame.height) for sight in sights} == {(128, 64), (64, 128)}
    assert shown(sights[-1]) == 19


def test_a_turned_film_says_so() -> None:
    assert {sight.degrees for sight in watched(film(count=3, degrees=90))} == {270}


def test_damage_is_counted_and_too_much_of_it_ends() -> None:
    raw = bytearray(film("mpegts", count=60, size=(320, 180)))
    for at in range(188 * 40, len(raw), 188 * 9):
        raw[at + 100 : at + 180] = bytes(80)
    assert watched(bytes(raw))


@pytest.mark.parametrize("raw", [b"", b"nothing of the kind" * 100, film()[:40]])
def test_what_is_no_film_is_told(raw: bytes) -> None:
    with pytest.raises(UnwatchableError) as told:
        watched(raw)
    assert "film" not in str(told.value)


def test_sound_alone_is_told() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        voice = container.add_stream("aac", 48000)
        voice.layout = "mono"
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
        heard.sample_rate = 48000
        container.mux(voice.encode(heard))
        container.mux(voice.encode(None))
    with pytest.raises(UnwatchableError, match="no pictures"):
        watched(file.getvalue())


def test_names_outside_the_stream_are_asked_for_and_not_opened() -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nhttp://127.0.0.1/piece.ts\n#EXT-X-ENDLIST\n"
    asked: list[str] = []

    def follow(url: str) -> BinaryIO:
        asked.append(url)
        raise OSError(errno.EPERM, url)

    options = {"http_persistent": "0", "protocol_whitelist": "http,https"}
    order = Order(Plan(Reach.NOTHING, "http://127.0.0.1/list.m3u8", "hls", options), 0.0, 0, keyframes_only=False)
    with pytest.raises(UnwatchableError):
        next(Broadcast(order, lambda: io.BytesIO(playlist), follow).sights())
    assert set(asked) == {"http://127.0.0.1/piece.ts"}
