# SPDX-License-Identifier: Apache-2.0
"""What `overt cluster` does: shows a database's processes on a Ray cluster, restarts them one by one, ends them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import ray

from overt.engine import reachable
from overt.scale import cameras, replicas, shards
from overt.scale.cluster import LOST, Cluster, Health, Node, number
from overt.scale.opening import fingerprint
from overt.scale.replicas import place_replica
from overt.scale.router import place_shard
from overt.settings import Settings
from overt.stores import lineage, postgresql
from overt.stores.base import StoreError, UnavailableError
from overt.stores.index import Share
from overt.stores.vault import Vault

_PAUSE = 0.2  # seconds between two looks at a process
# A replica that turns calls away is ended when no server can still believe that it takes them.
_QUIET = 2 * replicas.HEARD
_FAREWELL = 15.0


@dataclass(frozen=True, slots=True)
class Member:
    """A process and how it is, None when it does not answer."""

    name: str
    health: Health | None

    @property
    def state(self) -> str:
        """In a word."""
        if self.health is None:
            return "lost"
        if self.health.leaving:
            return "leaving"
        return "ready" if self.health.ready else "starting"


class Rolling:
    """The processes of the database that settings name. Connects when it is made.

    Raises: StoreError when the database or the cluster cannot be reached.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lineage = _lineage(settings)
        self._cluster = Cluster(settings.ray or "auto", self._lineage)
        self._cluster.connect()

    def members(self) -> list[Member]:
        """All processes, shards first."""
        return [Member(name, self._cluster.health(name)) for name in self._names()]

    def roll(self, seconds: float) -> Iterator[Member]:
        """Restart each process with the present settings and code, the next when the one before is ready; gives each.

        Calls go on meanwhile. Args: seconds: to wait for each. Raises: StoreError when one does not become ready; the
        rest is left as it is.
        """
        members = self.members()
        of = len([member for member in members if member.name.startswith(shards.KIND)])
        for member in members:
            if not member.name.startswith(shards.KIND):
                self._see_off(member.name, seconds)
            yield self._renew(member, of, seconds)

    def stop(self) -> list[str]:
        """End all processes. Returns: their names."""
        self._leave_streams()
        names = self._names()[::-1]
        for name in names:
            self._cluster.end(name)
        return names

    def _renew(self, member: Member, of: int, seconds: float) -> Member:
        """End a process and start it anew, on its own node where that lives and has no more of them than others."""
        there = self._node_for(member)
        life = None if member.health is None else member.health.life
        self._cluster.end(member.name)
        end = time.monotonic() + seconds
        while True:
            # Does nothing once it is there; is done again where the one ended still had the name.
            self._place(member.name, of, there)
            health = self._cluster.health(member.name)
            if health is not None and health.life != life and health.ready:
                return Member(member.name, health)
            if time.monotonic() > end:
                trouble = health.trouble if health is not None and health.trouble else "its log has more"
                msg = f"{member.name} was not ready after {seconds:g} seconds: {trouble}; the rest was left as it is"
                raise UnavailableError(msg)
            time.sleep(_PAUSE)

    def _node_for(self, member: Member) -> Node:
        nodes = self._cluster.nodes()
        if not nodes:
            msg = "no node of the Ray cluster has a CPU to offer"
            raise UnavailableError(msg)
        kind = member.name.rsplit("-", 1)[0]
        others = Counter(
            health.node
            for name in self._cluster.names(kind)
            if name != member.name and (health := self._cluster.health(name)) is not None
        )
        own = None if member.health is None else member.health.node
        return min(nodes, key=lambda node: (others[node.address], node.address != own))

    def _see_off(self, name: str, seconds: float) -> None:
        """Wait until a replica has done what it has, and no server sends it more; until a worker watches nothing."""
        try:
            ray.get(self._cluster.find(name).leave.remote(), timeout=seconds)
        except LOST:
            return
        if not name.startswith(replicas.KIND):
            return
        end = time.monotonic() + seconds
        time.sleep(_QUIET)
        while (health := self._cluster.health(name)) is not None and health.busy and time.monotonic() < end:
            time.sleep(_PAUSE)

    def _place(self, name: str, of: int, there: Node) -> None:
        if name.startswith(shards.KIND):
            place_shard(self._cluster, self._settings, self._lineage, Share(number(name), of), there)
            return
        key = fingerprint(Vault.open(self._settings.master_key).digest)
        if name.startswith(cameras.KIND):
            cameras.place_worker(self._cluster, self._settings, number(name), key, there)
            return
        place_replica(self._cluster, self._settings, number(name), key, there)

    def _names(self) -> list[str]:
        return [name for kind in (shards.KIND, replicas.KIND, cameras.KIND) for name in self._cluster.names(kind)]

    def _leave_streams(self) -> None:
        """Have camera workers give up what they watch: a lease would keep servers from it until it runs out."""
        asked = []
        for name in self._cluster.names(cameras.KIND):
            with suppress(*LOST):
                asked.append(self._cluster.find(name).leave.remote())
        if asked:
            ray.wait(asked, num_returns=len(asked), timeout=_FAREWELL)


def _lineage(settings: Settings) -> str:
    if settings.ray is None:
        msg = "no Ray cluster is set: give --ray auto, or set OVERT_RAY or `ray` in overt.toml"
        raise StoreError(msg)
    writing, reading = postgresql.open_engines(reachable(settings))
    try:
        with reading.connect() as connection:
            return lineage.current(connection)
    finally:
        writing.dispose()
        reading.dispose()
