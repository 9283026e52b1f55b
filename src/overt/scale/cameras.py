# SPDX-License-Identifier: Apache-2.0
"""Camera workers: processes with an engine each, that watch streams in the servers' place. Knows no call and no sink.

Who watches what is settled by leases in the database, not by Ray: a stream has one worker at a time, and what one that
was too slow has still to say is refused. What they put in line is carried by the servers.
"""

from __future__ import annotations

import threading
import time
import uuid

import ray
import structlog

from overt import __version__
from overt.engine import Engine
from overt.scale import node
from overt.scale.cluster import Cluster, Health, Node
from overt.scale.opening import Opening, fingerprint
from overt.settings import Settings
from overt.stores import lineage
from overt.stores.base import StoreError
from overt.stores.sql import SqlStores
from overt.streams.supervisor import Supervisor

log = structlog.get_logger(__name__)

KIND = "camera-worker"
_EVERY = 5.0  # seconds between two looks at how many streams the others have
_ANSWERED = 1.0  # seconds within which another worker tells that
_PAUSE = 0.1


class CameraWorker:
    """Watches streams in a process of its own; an actor of Ray. Safe for many threads."""

    def __init__(self, name: str, settings: Settings, database: str, print_of_key: str) -> None:
        """Args: name: of this actor. database: its lineage. print_of_key: of the server's master key.

        Nothing is opened yet: what fails here is not tried again.
        """
        self._name = name
        self._settings = node.at_home(settings).model_copy(update={"replicas": 0, "camera_workers": 0})
        self._cluster = Cluster(settings.ray or "auto", database)
        self._life = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._supervisor: Supervisor | None = None
        self._left = threading.Event()
        self._opening = Opening(self._settings, print_of_key, self._begin)

    @ray.method(concurrency_group="care")
    def health(self) -> Health:
        """How it is."""
        supervisor = self._supervisor
        return Health(
            node.address(),
            self._life,
            __version__,
            supervisor is not None,
            self._opening.trouble,
            streams=0 if supervisor is None else len(supervisor.watched),
            leaving=self._left.is_set(),
            resident=node.resident(),
        )

    @ray.method(concurrency_group="care")
    def leave(self) -> None:
        """Watch nothing any more, so that others can at once; returns when that is so."""
        with self._lock:
            self._left.set()
            supervisor = self._supervisor
        if supervisor is not None:
            supervisor.close()

    def _begin(self, engine: Engine) -> None:
        engine.stores.start()
        engine.models.check()
        # Its name is new with each life: one that Ray made anew elsewhere, as a node was out of reach, and the one on
        # that node are two, and must not take each other's streams for their own.
        supervisor = Supervisor(engine.watching(), owner=self._life, most=self._settings.cameras_per_worker)
        with self._lock:
            if self._left.is_set():
                return
            supervisor.open()
            self._supervisor = supervisor
        threading.Thread(target=self._balance, args=(supervisor,), name="balance", daemon=True).start()

    def _balance(self, supervisor: Supervisor) -> None:
        while not self._left.wait(_EVERY):
            try:
                if is_too_many(self._name, len(supervisor.watched), self._others()):
                    supervisor.let_go()
            except Exception as error:  # noqa: BLE001 - it must go on; streams stay where they are
                log.warning("other camera workers cannot be asked", reason=type(error).__name__)

    def _others(self) -> dict[str, int]:
        """Streams of each other worker that takes some."""
        names = [name for name in self._cluster.names(KIND) if name != self._name]
        found = {name: self._cluster.health(name, _ANSWERED) for name in names}
        return {
            name: health.streams for name, health in found.items() if health and health.ready and not health.leaving
        }


def is_too_many(name: str, streams: int, others: dict[str, int]) -> bool:
    """Whether this worker is the one that is to give a stream to another: it has the most, and more than one more."""
    if not others or streams - min(others.values()) <= 1:
        return False
    return (streams, name) > max((count, other) for other, count in others.items())


def place_worker(cluster: Cluster, settings: Settings, each: int, print_of_key: str, there: Node) -> None:
    """Start a worker on a node unless it is somewhere already."""
    name = f"{KIND}-{each}"
    cluster.place(name, CameraWorker, (name, settings, cluster.lineage, print_of_key), there, 1)


def open_workers(engine: Engine) -> None:
    """Place the workers of an engine's settings that are not there yet, and wait until one is ready.

    Raises: StoreError.
    """
    settings = engine.settings
    if not isinstance(engine.stores, SqlStores):
        msg = "camera workers need a database that every node can reach"
        raise StoreError(msg)
    with engine.stores.reading.connect() as connection:
        cluster = Cluster(settings.ray or "auto", lineage.current(connection))
    cluster.connect()
    nodes = cluster.nodes()
    for each in range(settings.camera_workers):
        place_worker(cluster, settings, each, fingerprint(engine.digest), nodes[each % len(nodes)])
    while True:
        found = [health for name in cluster.names(KIND) if (health := cluster.health(name)) is not None]
        if any(health.ready for health in found):
            return
        if found and all(health.trouble for health in found):
            msg = f"no camera worker can start: {'; '.join(sorted({health.trouble for health in found}))}"
            raise StoreError(msg)
        time.sleep(_PAUSE)
