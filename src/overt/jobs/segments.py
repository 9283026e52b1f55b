# SPDX-License-Identifier: Apache-2.0
"""What a video is made of: its shots and its technical cues. Knows small frames in order, and no file and no wire."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import cv2

from overt.jobs.bars import bars
from overt.jobs.credits import Credits, Lines
from overt.jobs.cuts import Cut, Cuts
from overt.jobs.darkness import Darkness, luma
from overt.jobs.stretches import Stretch, Stretches
from overt.types import Frame, Pixels

Kind = Literal["SHOT", "BlackFrames", "ColorBars", "EndCredits", "Content"]
KINDS: tuple[Kind, ...] = ("SHOT", "BlackFrames", "ColorBars", "EndCredits", "Content")

SIDE = 96
"""Longest side of the frames to feed, pixels; larger ones are made this small."""
_LEAST_BARS = 0.5
"""Seconds that colour bars last at least."""
_BARS_GAP = 0.2
"""Seconds of bars that a glitch may spoil."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A shot or a technical cue.

    start_frame, end_frame: its first and last frame, from 0. start, end: their times in seconds from the video's start.
    Content begins and ends on the frames of the cues beside it, as the service returns it; all other segments share no
    frame unless one is cut out of another. confidence: 0..1. index: of a shot among the shots, from 0; None for a cue.
    """

    kind: Kind
    start_frame: int
    end_frame: int
    start: float
    end: float
    confidence: float
    index: int | None = None


class Segments:
    """Feed it every frame of a video in order, then `finish`. Its state is JSON: from there it goes on just the same.

    Cues: black frames, colour bars, end credits; content is what is none of them. Opening credits, slates and studio
    logos are not told from content: no rule over small frames does so honestly.
    """

    def __init__(self, kinds: Collection[Kind] = KINDS, threshold: float = 0.2, coverage: float = 99.0) -> None:
        """Make one.

        Args: kinds: what is looked for. threshold, coverage: MaxPixelThreshold 0..1 and MinCoveragePercentage 0..100
        of black frames, see `Darkness`. Raises: ValueError for another kind or range.
        """
        if not set(kinds) <= set(KINDS) or not 0 <= threshold <= 1 or not 0 <= coverage <= 100:  # noqa: PLR2004
            msg = f"no segments of {sorted(kinds)} with threshold {threshold} and coverage {coverage}"
            raise ValueError(msg)
        self._kinds = tuple(kind for kind in KINDS if kind in kinds)
        self._seen = 0
        self._start = self._end = 0.0
        self._cuts = Cuts()
        self._found: list[Cut] = []
        self._darkness = Darkness(threshold, coverage)
        self._bars = Stretches(_BARS_GAP)
        self._credits = Credits()

    def see(self, frame: Frame) -> None:
        """The next frame, at most `SIDE` pixels long and with its loudness."""
        pixels = _small(frame.image.pixels)
        if not self._seen:
            self._start = frame.time
        self._end = frame.time
        if "SHOT" in self._kinds:
            cut = self._cuts.see(frame.time, pixels)
            if cut:
                self._found.append(cut)
        if self._wants_cues:
            brightness = luma(pixels)
            self._darkness.see(self._seen, frame, brightness)
            self._bars.see(self._seen, frame.time, bars(pixels))
            self._credits.see(self._seen, frame.time, brightness)
        self._seen += 1

    def finish(self, lines: Lines | None = None) -> tuple[Segment, ...]:
        """Every segment: shots in order, then cues by kind and time. To be called once, after the last frame.

        Args: lines: where given, asked how many lines of text the video shows at some times; see `Credits.finish`.
        """
        if not self._seen:
            return ()
        cues = [*self._cues(lines)] if self._wants_cues else []
        shots = self._shots() if "SHOT" in self._kinds else ()
        return (*shots, *(cue for kind in self._kinds for cue in cues if cue.kind == kind))

    def state(self) -> dict[str, Any]:
        """All that it goes on from, as JSON."""
        return {
            "kinds": list(self._kinds),
            "seen": self._seen,
            "start": self._start,
            "end": self._end,
            "cuts": self._cuts.state(),
            "found": [list(cut) for cut in self._found],
            "darkness": self._darkness.state(),
            "bars": self._bars.state(),
            "credits": self._credits.state(),
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> Segments:
        """One that goes on where `state()` was taken."""
        segments = cls(state["kinds"])
        segments._seen, segments._start, segments._end = state["seen"], state["start"], state["end"]
        segments._cuts = Cuts.of(state["cuts"])
        segments._found = [Cut(*cut) for cut in state["found"]]
        segments._darkness = Darkness.of(state["darkness"])
        segments._bars = Stretches.of(state["bars"])
        segments._credits = Credits.of(state["credits"])
        return segments

    @property
    def _wants_cues(self) -> bool:
        return any(kind != "SHOT" for kind in self._kinds)

    def _shots(self) -> Iterator[Segment]:
        cuts = [*self._found, *self._cuts.finish()]
        edges = [Cut(0, 0.0, self._start, 1.0), *cuts, Cut(self._seen, self._end, 0.0, 1.0)]
        for index, (first, after) in enumerate(itertools.pairwise(edges)):
            # A shot is as sure as the less sure of the cuts that bound it.
            confidence = min(first.confidence, after.confidence)
            yield Segment("SHOT", first.frame, after.frame - 1, first.time, after.before, confidence, index)

    def _cues(self, lines: Lines | None) -> list[Segment]:
        """Cues in order of time, content among them."""
        lasting = (one for one in self._bars.all() if one.end - one.start >= _LEAST_BARS)
        found = [_cue("ColorBars", one) for one in lasting]
        found += [_cue("EndCredits", one) for one in self._credits.finish(lines)]
        found.sort(key=lambda cue: cue.start_frame)
        black = [_cue("BlackFrames", one) for one in self._darkness.finish()]
        cues = [*found, *(rest for one in black for rest in _without(one, found))]
        cues.sort(key=lambda cue: cue.start_frame)
        return [*cues, *self._content(cues)]

    def _content(self, cues: list[Segment]) -> Iterator[Segment]:
        """What lies between cues; it starts and ends on their frames."""
        first = Segment("Content", -1, -1, self._start, self._start, 1.0)
        last = Segment("Content", self._seen, self._seen, self._end, self._end, 1.0)
        for before, after in itertools.pairwise([first, *cues, last]):
            if after.start_frame - before.end_frame > 1:
                confidence = min(before.confidence, after.confidence)
                start, end = max(before.end_frame, 0), min(after.start_frame, self._seen - 1)
                yield Segment("Content", start, end, before.end, after.start, confidence)


def _small(pixels: Pixels) -> Pixels:
    """The frame with no side above `SIDE`."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cast("Pixels", cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _cue(kind: Kind, stretch: Stretch) -> Segment:
    return Segment(kind, stretch.start_frame, stretch.end_frame, stretch.start, stretch.end, stretch.score)


def _without(cue: Segment, others: Iterable[Segment]) -> list[Segment]:
    """What is left of a cue beside others, which are in order: credits have black frames between their pages."""
    rest = []
    for other in others:
        if other.end_frame < cue.start_frame or other.start_frame > cue.end_frame:
            continue
        if other.start_frame > cue.start_frame:
            rest.append(replace(cue, end_frame=other.start_frame, end=other.start))
        if other.end_frame >= cue.end_frame:
            return rest
        cue = replace(cue, start_frame=other.end_frame, start=other.end)
    return [*rest, cue]
