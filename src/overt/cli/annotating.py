# SPDX-License-Identifier: Apache-2.0
"""A copy of a video with what was found in it drawn in: boxes that move with what they are around, names, a timecode.

Frames are decoded by the confined worker and encoded here; the sound is copied by another confined process. Knows no
models.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from overt.cli import drawing
from overt.cli.clips import Seen
from overt.cli.drawing import Ink, Mark
from overt.cli.image import apparent
from overt.jobs.segments import Segment
from overt.jobs.spans import Span
from overt.jobs.task import FRAMES, MATCHES, SPANS
from overt.jobs.tasks.segments import SHOT
from overt.jobs.timecode import timecode
from overt.media.splicing import SpliceError, splice
from overt.media.video import Video
from overt.models.tasks.scenes import PERSON
from overt.ops import entries
from overt.stores import plain
from overt.types import Finding, Footage, Frame, Pixels

Told = Callable[[float], object]
Corners = tuple[tuple[float, float], ...]
_SHORTER, _LONGER = 960, 1920
"""Longest sides of what is drawn, pixels: smaller frames are enlarged so that captions fit, larger ones shrunk."""
_CLOCK = 90_000
"""Ticks a second. Source: the clock of MPEG systems, in which all usual frame rates are whole."""
_PATIENCE = 1.5
"""Looks for which a box is held when nothing was looked at after it."""
_MOVED = 0.2
"""Share that two boxes have in common at least, of what they cover, when they are around the same thing."""
_WHITE = (255, 255, 255)
_PALE_RED = (255, 150, 150)
_ENCODED = {"preset": "veryfast", "crf": "21"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Something at one place in one look. key: the same for the same thing in all looks. corners: in ratios."""

    key: str
    corners: Corners
    caption: str
    ink: Ink
    brackets: bool = False


class Layer:
    """What one task saw, look by look. Args: times: of the looks, rising. looks: spots of each. step: between looks."""

    def __init__(self, times: Sequence[float], looks: Sequence[Sequence[Spot]], step: float) -> None:
        self._times = times
        self._looks = looks
        self._step = step

    def at(self, time: float) -> Iterator[Mark]:
        """The marks at a moment: on their way from the look before to the next one."""
        number = bisect.bisect_right(self._times, time + 1e-6) - 1
        if number < 0 or time - self._times[number] > _PATIENCE * self._step:
            return
        share, after = 0.0, dict[str, Spot]()
        if number + 1 < len(self._times):
            share = (time - self._times[number]) / (self._times[number + 1] - self._times[number])
            after = {spot.key: spot for spot in self._looks[number + 1]}
        for spot in self._looks[number]:
            corners = spot.corners
            following = after.get(spot.key)
            if following is not None and len(following.corners) == len(corners):
                corners = tuple(
                    (x + (nx - x) * share, y + (ny - y) * share)
                    for (x, y), (nx, ny) in zip(corners, following.corners, strict=True)
                )
            yield Mark(corners, spot.caption, spot.ink, spot.brackets)


def annotate(video: Video, source: Path, target: Path, seen: Mapping[str, Seen], told: Told = lambda _: None) -> str:
    """Write the copy: H.264 with the frames' own times, upright, and the sound as it is where MP4 can hold it.

    Args: source: the video's file. told: how many more seconds are drawn. Returns: why there is no sound, or "".
    Raises: VideoError; OSError.
    """
    silent = target.with_name(f".{target.name}.{os.getpid()}.part.mp4")
    try:
        _encode(video, silent, seen, told)
        if not video.footage.sounds:
            silent.replace(target)
            return ""
        try:
            splice(source, silent, target)
        except SpliceError as error:
            silent.replace(target)
            return str(error)
        return ""
    finally:
        silent.unlink(missing_ok=True)


def known(match: Mapping[str, Any]) -> str:
    """Whom a FaceMatch of the wire names, as well as the collection knows."""
    face = match["Face"]
    return str(face.get("ExternalImageId") or face.get("UserId") or f"face {face['FaceId'][:8]}")


# --- encoding ---


