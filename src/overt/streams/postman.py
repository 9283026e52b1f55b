# SPDX-License-Identifier: Apache-2.0
"""Carries parcels to their targets: each lane in its order, all lanes beside each other, again and again until taken.

A parcel leaves the store only after its target took it, so an end at any moment loses none; some may come twice. Knows
no target: `sinks` open them.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from overt.outlets.base import SendError, shown
from overt.settings import Settings
from overt.stores.base import LostError, StoreError, Stores, Turn, Unit
from overt.streams.sinks import open_sink
from overt.streams.sinks.base import Sink, Surroundings, TargetError
from overt.types import Parcel

log = structlog.get_logger(__name__)

_LEASE = 60.0  # seconds: a target has some ten for one parcel; after that another server may take a lane over
_POLL = 0.5  # seconds between two looks for parcels that came by another process, or whose time has come
_SWEEP = 60.0
_FIRST, _LONGEST = 1.0, 300.0  # seconds between attempts, doubling
_AT_ONCE = 32
_BATCH = 8  # parcels of a lane held in memory
_IDLE = 300.0  # seconds after which a connection is closed
_FAREWELL = 3.0  # seconds that `close` waits for what is under way


@dataclass(frozen=True, slots=True)
class Limits:
    """What may wait. size: bytes for one target of one stream, and as many of dead letters. waiting, dead: how long."""

    size: int = 256_000_000
    waiting: dt.timedelta = dt.timedelta(days=3)
    dead: dt.timedelta = dt.timedelta(days=14)

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Those that the settings name."""
        return cls(
            settings.parcel_megabytes * 1_000_000,
            dt.timedelta(days=settings.parcel_days),
            dt.timedelta(days=settings.dead_letter_days),
        )


@dataclass(frozen=True, slots=True)
class Health:
    """How it stands with one target of a stream. target: without secrets. age: seconds that the oldest has waited.

    Else as in `stores.base.Lane`.
    """

    stream: str
    target: str
    waiting: int
    age: float
    attempts: int
    error: str
    sent: int
    dead: int
    lost: int


@dataclass(slots=True)
class _Line:
    """An open sink. used: when, by a clock that only goes forward."""

    sink: Sink
    used: float


