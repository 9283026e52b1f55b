# SPDX-License-Identifier: Apache-2.0
"""End credits, from small frames looked at four times a second: text that rolls, or pages of it, on a plain ground.

At 96 pixels' width letters cannot be read. What shows is their ink: much plain ground with little on it, that goes up
as one, or lies in thin lines, page after page. Credits over pictures are not found. A reader of lines may be asked to
confirm what was found.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from overt.jobs.stretches import Stretch
from overt.types import Pixels

Lines = Callable[[float], int]
"""Tells how many lines of text the video shows at a time in seconds."""

_RATE = 4
"""Looks a second."""
_BACK = 2
"""Looks between the two that a roll is measured over: half a second, as slow rolls move a row in that."""
_INK = 24
"""Levels from the ground's luma from which a pixel is ink."""
_EVEN = 10
"""Levels from the ground's luma within which a plain ground stays, compression and all."""
_MARGIN, _CLEAR = 0.03, 0.98
"""Share of the width left and right that no text reaches, and share of it that must be even."""
_PLAIN_ROLL, _PLAIN_PAGE = 0.5, 0.7
"""Share of the pixels that must be ground."""
_LEAST_INK = 0.003
"""Share of the pixels that must be ink: a line of three words has 0.005."""
_DARK = 64
"""Luma up to which a ground is dark. Pages count on dark grounds alone: slides and screens are mostly light."""
_FOLLOWED = 0.6
"""What may be left of the difference to an earlier look once that is moved up as far as it rolled."""
_NOISE = 0.3
"""Levels that two looks differ by without anything going on."""
_THIN = 0.13
"""Height of a line of text at most, as a share of the frame's."""
_IN_LINES = 0.75
"""Share of a page's ink that must lie in such lines."""
_TURNED = 0.3
"""Share of the ink that differs between two looks of different pages."""
_GAP = 2.0
"""Seconds that pages may be apart."""
_LEAST_TIME = 4.0
"""Seconds that credits last at least."""
_TAIL = 60.0
"""Seconds that may follow: logos, a last scene."""
_MOST = 0.5
"""Share of the video that end credits may take."""
_STEADY = 0.5
"""Share of a stretch's looks that must roll for it to be a roll."""
_SURE = {"roll": 0.95, "pages": 0.8, "page": 0.0}
"""Confidence in a stretch all of whose looks are credits: nothing else rolls so steadily; title cards look like pages;
a single page alone is any title, unless a reader says otherwise."""
_READ = 0.9
"""Confidence at least where a reader confirms."""
_LEAST_LINES = 2
"""Lines of text that a reader must see in most of the looks it is asked for."""


@dataclass(slots=True)
class _Run:
    """Looks in a row that show credits. rolls: those of them that roll. pages: different pages seen."""

    start_frame: int
    end_frame: int
    start: float
    end: float
    looks: int
    rolls: int
    pages: int
    spanned: int