def _encode(video: Video, target: Path, seen: Mapping[str, Seen], told: Told) -> None:
    footage = video.footage
    width, height = _size(footage)
    layers, captions = list(_layers(seen)), Captions(seen, footage)
    before = 0.0
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        rate = Fraction(footage.frame_rate or 25).limit_denominator(1001)
        stream = container.add_stream("libx264", rate, options=_ENCODED)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = Fraction(1, _CLOCK)
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = ColorRange.MPEG
        for number, frame in enumerate(video.frames(side=_LONGER)):
            shown = _fitted(frame.image.pixels, width, height)
            drawing.draw(shown, [mark for layer in layers for mark in layer.at(frame.time)])
            drawing.subtitle(shown, list(captions.at(number, frame)))
            drawn = av.VideoFrame.from_ndarray(shown, "rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
            )
            drawn.pts, drawn.time_base = round(frame.time * _CLOCK), Fraction(1, _CLOCK)
            container.mux(stream.encode(drawn))
            told(frame.time - before)
            before = frame.time
        container.mux(stream.encode(None))


def _size(footage: Footage) -> tuple[int, int]:
    """Width and height of what is drawn: even, as the colours of four pixels are coded together."""
    longest = max(footage.width, footage.height)
    ratio = min(max(longest, _SHORTER), _LONGER) / longest
    width, height = (max(2, round(side * ratio / 2) * 2) for side in (footage.width, footage.height))
    return width, height


def _fitted(pixels: Pixels, width: int, height: int) -> Pixels:
    """The frame in that size, to be drawn into."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


# --- what is drawn ---


class Captions:
    """The words at the bottom: timecode and shot, labels and unsafe content of the moment."""

    def __init__(self, seen: Mapping[str, Seen], footage: Footage) -> None:
        self._rate = footage.frame_rate or 25.0
        found = seen["segments"].findings if "segments" in seen else ()
        segments = [plain.read(Segment, one.body) for one in found]
        self._shots = [one for one in segments if one.kind == SHOT]
        self._cues = [one for one in segments if one.kind not in (SHOT, "Content")]
        self._spans = {name: _spans(seen[name].findings) for name in ("labels", "moderation") if name in seen}

    def at(self, number: int, frame: Frame) -> Iterator[tuple[str, Ink]]:
        """Lines for one frame, which has that number."""
        told = [timecode(number, self._rate)]
        told += [
            f"shot {(shot.index or 0) + 1} of {len(self._shots)}"
            for shot in self._shots
            if shot.start_frame <= number <= shot.end_frame
        ]
        told += [_split(cue.kind) for cue in self._cues if cue.start_frame <= number <= cue.end_frame]
        yield " \N{MIDDLE DOT} ".join(told), _WHITE
        for name, ink in (("moderation", _PALE_RED), ("labels", _WHITE)):
            now = [each for start, end, each in self._spans.get(name, ()) if start <= frame.time * 1000 < end]
            if now:
                yield ", ".join(now), ink


def _spans(findings: Iterable[Finding]) -> list[tuple[float, float, str]]:
    """Start and end in milliseconds and name of spans, those that last longest first."""
    found = [
        (span.start, span.end, one.name)
        for one in findings
        if one.view == SPANS
        for span in [plain.read(Span[Any], one.body)]
    ]
    lasting: dict[str, int] = {}
    for start, end, name in found:
        lasting[name] = lasting.get(name, 0) + end - start
    return sorted(found, key=lambda one: (-lasting[one[2]], one[2]))


def _split(kind: str) -> str:
    """BlackFrames as black frames."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()


def _layers(seen: Mapping[str, Seen]) -> Iterator[Layer]:
    for name, make in _MAKERS.items():
        if name in seen and not (name == "faces" and "search" in seen):  # the same faces: named is better
            each = seen[name]
            frames: dict[int, list[Finding]] = {int(time * 1000): [] for time in each.times}
            for finding in each.findings:
                if finding.view == FRAMES:
                    frames[finding.time].append(finding)
            spots = make(list(frames.values()), each)
            if name == "labels" and "people" in seen:  # each has an outline of their own already
                spots = [[spot for spot in look if spot.caption != PERSON] for look in spots]
            yield Layer(each.times, spots, 1 / (each.rate or 25.0))


_Looks = list[list[Spot]]


