# SPDX-License-Identifier: Apache-2.0
"""Watches one stream, in a thread of its own: camera, analysis, and what it brought into the store.

All is written in units that hold the charge, so that nothing is told by a worker whose stream another one has taken
over. Knows no sink, and not how many streams there are.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import structlog

from overt.errors import WireError
from overt.media.live import Camera, LiveFrame, State
from overt.media.sources.base import SourceError
from overt.models.pack import PackError
from overt.stores.base import Charge, LostError, NewFace, NotFoundError, StoreError, Stores, Unit, WrongModelError
from overt.streams.analysis import Analysis, Sighting, Told
from overt.streams.scene import frames
from overt.types import Parcel, Pulse, Stream

log = structlog.get_logger(__name__)

LEASE = 15.0
"""Seconds that a stream belongs to a worker that says nothing; then another may take it."""
_RENEW = 3.0
_LATELY = 5.0  # seconds that a rate is of
_FATAL = (SourceError, NotFoundError, WrongModelError, PackError, ValueError, WireError)
"""Errors that trying again does not mend: somebody has to do something first."""
_KEPT = 500
"""Moments kept in memory while the store takes nothing; of more, the oldest are lost, and that is told."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What workers work with. open_camera, analyse: what to watch, and how. put: sets parcels in line within a unit.

    wake: there is something to carry. places: how many frames are looked at at the same time, on all streams together.
    Raises, of open_camera: SourceError; of analyse: ValueError, NotFoundError, WrongModelError, PackError.
    """

    stores: Stores
    open_camera: Callable[[Stream], Camera]
    analyse: Callable[[Stream], Analysis]
    put: Callable[[Unit, tuple[Parcel, ...]], None]
    wake: Callable[[], None]
    places: AbstractContextManager[object]


class Worker:
    """From its making until the stream is to be watched no longer, or `close`."""

    def __init__(self, charge: Charge, tools: Tools) -> None:
        self.stream = charge.stream
        self.failed = False
        """Whether it ended by an error of ours, after which the stream is to be watched still."""
        self._charge = charge
        self._tools = tools
        self._stopped = threading.Event()
        self._waiting: deque[Told] = deque()
        self._lost = 0
        self._gauge = _Gauge()
        self._thread = threading.Thread(target=self._run, name=f"stream {charge.stream.name}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it still watches."""
        return self._thread.is_alive()

    def poke(self) -> None:
        """Have it look soon whether something else is wanted."""
        self._gauge.is_due = True

    def close(self) -> None:
        """Leave the stream to whoever comes next; returns soon, see `join`."""
        self._stopped.set()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        key = self.stream.id  # names never reach a log
        log.info("stream watched", stream=key)
        try:
            status, message = self._watch()
        except LostError:
            log.info("stream left to another server", stream=key)
        except _FATAL as error:
            self._end("FAILED", str(error))
        except Exception:
            log.exception("watching failed; it is begun anew", stream=key)
            self.failed = True
            self._leave()
        else:
            self._end(status, message) if status else self._leave()

    def _watch(self) -> tuple[str, str]:
        """Watch until it is over. Returns: the status that it ends with, and why; "" = somebody else goes on."""
        analysis = self._tools.analyse(self.stream)
        with self._tools.open_camera(self.stream) as camera:
            try:
                for frame in frames(camera):
                    self._look(analysis, camera, frame)
                    is_over = self._renew(analysis, camera) or analysis.is_over
                    if self._stopped.is_set():  # visits go on with whoever comes next
                        return "", ""
                    if is_over:
                        self._write(analysis.finish(dt.datetime.now(dt.UTC), ""))
                        return "STOPPED", ""
            except _FATAL as error:
                self._write(analysis.finish(dt.datetime.now(dt.UTC), str(error)))
                raise
            self._write(analysis.finish(dt.datetime.now(dt.UTC), ""))
        return "STOPPED", "the source came to its end"

    def _look(self, analysis: Analysis, camera: Camera, found: LiveFrame | None) -> None:
        with self._tools.places:
            # Whoever waited for a place looks at what is there now.
            frame = found and (camera.newest(0) or found)
            told = analysis.see(frame, dt.datetime.now(dt.UTC))
        if frame is not None:
            self._gauge.looked(frame.wall)
        self._gauge.faces += told.faces
        self._gauge.alerts += len(told.alerts)
        self._write(told)

    def _write(self, told: Told) -> None:
        """Keep what was brought, in order; while the store takes nothing, in memory. Raises: LostError."""
        if not told.is_empty:
            self._waiting.append(told)
            if len(self._waiting) > _KEPT:
                self._waiting.popleft()
                self._lost += 1
        self._flush()

    def _flush(self) -> None:
        while self._waiting:
            try:
                with self._tools.stores.write() as unit:
                    unit.streams.hold(self._charge)
                    self._keep(unit, self._waiting[0])
            except (LostError, NotFoundError, WrongModelError):  # no waiting helps
                raise
            except StoreError as error:
                log.warning("what a stream tells waits for the store", stream=self.stream.id, reason=str(error))
                return
            self._tools.wake()
            self._waiting.popleft()
        if self._lost:
            log.error("what a stream told was lost while the store took nothing", count=self._lost)
            self._lost = 0

    def _keep(self, unit: Unit, told: Told) -> None:
        """In the order in which all units lock. Raises: NotFoundError; WrongModelError."""
        for sighting in told.sightings:
            self._enrol(unit, sighting)
        is_known = self._is_known(unit, told)
        for alert in told.alerts if is_known else ():
            unit.alerts.add(alert)
        for alert in told.extended:
            unit.alerts.extend(alert)
        if told.parcels and is_known:
            self._tools.put(unit, told.parcels)

    def _is_known(self, unit: Unit, told: Told) -> bool:
        """Whether all faces that are named are enrolled still: of one that was erased a moment ago nothing is told."""
        if not told.named:
            return True
        collection = unit.collections.get(self.stream.account, told.collection)
        return len(unit.faces.get(collection, told.named)) == len(told.named)

    def _enrol(self, unit: Unit, sighting: Sighting) -> None:
        """Keep a face for those who search the past. Raises: NotFoundError; WrongModelError."""
        options = self.stream.wanted.options
        collection = unit.collections.get(self.stream.account, options.sightings or "")
        moment = f"{sighting.time:%Y-%m-%dT%H:%M:%S}.{sighting.time.microsecond // 1000:03d}Z"
        new = NewFace(sighting.id, sighting.face.box, sighting.face.confidence, sighting.embedding)
        unit.faces.add(collection, sighting.id, f"{self.stream.name}:{moment}", [new])
        unit.expiries.set(collection, [sighting.id], sighting.time + dt.timedelta(days=options.sighting_days))

    def _renew(self, analysis: Analysis, camera: Camera) -> bool:
        """Say that it goes on, now and then, and hear what is wanted. Returns: whether it is to end.

        Raises: LostError when another server has taken over.
        """
        if not self._gauge.is_due_now():
            return False
        pulse = self._gauge.pulse(camera)
        live = pulse.camera == State.LIVE.value
        status = "RUNNING" if self._gauge.count else "STARTING"
        message = "" if live else f"{pulse.camera}: {pulse.reason}".rstrip(": ")
        try:
            with self._tools.stores.write() as unit:
                charge = unit.streams.renew(self._charge, LEASE, status, message, pulse)
        except LostError:
            raise
        except StoreError as error:
            log.warning("a stream could not be renewed", stream=self.stream.id, reason=str(error))
            return False
        before, self._charge, self.stream = self._charge, charge, charge.stream
        if charge.revision != before.revision:
            self._change(analysis, before.stream, charge.stream)
        return charge.stream.status == "STOPPING"

    def _change(self, analysis: Analysis, before: Stream, now: Stream) -> None:
        """Take up what is wanted now; where that needs another camera or analysis, it is watched anew."""
        old, new = before.wanted, now.wanted
        if (old.source, old.search, old.options) == (new.source, new.search, new.options):
            analysis.change(new)
        else:
            self._stopped.set()

    def _end(self, status: str, message: str) -> None:
        log.info("stream over", stream=self.stream.id, status=status)
        try:
            with self._tools.stores.write() as unit:
                unit.streams.end(self._charge, status, message, self._gauge.pulse(None))
        except LostError:
            log.info("stream left to another server", stream=self.stream.id)
        except StoreError as error:
            log.warning("a stream's end could not be kept", stream=self.stream.id, reason=str(error))

    def _leave(self) -> None:
        try:
            with self._tools.stores.write() as unit:
                unit.streams.leave(self._charge)
        except StoreError as error:
            log.warning("a stream could not be given up", stream=self.stream.id, reason=str(error))


