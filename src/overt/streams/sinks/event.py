# SPDX-License-Identifier: Apache-2.0
"""Gives parcels to those who listen to this server: `events:`. Who listens and how is the hub's matter."""

from __future__ import annotations

from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Parcel


class EventSink:
    """Implements `base.Sink`. An event is taken when all who listen now have it in line, be they none."""

    def __init__(self, url: str, surroundings: Surroundings) -> None:
        if url.lower() != "events:":
            msg = "events: stands alone"
            raise TargetError(msg)
        self._hub = surroundings.hub

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        self._hub.tell(parcel)

    def close(self) -> None:
        """See `base.Sink.close`. The hub is everybody's."""
