# SPDX-License-Identifier: Apache-2.0
"""Stretches of a video: frames in a row that show the same thing. Knows not what they show."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any


@dataclass(slots=True)
class Stretch:
    """Frames from start_frame to end_frame, both in it, at start and end seconds.

    total: sum of the scores of its `count` frames that had one.
    """

    start_frame: int
    end_frame: int
    start: float
    end: float
    total: float
    count: int

    @property
    def score(self) -> float:
        """The mean score of its frames."""
        return self.total / self.count


class Stretches:
    """Collects frames with a score into stretches. Its state is JSON, to go on from."""

    def __init__(self, gap: float = 0.0) -> None:
        """Args: gap: seconds that frames without a score may last inside a stretch."""
        self.gap = gap
        self.done: list[Stretch] = []
        self.open: Stretch | None = None

    def see(self, number: int, time: float, score: float | None) -> None:
        """The next frame, at `time` seconds. score: 0..1; None = it does not show the thing."""
        if score is not None:
            if self.open is None:
                self.open = Stretch(number, number, time, time, 0.0, 0)
            self.open.end_frame, self.open.end = number, time
            self.open.total += score
            self.open.count += 1
        elif self.open is not None and (not self.gap or time - self.open.end > self.gap):
            self.close()

    def close(self) -> None:
        """End the stretch in hand, if there is one."""
        if self.open is not None:
            self.done.append(self.open)
            self.open = None

    def all(self) -> list[Stretch]:
        """Every stretch so far, in order."""
        return [*self.done, self.open] if self.open else list(self.done)

    def state(self) -> dict[str, Any]:
        """All that it goes on from, as JSON."""
        return {"gap": self.gap, "done": [astuple(one) for one in self.done], "open": self.open and astuple(self.open)}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Stretches:
        """One that goes on where `state()` was taken."""
        stretches = cls(state["gap"])
        stretches.done = [Stretch(*one) for one in state["done"]]
        stretches.open = Stretch(*state["open"]) if state["open"] else None
        return stretches
