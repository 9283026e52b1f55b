# SPDX-License-Identifier: Apache-2.0
"""What every task on a video offers: how often it looks, what it finds, and where it stands between two chunks."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from overt.models.hub import Hub
from overt.stores import plain
from overt.stores.base import Stores
from overt.types import Finding, Footage, Frame

FRAMES = "frames"
"""The view of findings by the frame they were seen in."""
SPANS = "spans"
"""The view of findings by how long they were seen; see `spans`."""
MATCHES = "matches"
"""The view of what is known of a path only once it is over."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What tasks work with. threads: that glance at frames at the same time; 0 = the caller's own."""

    models: Hub
    stores: Stores
    threads: int = 0


class Watch(Protocol):
    """One task at work on one video. What it returns was found since it was last asked."""

    def glance(self, frame: Frame) -> Any:
        """What can be told of a frame by itself, which is what takes long. On any thread, in any order."""

    def see(self, frame: Frame, glance: Any) -> Iterable[Finding]:
        """The next frame, in the order of time, and what `glance` told of it."""

    def finish(self) -> Iterable[Finding]:
        """There are no more frames."""

    def state(self) -> Any:
        """Where it stands, as JSON knows it; `Task.begin` goes on from there as if nothing had happened."""


class Task(Protocol):
    """Something to look for; a frozen dataclass, kept with its job."""

    @property
    def rate(self) -> float | None:
        """Frames to look at, a second; None = all of them."""

    @property
    def side(self) -> int | None:
        """Longest side that frames are scaled down to, in pixels; None = as they are."""

    @property
    def hears(self) -> bool:
        """Whether the sound matters."""

    def begin(self, tools: Tools, footage: Footage, state: Any) -> Watch:
        """Start, or go on from a state; None = from the start. Raises: PackError when a model is missing."""


_KINDS = {
    "Faces": "faces",
    "Labels": "labels",
    "Moderation": "moderation",
    "People": "people",
    "Search": "search",
    "Segments": "segments",
    "Texts": "texts",
}


def write(task: Task) -> str:
    """The task as JSON."""
    return json.dumps({"kind": type(task).__name__, "settings": json.loads(plain.write(task))})


def read(text: str) -> Task:
    """The task that `write` wrote."""
    fields = json.loads(text)
    module = importlib.import_module(f"overt.jobs.tasks.{_KINDS[fields['kind']]}")
    task: Task = plain.read(getattr(module, fields["kind"]), json.dumps(fields["settings"]))
    return task


def finding(time: float, name: str, noun: object, view: str = FRAMES) -> Finding:
    """A finding as it is kept. Args: time: seconds. name: see `Finding`."""
    return Finding(int(time * 1000), name, view, plain.write(noun))
