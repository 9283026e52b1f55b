# SPDX-License-Identifier: Apache-2.0
"""A stream that looks for the people of a collection: records of frames, alerts of visits, sightings where wanted.

Knows no camera and no sink.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from overt.media import crops
from overt.media.live import LiveFrame
from overt.models.hub import Hub
from overt.stores.base import Stores
from overt.streams import telling
from overt.streams.analysis import Sighting, Told
from overt.streams.regions import Regions
from overt.streams.scene import Moment, Scene
from overt.streams.visits import Stage, Visit, Visits
from overt.streams.watch import Watch, WatchList
from overt.types import Alert, Parcel, Stream, Wanted

_MARGIN = 0.6
"""How much is kept around a face, in sides of its box: hair and collar help whoever compares."""


class SearchAnalysis:
    """Implements `Analysis`. Args: stream: one with a search and a session."""

    def __init__(self, stream: Stream, models: Hub, stores: Stores) -> None:
        self._stream = stream
        if stream.wanted.search is None:
            msg = f"stream {stream.name} looks for no faces"
            raise ValueError(msg)
        self._search = stream.wanted.search
        self._session = stream.session.id if stream.session else ""
        options = stream.wanted.options
        faces = models.faces
        watch_list = WatchList(stream.account, self._search.collection, self._search.least)
        self._watch = Watch(faces, stores, watch_list, options.finest)
        self._visits = Visits(options.quiet, tells_unknown=options.tells_unknown)
        self._scene = Scene(self._watch, self._visits)
        self._regions = Regions(stream.wanted.regions)
        self._model = faces.model
        self._origin: dt.datetime | None = None  # when the stream's second 0 was
        self._open: dict[int, Alert] = {}
        self._best: dict[int, Sighting] = {}
        self._met: set[int] = set()
        with stores.read() as unit:
            for alert in unit.alerts.open(stream.id):
                if alert.match is not None:
                    self._open[self._visits.resume(alert.match, alert.box)] = alert

    @property
    def is_over(self) -> bool:
        """Never: it goes on until it is stopped."""
        return False

    def see(self, frame: LiveFrame | None, wall: dt.datetime) -> Told:
        """See `Analysis.see`."""
        moment = self._scene.see(frame, self._regions.holds)
        told = self._told(moment, frame, wall)
        if frame is not None and self._stream.wanted.records:
            named = {match.subject.id for sight in moment.sights for match in sight.matches}
            record = telling.record(self._stream, frame, moment.sights)
            told = replace(told, parcels=(*told.parcels, record), named=told.named | named)
        return told

    def finish(self, wall: dt.datetime, reason: str) -> Told:  # noqa: ARG002 - an alert ends whatever the reason
        """See `Analysis.finish`."""
        told = self._told(self._scene.finish(), None, wall)
        left = tuple(sighting for index, sighting in self._best.items() if index in self._met)
        self._best = {}
        return replace(told, sightings=(*told.sightings, *left))

    def change(self, wanted: Wanted) -> None:
        """See `Analysis.change`."""
        self._stream = replace(self._stream, wanted=wanted)
        self._regions = Regions(wanted.regions)

    def _told(self, moment: Moment, frame: LiveFrame | None, wall: dt.datetime) -> Told:
        if frame is not None:
            self._origin = frame.wall - dt.timedelta(seconds=frame.time)
        begun: list[Alert] = []
        extended: list[Alert] = []
        parcels: list[Parcel] = []
        for visit in moment.visits:
            if visit.stage is Stage.BEGUN and frame is not None:
                alert = self._open[visit.number] = self._alert(visit, frame)
                begun.append(alert)
                parcels += self._parcels(alert, "begun", wall)
            elif visit.stage is Stage.BETTER and frame is not None and visit.number in self._open:
                before = self._open[visit.number]
                alert = self._open[visit.number] = replace(before, **_seen(visit, frame))
                extended.append(alert)
            elif visit.stage is Stage.OVER and visit.number in self._open:
                left = (self._origin or wall) + dt.timedelta(seconds=visit.end)
                before = self._open.pop(visit.number)
                alert = replace(before, end=max(left, before.start), picture=None)
                extended.append(alert)
                parcels += self._parcels(alert, "over", wall)
        faces = {sight.index for sight in moment.sights if sight.is_confirmed} - self._met
        sightings = self._sightings(moment, wall)
        self._met = (self._met | faces).difference(self._watch.ended)
        return Told(
            tuple(parcels),
            tuple(begun),
            tuple(extended),
            sightings,
            len(faces),
            frozenset(alert.match.subject.id for alert in (*begun, *extended) if alert.match is not None),
            self._search.collection,
        )

    def _alert(self, visit: Visit, frame: LiveFrame) -> Alert:
        stream = self._stream
        return Alert(
            id=uuid.uuid4().hex,
            account=stream.account,
            stream=stream.id,
            stream_name=stream.name,
            source=stream.wanted.source,
            session=self._session,
            start=frame.wall,
            end=None,
            collection=self._search.collection,
            list_size=self._watch.list_size,
            threshold=self._search.least,
            model=self._model,
            review="pending" if stream.wanted.options.reviews else "none",
            **_seen(visit, frame),
        )

    def _parcels(self, alert: Alert, state: str, wall: dt.datetime) -> tuple[Parcel, ...]:
        """Nobody is told of what people are to look at first."""
        return () if alert.review == "pending" else telling.alert(self._stream, alert, state, wall)

    def _sightings(self, moment: Moment, wall: dt.datetime) -> tuple[Sighting, ...]:
        """The faces that have left, where they are to be kept; else none is remembered."""
        if self._stream.wanted.options.sightings is None:
            return ()
        for sight in moment.sights:
            if sight.embedding is not None:
                self._best[sight.index] = Sighting(sight.face, sight.embedding, wall)
        gone = [(index, self._best.pop(index)) for index in self._watch.ended if index in self._best]
        return tuple(sighting for index, sighting in gone if index in self._met)


def _seen(visit: Visit, frame: LiveFrame) -> dict[str, Any]:
    """What an alert keeps of the best sight."""
    picture = crops.picture(crops.around(frame.image, visit.box, _MARGIN))
    return {"time": frame.time, "box": visit.box, "match": visit.match, "picture": picture}
