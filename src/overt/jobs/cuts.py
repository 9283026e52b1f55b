# SPDX-License-Identifier: Apache-2.0
"""Hard cuts between shots, from the small frames of a video. Knows no file and no wire.

A cut is where every frame just before differs from every frame just after, by far more than frames differ from the
next one around it. So a flash (the picture comes back), a moving camera (all frames differ) and a dissolve (no pair
stands out) are none. In the spirit of PySceneDetect's adaptive detector, with windows on both sides and a difference
that lets things move a little.
"""

from __future__ import annotations

import base64
import itertools
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import cv2
import numpy as np

from overt.types import Floats, Pixels

cv2.setNumThreads(1)  # parallel callers use the cores; threads inside a call only slow them down

_WIDTH, _HEIGHT = 32, 18
"""Pixels that frames are compared at; what moves by one of them, 3 % of the width, does not count as changed."""
_SIDE = 3
"""Frames before and frames after that a cut must tell apart. A flash, or a shot, of fewer frames is no cut."""
_AROUND = 6
"""Changes before and after that a cut must stand out of: a quarter of a second of film."""
_USUAL = 0.75
"""The quantile of the changes around that stands for them. Other cuts and flashes near are fewer than a quarter of
them; of film that shows each frame twice, half are nothing."""
_LEAST = 0.01
"""A change of content below this is no cut, whatever it stands out of: the noise of a still camera makes 0.002."""
_STILL = (0.01, 0.05)
"""Added to changes of content and of tones around, so that the first move after a still does not stand out of all."""
_BIAS, _CONTENT, _TONES = -5.1, 3.1, 2.3
"""Logistic regression of "is a cut" on the logs of how far content and tones stand out: fitted to 492 cuts among
spliced clips and pans over photos with flashes, shakes, dissolves, fades, doubled frames and compression, then
tempered by 0.6 as film is harder."""


class Cut(NamedTuple):
    """Where a shot begins.

    frame, time: its first frame's number and seconds. before: seconds of the last frame of the shot before it.
    confidence: 0.5..1, by how far the change stands out.
    """

    frame: int
    before: float
    time: float
    confidence: float


class _Change(NamedTuple):
    """How far two frames differ. content, tones: 0..1 each."""

    content: float
    tones: float


@dataclass(frozen=True, slots=True)
class _View:
    """A frame at `time` seconds as it is compared.

    low, high: least and most around each pixel. tones: (512,) shares of the pixels.
    """

    time: float
    thumb: Pixels
    low: Pixels
    high: Pixels
    tones: Floats


class Cuts:
    """Feed it every frame in order; it tells each cut some frames later. Its state is JSON, to go on from."""

    def __init__(self) -> None:
        self._seen = 0
        self._views: deque[_View] = deque(maxlen=_SIDE + _AROUND + 1)
        self._changes: deque[_Change] = deque(maxlen=2 * _AROUND + 1)

    def see(self, time: float, pixels: Pixels) -> Cut | None:
        """The next frame, at `time` seconds, (h, w, 3) RGB of any size. Returns: a cut some frames back, if any."""
        small = cv2.resize(pixels, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
        self._add(_view(time, cast("Pixels", cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb))))
        return self._judge(_AROUND)

    def finish(self) -> tuple[Cut, ...]:
        """Cuts among the last frames, which wait for frames after them that do not come."""
        found = (self._judge(after) for after in reversed(range(min(_AROUND, self._seen))))
        return tuple(cut for cut in found if cut)

    def state(self) -> dict[str, Any]:
        """All that it goes on from, as JSON."""
        thumbs = b"".join(view.thumb.tobytes() for view in self._views)
        return {
            "seen": self._seen,
            "times": [view.time for view in self._views],
            "thumbs": base64.b64encode(thumbs).decode(),
            "changes": [list(change) for change in self._changes],
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> Cuts:
        """One that goes on where `state()` was taken."""
        cuts = cls()
        cuts._seen = state["seen"]
        thumbs = np.frombuffer(base64.b64decode(state["thumbs"]), np.uint8).reshape(-1, _HEIGHT, _WIDTH, 3)
        cuts._views.extend(_view(time, thumb) for time, thumb in zip(state["times"], thumbs, strict=True))
        cuts._changes.extend(_Change(*change) for change in state["changes"])
        return cuts

    def _add(self, view: _View) -> None:
        if self._views:
            self._changes.append(_change(self._views[-1], view))
        self._views.append(view)
        self._seen += 1

    def _judge(self, after: int) -> Cut | None:
        """Whether the frame that `after` frames followed begins a shot."""
        frame = self._seen - 1 - after
        place = len(self._changes) - 1 - after
        if frame < 1 or place < 0 or self._changes[place].content < _LEAST:
            return None
        views = list(self._views)
        at = len(views) - 1 - after
        across = [
            _change(one, other)
            for one, other in itertools.product(views[max(at - _SIDE, 0) : at], views[at : at + _SIDE])
        ]
        near = [change for k, change in enumerate(self._changes) if k != place and abs(k - place) <= _AROUND]
        content = _stands_out((change.content for change in across), [change.content for change in near], _STILL[0])
        tones = _stands_out((change.tones for change in across), [change.tones for change in near], _STILL[1])
        confidence = 1 / (1 + math.exp(-(_BIAS + _CONTENT * content + _TONES * tones)))
        if confidence < 0.5:  # noqa: PLR2004 - likelier not
            return None
        return Cut(frame, views[at - 1].time, views[at].time, confidence)


def _view(time: float, thumb: Pixels) -> _View:
    around = np.ones((3, 3), np.uint8)
    tones = cv2.calcHist([thumb], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3).ravel() / (_WIDTH * _HEIGHT)
    low, high = cv2.erode(thumb, around), cv2.dilate(thumb, around)
    return _View(time, thumb, cast("Pixels", low), cast("Pixels", high), cast("Floats", tones))


def _change(one: _View, other: _View) -> _Change:
    """How far two frames differ in content, beyond what a move by a pixel explains, and in their tones."""
    forth = cv2.add(cv2.subtract(other.thumb, one.high), cv2.subtract(one.low, other.thumb))
    back = cv2.add(cv2.subtract(one.thumb, other.high), cv2.subtract(other.low, one.thumb))
    content = (cv2.sumElems(forth)[:3], cv2.sumElems(back)[:3])
    tones = 1 - float(np.minimum(one.tones, other.tones).sum())
    return _Change(sum(map(sum, content)) / (2 * 255 * _WIDTH * _HEIGHT), tones)


def _stands_out(across: Iterable[float], near: list[float], still: float) -> float:
    """Log of the least change across a cut over the usual change near it."""
    usual = sorted(near)[int(_USUAL * (len(near) - 1))] if near else 0.0
    return math.log((min(across) + 0.1 * still) / (usual + still))
