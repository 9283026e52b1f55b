# SPDX-License-Identifier: Apache-2.0
"""Boxes move with what they are around, and the copy keeps the frames' times and the sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from overt.cli.annotating import Layer, Spot, _linked, annotate
from overt.cli.clips import Seen
from overt.cli.drawing import BLUE, Mark
from overt.jobs.segments import Segment
from overt.jobs.task import finding
from overt.jobs.tasks.sights import Sight, name
from overt.media.objects import LocalObject
from overt.media.video import Video
from overt.types import Box


def spot(left: float, caption: str = "", key: str = "") -> Spot:
    box = {"Left": left, "Top": 0.0, "Width": 0.2, "Height": 0.2}
    return Spot(key, Mark.of_box(box, caption, BLUE).corners, caption, BLUE)


def lefts(layer: Layer, time: float) -> list[float]:
    return [mark.corners[0][0] for mark in layer.at(time)]


def test_a_box_goes_from_one_look_to_the_next() -> None:
    layer = Layer([0.0, 1.0, 2.0], [[spot(0.0, key="a")], [spot(0.4, key="a")], [spot(0.4, key="b")]], 1.0)
    assert lefts(layer, 0.0) == [0.0]
    assert lefts(layer, 0.5) == [pytest.approx(0.2)]
    assert lefts(layer, 1.5) == [0.4]  # what is not seen again stays until then
    assert lefts(layer, 3.4) == [0.4]
    assert lefts(layer, 3.6) == []


def test_nothing_is_drawn_before_the_first_look() -> None:
    assert lefts(Layer([1.0], [[spot(0.0)]], 1.0), 0.5) == []


def test_what_overlaps_and_has_the_same_name_is_the_same() -> None:
    first, second = _linked([[spot(0.0, "Cup"), spot(0.7, "Cup")], [spot(0.75, "Cup"), spot(0.0, "Bowl")]])
    assert second[0].key == first[1].key
    assert second[1].key not in {one.key for one in first}
    faces = _linked([[spot(0.0, "20-30 Male")], [spot(0.05, "30-40 Male")]], by_caption=False)
    assert faces[0][0].key == faces[1][0].key


def uneven(path: Path, sound: str | None) -> list[float]:
    """A film of uneven times, with or without a tone. Returns: its times."""
    times = [0.0, 0.04, 0.2, 0.24, 0.5, 1.0]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", 25, options={"threads": "1", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        heard = container.add_stream(sound, 48000, layout="mono") if sound else None
        for time in times:
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), 128, np.uint8), "rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if heard is not None:
            for start in range(0, 48000, 1024):
                kind = heard.codec_context.format.name
                silence = np.zeros((1, 1024), np.int16 if kind == "s16" else np.float32)
                block = av.AudioFrame.from_ndarray(silence, kind, "mono")
                block.sample_rate, block.pts, block.time_base = 48000, start, Fraction(1, 48000)
                container.mux(heard.encode(block))
            container.mux(heard.encode(None))
    return times


def people() -> dict[str, Seen]:
    seen = Seen(5.0, [0.0, 0.2], [finding(time, name(0), Sight(0, Box(0.2, 0.2, 0.5, 0.5), None)) for time in (0, 0.2)])
    shots = Seen(None, [0.0], [finding(0, "SHOT", Segment("SHOT", 0, 5, 0.0, 1.0, 1.0, 0))])
    return {"people": seen, "segments": shots}


@pytest.mark.parametrize("sound", ["aac", None])
def test_the_copy_keeps_times_and_sound(tmp_path: Path, sound: str | None) -> None:
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    times = uneven(source, sound)
    with Video(LocalObject(tmp_path, "b", "in.mp4")) as video:
        assert annotate(video, source, target, people()) == ""
    with av.open(str(target)) as container:
        frames = list(container.decode(video=0))
        assert [float(frame.time) for frame in frames] == pytest.approx(times, abs=1e-4)
        assert (frames[0].width, frames[0].height) == (960, 540)  # enlarged, so that captions fit
        assert len(container.streams.audio) == (1 if sound else 0)
        shown = frames[0].to_ndarray(format="rgb24")
    assert shown[20, 20].tolist() == pytest.approx([128] * 3, abs=6)  # colours are kept
    assert shown[530, 900].max() < 70  # below the words it is dark
    corner = shown[100:125, 185:230].reshape(-1, 3).astype(int)
    assert (corner[:, 2] - corner[:, 0]).max() > 50  # the bracket's ink
    raw = target.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_sound_that_mp4_cannot_hold_is_left_out_and_told(tmp_path: Path) -> None:
    source, target = tmp_path / "in.mkv", tmp_path / "out.mp4"
    uneven(source, "pcm_s16le")
    with Video(LocalObject(tmp_path, "b", "in.mkv")) as video:
        assert "none of its sound" in annotate(video, source, target, {})
    with av.open(str(target)) as container:
        assert not container.streams.audio
