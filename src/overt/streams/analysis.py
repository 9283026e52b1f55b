# SPDX-License-Identifier: Apache-2.0
"""What every way to look at a live stream offers, and what it gives back to be kept and told. Knows no camera."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Protocol

from overt.media.live import LiveFrame
from overt.types import Alert, Embedding, Face, Parcel, Wanted


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face that was followed until it left, in its best sight. time: UTC of that. id: that it is to be kept under."""

    face: Face
    embedding: Embedding
    time: dt.datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Told:
    """What a frame, or its absence, brought. All of it is written in one unit.

    alerts: of visits that begin. extended: alerts told before whose visit ended or got a better sight. faces: seen for
    the first time. named: ids of enrolled faces that parcels and alerts name, of `collection`; should one of them have
    been deleted meanwhile, neither is written.
    """

    parcels: tuple[Parcel, ...] = ()
    alerts: tuple[Alert, ...] = ()
    extended: tuple[Alert, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    faces: int = 0
    named: frozenset[str] = frozenset()
    collection: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.parcels or self.alerts or self.extended or self.sightings)


class Analysis(Protocol):
    """One session of one stream. For one thread."""

    @property
    def is_over(self) -> bool:
        """Whether the session has lasted as long as it was to."""

    def see(self, frame: LiveFrame | None, wall: dt.datetime) -> Told:
        """The next frame, or None when none came for a while; wall: UTC now.

        Raises: NotFoundError and WrongModelError when the list has gone or changed its model, PackError, StoreError.
        """

    def finish(self, wall: dt.datetime, reason: str) -> Told:
        """There are no more frames. reason: why it ends, in words; "" = it was stopped or has lasted long enough."""

    def change(self, wanted: Wanted) -> None:
        """What is wanted has changed; from the next frame on that is done."""
