# SPDX-License-Identifier: Apache-2.0
"""Model replicas: processes with a whole engine each, that take calls in a server's place. Knows no operation.

A server hands each call as it came to one replica, which proves the caller, does the work and leaves the record. A
server uses a replica only while it hears from it, every second; so one that is to be ended can first turn calls away,
and seconds later no server sends it any.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import ray
import structlog
from ray import exceptions as problems

from overt import __version__
from overt.engine import Engine
from overt.errors import InternalServerError, WireError
from overt.ops.registry import Operation
from overt.scale import node
from overt.scale.cluster import LOST, Cluster, Health, Node, told
from overt.scale.opening import Opening, fingerprint
from overt.settings import Settings
from overt.stores import lineage
from overt.stores.base import StoreError
from overt.stores.sql import SqlStores
from overt.types import Call
from overt.wire import chain
from overt.wire.http import Request, Response

log = structlog.get_logger(__name__)

KIND = "replica"
HEARD = 3.0  # seconds for which a server trusts what it last heard from a replica
_EVERY = 1.0  # seconds between two questions
_PAUSE = 0.05
# Operations that change nothing: one that was lost with its replica is asked of another. Of any other nobody knows
# whether it was done, and only the caller can say whether it is to be repeated.
_READING = ("Compare", "Describe", "Detect", "Get", "List", "Recognize", "Search")


class Replica:
    """An engine in a process of its own; an actor of Ray. Safe for many threads."""

    def __init__(self, settings: Settings, print_of_key: str) -> None:
        """Args: print_of_key: of the server's master key. Nothing is opened yet: what fails here is not tried again."""
        self._settings = node.at_home(settings).model_copy(update={"replicas": 0, "camera_workers": 0})
        self._life = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._busy = 0
        self._leaving = False
        self._opening = Opening(self._settings, print_of_key, Engine.start)

    def answer(self, door: chain.Door, request: Request) -> Response | None:
        """What the door wrote; None when the replica does not take the call, and nothing was done."""
        with self._lock:
            engine = self._opening.engine
            if engine is None or self._leaving:
                return None
            self._busy += 1
        try:
            response: Response = chain.follow(door, request, engine)
            return response
        finally:
            with self._lock:
                self._busy -= 1

    @ray.method(concurrency_group="care")
    def health(self) -> Health:
        """How it is."""
        return Health(
            node.address(),
            self._life,
            __version__,
            self._opening.engine is not None,
            self._opening.trouble,
            busy=self._busy,
            leaving=self._leaving,
            resident=node.resident(),
        )

    @ray.method(concurrency_group="care")
    def leave(self) -> None:
        """Turn calls away from here on; those under way go on."""
        with self._lock:
            self._leaving = True


@dataclass(slots=True)
class _Seen:
    """A replica as a server knows it. heard: when, monotonic. calls: that this server has with it."""

    process: Any
    health: Health
    heard: float
    calls: int = 0

    @property
    def is_usable(self) -> bool:
        return self.health.ready and not self.health.leaving and time.monotonic() - self.heard < HEARD