class Postman:
    """Works from `open` to `close`. Thread-safe."""

    def __init__(
        self, stores: Stores, surroundings: Surroundings, limits: Limits, *, owner: str, at_once: int = _AT_ONCE
    ) -> None:
        """Args: owner: this server's name, the same after a restart. at_once: parcels on their way at the same time."""
        self._stores = stores
        self._surroundings = surroundings
        self._limits = limits
        self._owner = owner
        self._at_once = at_once
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._carriers: dict[int, threading.Thread] = {}
        self._struggling: set[int] = set()
        self._lines: dict[int, _Line] = {}
        self._swept = float("-inf")
        self._clerk = threading.Thread(target=self._serve, name="postman", daemon=True)

    def put(self, unit: Unit, parcels: Sequence[Parcel]) -> None:
        """Set parcels in line within a unit of the producer's; `wake` once it is written."""
        given_up = unit.parcels.put(parcels, self._limits.size)
        if given_up:
            log.warning("parcels given up for want of room", count=given_up, stream=parcels[0].stream)

    def wake(self) -> None:
        """There are new parcels, or dead ones are to be sent anew."""
        self._wake.set()

    def open(self) -> None:
        """Begin to work, on what an earlier server left as well."""
        self._clerk.start()

    def close(self) -> None:
        """Stop. What is not taken within some seconds stays in the store, and is sent again."""
        self._stopped.set()
        self._wake.set()
        if self._clerk.is_alive():
            self._clerk.join()
        end = time.monotonic() + _FAREWELL
        with self._lock:
            carriers = list(self._carriers.values())
        for carrier in carriers:
            carrier.join(max(end - time.monotonic(), 0))
        with self._lock:
            left, self._lines = self._lines, {}
        for line in left.values():
            line.sink.close()

    def health(self, stream: str | None = None) -> Sequence[Health]:
        """Of all targets, or of a stream's. Raises: StoreError."""
        with self._stores.read() as unit:
            lanes = unit.parcels.lanes(stream)
        now = dt.datetime.now(dt.UTC)
        return [
            Health(
                stream=lane.stream,
                target=shown(lane.target),
                waiting=lane.waiting,
                age=max((now - lane.oldest).total_seconds(), 0.0) if lane.oldest else 0.0,
                attempts=lane.attempts,
                error=lane.error,
                sent=lane.sent,
                dead=lane.dead,
                lost=lane.lost,
            )
            for lane in lanes
        ]

    def _serve(self) -> None:
        """Send carriers out, until the end."""
        while not self._stopped.is_set():
            self._wake.wait(_POLL)
            self._wake.clear()
            try:
                self._dispatch()
                if time.monotonic() - self._swept >= _SWEEP:
                    self._sweep()
            except StoreError as error:
                log.warning("no parcels could be fetched", reason=str(error))
                self._stopped.wait(_POLL)
            except Exception:
                log.exception("the postman stumbled")  # and goes on: nobody else tells what waits
                self._stopped.wait(_POLL)

    def _dispatch(self) -> None:
        with self._stores.read() as unit:
            due = unit.parcels.due(self._owner)
        for lane, attempts in due:
            with self._lock:
                if lane in self._carriers or self._stopped.is_set():
                    continue
                # Targets that do not answer keep their carriers long, and must not have them all.
                if len(self._carriers) >= self._at_once or (
                    attempts and len(self._struggling) >= max(self._at_once // 2, 1)
                ):
                    continue
                carrier = threading.Thread(target=self._carry, args=(lane,), name=f"postman-{lane}", daemon=True)
                carrier.start()
                self._carriers[lane] = carrier
                if attempts:
                    self._struggling.add(lane)

    def _carry(self, lane: int) -> None:
        """Carry what is due in a lane, then look whether there is more."""
        try:
            with self._stores.write() as unit:
                turn = unit.parcels.claim(lane, self._owner, _LEASE)
            if turn is not None:
                self._work(turn)
        except LostError:
            log.info("another server carries on", lane=lane)
        except StoreError as error:
            if not self._stopped.is_set():
                log.warning("parcels wait for the store", reason=str(error))
        finally:
            with self._lock:
                del self._carriers[lane]
                self._struggling.discard(lane)
            self._wake.set()

    def _work(self, turn: Turn) -> None:
        """Carry until nothing waits, something fails, or the end. Raises: StoreError."""
        attempts = turn.attempts
        while not self._stopped.is_set():
            with self._stores.read() as unit:
                first = unit.parcels.front(turn, _BATCH)
            for at, (number, parcel) in enumerate(first, 1):
                # When it is the last, the turn ends with it: whether more has come by then, the clerk sees.
                lease = 0.0 if at == len(first) < _BATCH else _LEASE
                try:
                    self._send(turn, parcel)
                except SendError as error:
                    if not error.is_permanent:
                        self._put_off(turn, attempts, str(error))
                        return
                    log.warning("parcel given up", stream=turn.stream, target=shown(turn.target), reason=str(error))
                    with self._stores.write() as unit:
                        unit.parcels.bury(turn, number, str(error), lease)
                else:
                    with self._stores.write() as unit:
                        if not unit.parcels.sent(turn, number, lease):
                            return
                attempts = 0
                if lease == 0.0:
                    return
                if self._stopped.is_set():
                    break
            if not first:
                break
        with self._stores.write() as unit:
            unit.parcels.release(turn)

    def _put_off(self, turn: Turn, attempts: int, words: str) -> None:
        wait = min(_FIRST * 2.0 ** min(attempts, 30), _LONGEST) * random.uniform(0.5, 1.0)
        if attempts == 0:  # once, and not at every attempt of a long outage
            log.warning("target takes nothing", stream=turn.stream, target=shown(turn.target), reason=words)
        with self._stores.write() as unit:
            unit.parcels.failed(turn, words, wait)

    def _send(self, turn: Turn, parcel: Parcel) -> None:
        """Hand one parcel over; what fails leaves no connection behind. Raises: SendError."""
        with self._lock:
            line = self._lines.pop(turn.lane, None)  # nobody else closes it meanwhile
        try:
            sink = line.sink if line else open_sink(turn.target, self._surroundings)
        except TargetError as error:  # an operator may put the missing setting in
            raise SendError(str(error)) from error
        except Exception as error:
            msg = f"the target cannot be opened: {type(error).__name__}"
            raise SendError(msg) from error
        try:
            sink.send(parcel)
        except SendError as error:
            if not error.is_permanent:
                _end(sink)
                raise
            self._keep(turn.lane, sink)
            raise
        except Exception as error:  # of another distribution's sink, or a bug of ours
            _end(sink)
            # Its words may hold anything.
            msg = f"an error within the sink: {type(error).__name__}"
            raise SendError(msg) from error
        self._keep(turn.lane, sink)

    def _keep(self, lane: int, sink: Sink) -> None:
        with self._lock:
            if not self._stopped.is_set():
                self._lines[lane] = _Line(sink, time.monotonic())
                return
        _end(sink)

    def _sweep(self) -> None:
        """Give up what waited too long, and close what is not used. Raises: StoreError."""
        self._swept = time.monotonic()
        with self._stores.write() as unit:
            given_up, dropped = unit.parcels.expire(self._limits.waiting, self._limits.dead)
        if given_up or dropped:
            log.warning("parcels waited too long", given_up=given_up, dropped=dropped)
        with self._lock:
            idle = [lane for lane, line in self._lines.items() if self._swept - line.used > _IDLE]
            lines = [self._lines.pop(lane) for lane in idle]
        _end(*(line.sink for line in lines))


def _end(*sinks: Sink) -> None:
    for sink in sinks:
        with suppress(Exception):  # nothing more is wanted of it
            sink.close()


def check(targets: Iterable[str], surroundings: Surroundings) -> None:
    """Raises: TargetError when one of the URLs can be no target; nothing is connected."""
    for target in targets:
        open_sink(target, surroundings).close()