class Credits:
    """Finds end credits. Its state is JSON, to go on from."""

    def __init__(self) -> None:
        self._due = 0
        self._first: float | None = None
        self._time = 0.0
        self._before: list[Pixels] = []
        self._page: Pixels | None = None
        self._runs: list[_Run] = []
        self._is_open = False

    def see(self, number: int, time: float, brightness: Pixels) -> None:
        """The next frame at `time` seconds. brightness: (h, w) uint8 luma of a size that stays."""
        self._first = time if self._first is None else min(self._first, time)
        if time < self._time:
            self._due = 0  # timestamps that jump back
        self._time = time
        if time * _RATE < self._due - 1e-6:
            return
        self._due = int(time * _RATE + 1e-6) + 1
        earlier = self._before[0] if len(self._before) == _BACK else None
        if earlier is not None and earlier.shape != brightness.shape:
            earlier, self._before = None, []
        self._note(number, time, _kind(brightness, earlier), brightness)
        self._before = [*self._before[1 - _BACK :], brightness]

    def finish(self, lines: Lines | None = None) -> list[Stretch]:
        """End credits, in order; the score is the confidence. lines: asked up to 3 times a stretch, where given."""
        runs = [run for run in self._runs if run.end - run.start >= _LEAST_TIME]
        found: list[Stretch] = []
        limit, whole, taken = self._time, self._time - (self._first or 0.0), 0.0
        for run in reversed(runs):
            taken += run.end - run.start
            if run.end < limit - _TAIL or taken > _MOST * whole:
                break
            confidence = _confidence(run)
            if lines:
                confidence = _confirmed(run, confidence, lines)
            if confidence >= 0.5:  # noqa: PLR2004 - likelier than not
                found.append(Stretch(run.start_frame, run.end_frame, run.start, run.end, confidence, 1))
                limit = run.start
        return found[::-1]

    def state(self) -> dict[str, Any]:
        """All that it goes on from, as JSON."""
        return {
            "due": self._due,
            "first": self._first,
            "time": self._time,
            "before": [_packed(one) for one in self._before],
            "page": None if self._page is None else _packed(self._page),
            "runs": [list(astuple(run)) for run in self._runs],
            "is_open": self._is_open,
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> Credits:
        """One that goes on where `state()` was taken."""
        credit = cls()
        credit._due, credit._first, credit._time = state["due"], state["first"], state["time"]
        credit._before = [_unpacked(one) for one in state["before"]]
        credit._page = None if state["page"] is None else _unpacked(state["page"])
        credit._runs = [_Run(*run) for run in state["runs"]]
        credit._is_open = state["is_open"]
        return credit

    def _note(self, number: int, time: float, kind: Literal["roll", "page"] | None, brightness: Pixels) -> None:
        run = self._runs[-1] if self._is_open else None
        if run:
            run.spanned += kind is None
            if time - run.end > _GAP:
                self._is_open, run = False, None
        if kind is None:
            return
        if run is None:
            # Credits end the video: what lies further back than may follow them was something else.
            if self._runs and self._runs[-1].end < time - _TAIL:
                self._runs.clear()
            run = _Run(number, number, time, time, 0, 0, 0, 0)
            self._runs.append(run)
            self._is_open, self._page = True, None
        run.end_frame, run.end = number, time
        run.looks += 1
        run.rolls += kind == "roll"
        if kind == "page" and (self._page is None or _turned(self._page, brightness)):
            run.pages += 1
            self._page = brightness


def _kind(brightness: Pixels, earlier: Pixels | None) -> Literal["roll", "page"] | None:
    """What a look shows, given one of half a second before."""
    ground = _ground(brightness)
    ink = _inked(brightness, ground)
    share = cv2.countNonZero(ink) / ink.size
    if not _LEAST_INK <= share <= 1 - _PLAIN_ROLL or not _is_plain(brightness, ground):
        return None
    if earlier is not None and abs(_ground(earlier) - ground) <= _INK and _rolls(earlier, brightness):
        return "roll"
    is_page = share <= 1 - _PLAIN_PAGE and ground <= _DARK and _lies_in_lines(ink)
    return "page" if is_page else None


def _ground(brightness: Pixels) -> int:
    """The commonest luma, to 8 levels."""
    counts = cv2.calcHist([brightness], [0], None, [32], [0, 256])
    return int(counts.argmax()) * 8 + 4


def _is_plain(brightness: Pixels, ground: int) -> bool:
    """Whether the ground is one level rather than a dark picture, and frames the text left and right."""
    even = cv2.inRange(brightness, max(ground - _EVEN, 0), min(ground + _EVEN, 255))
    side = max(round(_MARGIN * even.shape[1]), 1)
    beside = cv2.countNonZero(even[:, :side]) + cv2.countNonZero(even[:, -side:])
    return cv2.countNonZero(even) >= _PLAIN_ROLL * even.size and beside >= _CLEAR * 2 * side * len(even)


def _inked(brightness: Pixels, ground: int) -> Pixels:
    """255 where there is ink."""
    return cast("Pixels", cv2.bitwise_not(cv2.inRange(brightness, max(ground - _INK, 0), min(ground + _INK, 255))))


def _rolls(earlier: Pixels, now: Pixels) -> bool:
    """Whether the picture went up as a whole: moved so, the earlier one explains most of the difference."""
    height = len(now)
    # A roll moves by parts of a row too: smeared over three, those matter little.
    earlier, now = (cast("Pixels", cv2.blur(one, (1, 3))) for one in (earlier, now))
    still = _apart(earlier, now)
    if still < _NOISE:
        return False
    apart = [_apart(earlier[rows:], now[: height - rows]) for rows in range(1, height // 3)]
    best = int(np.argmin(apart))
    down = min(_apart(earlier[: height - rows], now[rows:]) for rows in range(1, height // 6))
    return apart[best] <= _FOLLOWED * min(still, down)


def _apart(one: Pixels, other: Pixels) -> float:
    return cv2.norm(one, other, cv2.NORM_L1) / one.size


def _lies_in_lines(ink: Pixels) -> bool:
    """Whether ink makes two thin lines or more, and little else."""
    height, width = ink.shape
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(width // 16, 3)), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    areas, heights = stats[1:, cv2.CC_STAT_AREA], stats[1:, cv2.CC_STAT_HEIGHT]
    wide = stats[1:, cv2.CC_STAT_WIDTH] >= heights
    line = (heights <= _THIN * height) & wide
    return bool(count > 2 and line.sum() >= 2 and areas[line].sum() >= _IN_LINES * areas.sum())  # noqa: PLR2004


def _turned(page: Pixels, now: Pixels) -> bool:
    """Whether another page is shown."""
    if page.shape != now.shape:
        return True
    one, other = _inked(page, _ground(page)), _inked(now, _ground(now))
    return cv2.countNonZero(cv2.bitwise_xor(one, other)) > _TURNED * cv2.countNonZero(cv2.bitwise_or(one, other))


def _confidence(run: _Run) -> float:
    kind = "roll" if run.rolls >= _STEADY * run.looks else "pages" if run.pages > 1 else "page"
    return _SURE[kind] * run.looks / (run.looks + run.spanned)


def _confirmed(run: _Run, confidence: float, lines: Lines) -> float:
    """The confidence once a reader was asked: 0 where it sees no text."""
    asked = [run.start + share * (run.end - run.start) for share in (0.25, 0.5, 0.75)]
    seen = sum(lines(time) >= _LEAST_LINES for time in asked)
    return max(confidence, _READ) if seen > 1 else 0.0


def _packed(one: Pixels) -> list[Any]:
    return [*one.shape, base64.b64encode(one.tobytes()).decode()]


def _unpacked(packed: list[Any]) -> npt.NDArray[np.uint8]:
    *shape, text = packed
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)