class _Gauge:
    """How a session goes, counted."""

    def __init__(self) -> None:
        self.count = self.faces = self.alerts = 0
        self.is_due = False
        self._times: deque[float] = deque()
        self._told = time.monotonic()
        self._lag = 0.0
        self._last = Pulse(dt.datetime.now(dt.UTC))

    def looked(self, arrived: dt.datetime) -> None:
        """A frame was looked at. arrived: when it came, UTC."""
        self.is_due |= not self.count  # that it runs now is news
        self.count += 1
        self._times.append(time.monotonic())
        self._lag = max(self._lag, (dt.datetime.now(dt.UTC) - arrived).total_seconds())

    def is_due_now(self) -> bool:
        """Whether it is time to tell."""
        return self.is_due or time.monotonic() - self._told >= _RENEW

    def pulse(self, camera: Camera | None) -> Pulse:
        """What there is to tell; the slowest frame since the last time makes the lag. camera: None = as last told."""
        now = self._told = time.monotonic()
        self.is_due = False
        while self._times and now - self._times[0] > _LATELY:
            self._times.popleft()
        rate = (len(self._times) - 1) / max(now - self._times[0], 1e-3) if len(self._times) > 1 else 0.0
        counted = replace(
            self._last,
            told=dt.datetime.now(dt.UTC),
            looked=self.count,
            rate=round(rate, 2),
            lag=round(self._lag, 3),
            faces=self.faces,
            alerts=self.alerts,
        )
        self._lag = 0.0
        if camera is None:
            self._last = replace(counted, camera=State.CLOSED.value, rate=0.0, frame_rate=0.0, resident=0)
        else:
            health = camera.health
            self._last = replace(
                counted,
                camera=health.state.value,
                reason=health.reason if health.state is not State.LIVE else "",
                frame_rate=round(health.frame_rate, 2),
                dropped=health.dropped,
                reconnects=health.reconnects,
                resident=camera.resident,
            )
        return self._last
