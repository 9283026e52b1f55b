# SPDX-License-Identifier: Apache-2.0
"""Search over all shards at once: every one answers, or there is no answer. Knows no wire and no placing of rows.

Small collections stay with this process's own index. A shard's answer is exact for its part, so the best of all answers
are the best of all rows; see `shards` for callers whose snapshot is older than a shard's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

import numpy as np
import ray
import structlog
from ray import exceptions as problems
from sqlalchemy import Connection, Table

from overt.scale import node
from overt.scale.cluster import LOST, Cluster, Node, told
from overt.scale.shards import KIND, THREADS, Found, Shard, WrongShareError
from overt.settings import Settings
from overt.stores.base import MissingShardsError, StoreError, UnavailableError
from overt.stores.gallery import Query
from overt.stores.index import Hits, Index, Search, Share, TableFeed
from overt.stores.kernels.numpy import nth_best
from overt.stores.shelf import Shelf

log = structlog.get_logger(__name__)

_SLOW = 5.0  # seconds after which a shard that does not answer counts as lost
_PAUSE = 0.05  # seconds between two tries at a lost one
# Searches that may wait for a lost shard: each has one of the sixteen connections that a server reads with, and what
# needs no shard is to go on.
_WAITING = 8
_LONG = 3600.0  # seconds for what reads a whole part: inspecting, erasing


class Router:
    """Implements `index.Galleries` over a Ray cluster."""

    def __init__(self, settings: Settings, own: Index, lineage: str) -> None:
        """Args: own: the index of this process, for small collections. Nothing is connected yet."""
        self._settings = settings
        self._own = own
        self._lineage = lineage
        self.cluster = Cluster(settings.ray or "auto", lineage)
        self._lock = threading.Lock()
        self._shards: list[Any] = []  # by number, None where not looked up yet; empty = not known how many
        self._lost: set[int] = set()  # numbers of shards that did not answer when they were last asked
        self._places = threading.BoundedSemaphore(_WAITING)
        self._left: set[int] = set()  # collections that this process has let go of

    def start(self) -> None:
        """Place the shards that are not there yet, and wait until all are there, though perhaps still reading."""
        self.cluster.connect()
        nodes = self.cluster.nodes()
        if not nodes:
            msg = "no node of the Ray cluster has a CPU to offer: start one with --num-cpus 1 or more"
            raise UnavailableError(msg)
        # Whoever places the first decides how many there are, also for servers that start at the same moment.
        wanted = self._settings.shards or len(nodes)
        self._place(Share(0, wanted), nodes)
        found = self._health(0)
        if self._settings.shards not in (0, found):
            msg = f"{found} shards are running, and the setting `shards` says {wanted}: run `overt cluster stop` first"
            raise StoreError(msg)
        for each in range(1, found):
            self._place(Share(each, found), nodes)
        for each in range(1, found):
            self._health(each)
        self.cluster.everywhere(node.clear_node, self._settings, seconds=self._settings.shard_seconds)

    def committed(self, connection: Connection) -> Search:
        """See `Galleries.committed`."""
        return partial(self._look, connection)

    def pending(self, connection: Connection, snapshot: Callable[[], AbstractContextManager[Connection]]) -> Search:
        """See `Galleries.pending`."""
        return self._own.pending(connection, snapshot, self._look)

    def forget(self, collection: int) -> None:
        """See `Galleries.forget`. Shards that are not there have nothing of it when they come back."""
        self._own.forget(collection)
        try:
            self.cluster.connect()
            for name in self.cluster.names(KIND):
                self.cluster.find(name).forget.remote(collection)
        except (*LOST, UnavailableError) as error:
            log.warning("shards could not be told that a collection goes", reason=type(error).__name__)

    def erase(self, connection: Connection, shelf: Shelf) -> list[str]:
        """See `Galleries.erase`. Raises: StoreError also when a shard does not answer: then ask again."""
        names = []
        if self._is_small(shelf):
            names += self._own.erase(connection, shelf)
        else:
            self._leave(shelf.number)
        for each, erased in enumerate(self._ask("erase", _LONG, shelf.number)):
            names += [f"{name} of shard {each}" for name in erased]
        cleared = self.cluster.everywhere(node.clear_node, self._settings, seconds=self._settings.shard_seconds)
        names += [f"of shards that left {address} ({count} folders)" for address, count in cleared.items() if count]
        return names

    def inspect(self, connection: Connection, shelf: Shelf) -> Iterator[str]:
        """See `Galleries.inspect`."""
        if self._is_small(shelf):
            yield from self._own.inspect(connection, shelf)
            return
        for each, faults in enumerate(self._ask("inspect", _LONG, shelf.number)):
            yield from (f"shard {each}: {fault}" for fault in faults)

    def settle(self) -> None:
        """See `Galleries.settle`."""
        self._own.settle()

    def close(self) -> None:
        """See `Galleries.close`. The shards go on."""
        self._own.close()

    def _look(self, connection: Connection, table: Table, shelf: Shelf, query: Query) -> Hits:
        """See `index.Look`. Raises: MissingShardsError; NotFoundError for a collection deleted meanwhile."""
        if shelf.dimension is None or shelf.head == 0 or query.limit == 0:
            return {}
        if self._is_small(shelf):
            return self._own.look(connection, table, shelf, query)
        self._leave(shelf.number)
        parts: list[Found] = self._ask("search", self._settings.shard_seconds, table.name, shelf, query)
        hits: Hits = {}
        for part in parts:
            hits.update(zip(part.sequences.tolist(), part.cosines.tolist(), strict=True))
        gone = np.concatenate([part.gone for part in parts])
        if gone.size:
            hits |= self._own.score(*TableFeed(connection, table, shelf).lookup(gone), query)
        least = nth_best(np.array(list(hits.values())), query.limit)
        return {sequence: cosine for sequence, cosine in hits.items() if cosine >= least}

    def _is_small(self, shelf: Shelf) -> bool:
        return shelf.head < self._settings.sharded_from

    def _leave(self, collection: int) -> None:
        """Let go of what was held while the collection was small."""
        if collection not in self._left:
            self._left.add(collection)
            self._own.forget(collection)

    # Asking

    def _ask(self, method: str, seconds: float, *arguments: Any) -> list[Any]:
        """What all shards answer, in the order of their numbers. Raises: MissingShardsError; errors of the shards."""
        end = time.monotonic() + seconds
        with ExitStack() as held:
            while True:
                shards = self._known(end, held)
                try:
                    return self._ask_all(shards, method, end, held, arguments)
                except WrongShareError as error:  # somebody has placed others meanwhile
                    self._shards = []
                    if time.monotonic() > end:
                        raise _missing(len(shards), len(shards), seconds) from error
                    time.sleep(_PAUSE)

    def _ask_all(
        self, shards: list[Any], method: str, end: float, held: ExitStack, arguments: tuple[Any, ...]
    ) -> list[Any]:
        started = time.monotonic()
        answers: dict[int, Any] = {}
        asked: dict[Any, int] = {}
        missing = set(range(len(shards)))
        waits = False
        while missing:
            for each in missing - set(asked.values()):
                self._submit(shards, each, method, asked, arguments)
            patience = min(end, started + _SLOW) if not (waits or self._lost & missing) else end
            if self._lost & missing and not waits:
                self._take_place(held, _missing(len(missing), len(shards), None))
                waits = True
            for each, answer in self._collect(asked, patience):
                answers[each] = answer
                missing.discard(each)
                self._regain(each)
            if missing:
                if time.monotonic() >= patience:
                    self._lose(*missing)
                if time.monotonic() >= end:
                    for reference in asked:
                        ray.cancel(reference, recursive=False)
                    raise _missing(len(self._lost & missing) or len(missing), len(shards), end - started)
                time.sleep(_PAUSE)
        return [answers[each] for each in range(len(shards))]

    def _submit(
        self, shards: list[Any], each: int, method: str, asked: dict[Any, int], arguments: tuple[Any, ...]
    ) -> None:
        try:
            if each in self._lost or shards[each] is None:  # it may have been made anew
                shards[each] = self.cluster.find(f"{KIND}-{each}")
            asked[getattr(shards[each], method).remote(Share(each, len(shards)), *arguments)] = each
        except LOST:
            self._lose(each)

    def _collect(self, asked: dict[Any, int], patience: float) -> Iterator[tuple[int, Any]]:
        """Answers that have come; those of lost shards are taken off the list of what was asked."""
        left = max(patience - time.monotonic(), 0)
        done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=left) if asked else ([], [])
        for reference in done:
            each = asked.pop(reference)
            try:
                yield each, ray.get(reference)
            except problems.RayTaskError as error:
                cause = told(error)
                if not isinstance(cause, UnavailableError):
                    raise cause from None
                self._lose(each)
            except (*LOST, problems.RayError):
                self._lose(each)

    def _lose(self, *shards: int) -> None:
        with self._lock:
            new = set(shards) - self._lost
            self._lost |= new
        for each in new:
            log.warning("a search shard does not answer", shard=each)

    def _regain(self, each: int) -> None:
        if each in self._lost:
            with self._lock:
                self._lost.discard(each)
            log.info("a search shard answers again", shard=each)

    def _take_place(self, held: ExitStack, otherwise: MissingShardsError) -> None:
        """Become one of those who wait. Raises: what is given, when there are enough."""
        if not self._places.acquire(blocking=False):
            raise otherwise
        held.callback(self._places.release)

    def _known(self, end: float, held: ExitStack) -> list[Any]:
        """The shards, by number, None where not looked up yet. Raises: MissingShardsError."""
        shards = self._shards
        if shards:
            return shards
        nobody = MissingShardsError(
            "no search shard answers; `overt up` starts them, `overt cluster status` shows them"
        )
        self._take_place(held, nobody)
        self.cluster.connect()
        while not (shards := self._find()):
            if time.monotonic() > end:
                raise nobody
            time.sleep(_PAUSE)
        self._shards = shards
        return shards

    def _find(self) -> list[Any]:
        """As many as one of them says they are; empty when none says so."""
        for name in self.cluster.names(KIND):
            health = self.cluster.health(name, _SLOW)
            if health is not None:
                return [None] * health.parts
        return []

    # Placing

    def _place(self, share: Share, nodes: list[Node]) -> None:
        place_shard(self.cluster, self._settings, self._lineage, share, nodes[share.number % len(nodes)])

    def _health(self, each: int) -> int:
        """Of how many parts a shard says it is one. Raises: MissingShardsError."""
        end = time.monotonic() + self._settings.shard_seconds
        while (health := self.cluster.health(f"{KIND}-{each}")) is None:
            if time.monotonic() > end:
                waited = f"within {self._settings.shard_seconds:g} seconds"
                msg = f"search shard {each} did not start {waited}; its log has more"
                raise MissingShardsError(msg)
        return health.parts


def place_shard(cluster: Cluster, settings: Settings, lineage: str, share: Share, there: Node) -> None:
    """Start a shard on a node unless it is somewhere already."""
    cluster.place(f"{KIND}-{share.number}", Shard, (settings, lineage, share), there, THREADS)


def _missing(missing: int, of: int, seconds: float | None) -> MissingShardsError:
    waited = "too many searches wait for them already" if seconds is None else f"within {seconds:.0f} seconds"
    return MissingShardsError(
        f"{missing} of {of} search shards did not answer ({waited}); nothing was left out: try again"
    )