def _people(frames: list[list[Finding]], _seen: Seen) -> _Looks:
    return [
        [
            _boxed(
                str(person["Index"]), person["BoundingBox"], f"person {person['Index']}", drawing.TEAL, brackets=True
            )
            for one in look
            for person in [entries.person(one)["Person"]]
        ]
        for look in frames
    ]


def _labels(frames: list[list[Finding]], _seen: Seen) -> _Looks:
    looks = [
        [
            _boxed("", instance["BoundingBox"], label["Name"], drawing.BLUE)
            for one in look
            for label in [entries.label(one)["Label"]]
            for instance in label["Instances"]
        ]
        for look in frames
    ]
    return _linked(looks)


def _faces(frames: list[list[Finding]], _seen: Seen) -> _Looks:
    looks = _linked(
        [
            [
                _boxed("", face["BoundingBox"], apparent(face) or "face", drawing.PURPLE)
                for one in look
                for face in [entries.face(one)["Face"]]
            ]
            for look in frames
        ],
        by_caption=False,
    )
    largest: dict[str, Spot] = {}  # what a face seems to be changes from look to look: say what its largest sight says
    for spot in (spot for look in looks for spot in look):
        if spot.key not in largest or _area(spot.corners) > _area(largest[spot.key].corners):
            largest[spot.key] = spot
    return [[_renamed(spot, spot.key, largest[spot.key].caption) for spot in look] for look in looks]


def _searched(frames: list[list[Finding]], seen: Seen) -> _Looks:
    matches = entries.matches(one for one in seen.findings if one.view == MATCHES)

    def spot(finding: Finding) -> Spot:
        person = entries.person(finding)["Person"]
        found = matches.get(finding.name)
        caption = f"{known(found[0])} {found[0]['Similarity']:.0f}" if found else "no match"
        ink = drawing.GREEN if found else drawing.GREY
        return _boxed(str(person["Index"]), person["Face"]["BoundingBox"], caption, ink)

    return [[spot(one) for one in look] for look in frames]


def _texts(frames: list[list[Finding]], _seen: Seen) -> _Looks:
    return _linked(
        [
            [
                Spot("", corners, text["DetectedText"], drawing.ORANGE)
                for one in look
                for text in [entries.text(one)["TextDetection"]]
                if text["Type"] == "LINE"
                for corners in [tuple((point["X"], point["Y"]) for point in text["Geometry"]["Polygon"])]
            ]
            for look in frames
        ]
    )


_MAKERS: Mapping[str, Callable[[list[list[Finding]], Seen], _Looks]] = {
    "people": _people,
    "labels": _labels,
    "faces": _faces,
    "search": _searched,
    "text": _texts,
}


def _boxed(key: str, box: Mapping[str, float], caption: str, ink: Ink, *, brackets: bool = False) -> Spot:
    return Spot(key, Mark.of_box(box, caption, ink).corners, caption, ink, brackets)


def _linked(looks: Sequence[Sequence[Spot]], *, by_caption: bool = True) -> _Looks:
    """The spots with keys: one goes on with that of the look before which it overlaps most."""
    linked: _Looks = []
    before: list[Spot] = []
    count = 0
    for look in looks:
        now: list[Spot] = []
        free = list(before)
        for spot in look:
            alike = [one for one in free if one.caption == spot.caption or not by_caption]
            same = max(alike, key=lambda one: _overlap(one.corners, spot.corners), default=None)
            if same is not None and _overlap(same.corners, spot.corners) >= _MOVED:
                free.remove(same)
                key = same.key
            else:
                count, key = count + 1, str(count)
            now.append(_renamed(spot, key, spot.caption))
        linked.append(now)
        before = now
    return linked


def _renamed(spot: Spot, key: str, caption: str) -> Spot:
    return Spot(key, spot.corners, caption, spot.ink, spot.brackets)


def _overlap(one: Corners, other: Corners) -> float:
    """Intersection over union of what two outlines span."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = _span(one), _span(other)
    width = min(ax + aw, bx + bw) - max(ax, bx)
    height = min(ay + ah, by + bh) - max(ay, by)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / max(aw * ah + bw * bh - shared, 1e-9)


def _area(corners: Corners) -> float:
    _, _, width, height = _span(corners)
    return width * height


def _span(corners: Corners) -> tuple[float, float, float, float]:
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(down), max(across) - min(across), max(down) - min(down)