class Fleet:
    """The replicas as one server uses them: each call goes to the least busy. Implements `app.Follow`."""

    def __init__(self, engine: Engine, cluster: Cluster) -> None:
        """Args: engine: the server's own, for its settings, and for the records of calls that no replica took."""
        self._engine = engine
        self._settings = engine.settings
        self._cluster = cluster
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="replicas", daemon=True)

    def start(self) -> None:
        """Place the replicas that are not there yet, and wait until one takes calls. Raises: StoreError."""
        self._cluster.connect()
        nodes = self._cluster.nodes()
        for each in range(self._settings.replicas):
            there = nodes[each % len(nodes)]
            place_replica(self._cluster, self._settings, each, fingerprint(self._engine.digest), there)
        self._ask_all()
        while not any(seen.is_usable for seen in self._all()):
            time.sleep(_PAUSE)
            self._ask_all()
            troubles = {seen.health.trouble for seen in self._all()}
            if troubles and all(troubles):
                msg = f"no replica can start: {'; '.join(sorted(troubles))}"
                raise StoreError(msg)
        self._watcher.start()

    def __call__(self, door: chain.Door, request: Request, *, crowded: bool) -> Response:
        """See `app.Follow`. A call that is refused for crowding does not leave this process."""
        response: Response | None = None
        if crowded:
            return self._here(door, request, crowded=True)
        end = time.monotonic() + self._settings.shard_seconds
        while time.monotonic() < end:
            with self._least_busy() as seen:
                if seen is not None:
                    try:
                        response = ray.get(seen.process.answer.remote(door, request))
                    except problems.RayTaskError as error:
                        log.error("a replica failed", reason=str(told(error)))  # noqa: TRY400 - its own log has more
                        return self._lost(door, request, "a replica failed")
                    except (*LOST, problems.RayError):
                        seen.heard = 0.0
                        if not _only_reads(door, request):
                            return self._lost(
                                door, request, "the replica was lost, and whether the call was done is not known"
                            )
                    if response is not None:
                        return response
            time.sleep(_PAUSE)
        return self._lost(door, request, "no replica takes calls at present, and nothing was done; try again")

    def close(self) -> None:
        """Stop watching. The replicas go on."""
        self._ended.set()
        if self._watcher.is_alive():
            self._watcher.join(_EVERY)  # it may be asking a cluster that is no longer there

    def _lost(self, door: chain.Door, request: Request, detail: str) -> Response:
        def refuse(_call: Call, _engine: Engine) -> NoReturn:
            raise InternalServerError(detail=detail)

        return self._here(door, request, act=refuse)

    def _here(
        self, door: chain.Door, request: Request, *, crowded: bool = False, act: Operation | None = None
    ) -> Response:
        response: Response = chain.follow(door, request, self._engine, crowded=crowded, act=act)
        return response

    @contextmanager
    def _least_busy(self) -> Iterator[_Seen | None]:
        with self._lock:
            usable = [seen for seen in self._seen.values() if seen.is_usable]
            chosen = min(usable, key=lambda seen: (seen.calls, seen.health.busy), default=None)
            if chosen is not None:
                chosen.calls += 1
        try:
            yield chosen
        finally:
            if chosen is not None:
                with self._lock:
                    chosen.calls -= 1

    def _all(self) -> list[_Seen]:
        with self._lock:
            return list(self._seen.values())

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            try:
                self._ask_all()
            except Exception as error:  # noqa: BLE001 - it must go on; what it does not hear from is not used
                log.warning("replicas cannot be watched", reason=type(error).__name__)

    def _ask_all(self) -> None:
        """Learn how every replica is; those that do not answer at once are asked again the next time."""
        asked: dict[Any, tuple[str, Any]] = {}
        for name in self._cluster.names(KIND):
            try:
                process = self._cluster.find(name)
                asked[process.health.remote()] = name, process
            except LOST:
                continue
        done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_EVERY) if asked else ([], [])
        for reference in done:
            name, process = asked[reference]
            try:
                health: Health = ray.get(reference)
            except problems.RayError:
                continue
            with self._lock:
                known = self._seen.get(name)
                if known is None or known.health.life != health.life:
                    self._seen[name] = _Seen(process, health, time.monotonic())
                else:
                    known.health, known.heard = health, time.monotonic()


def place_replica(cluster: Cluster, settings: Settings, each: int, print_of_key: str, there: Node) -> None:
    """Start a replica on a node unless it is somewhere already."""
    cluster.place(f"{KIND}-{each}", Replica, (settings, print_of_key), there, settings.calls_in_flight)


def open_fleet(engine: Engine) -> Fleet:
    """The replicas of an engine's settings, started. Raises: StoreError."""
    if not isinstance(engine.stores, SqlStores):
        msg = "replicas need a database that every node can reach"
        raise StoreError(msg)
    with engine.stores.reading.connect() as connection:
        fleet = Fleet(engine, Cluster(engine.settings.ray or "auto", lineage.current(connection)))
    fleet.start()
    return fleet


def _only_reads(door: chain.Door, request: Request) -> bool:
    try:
        return door.identify(request)[1].startswith(_READING)
    except WireError:
        return True  # no operation at all
