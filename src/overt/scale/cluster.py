# SPDX-License-Identifier: Apache-2.0
"""The processes of one database on a Ray cluster: placed, found by name, asked, ended. Knows no search and no call.

They are named actors in a namespace of the database's lineage, so that all servers of one database share them, and
detached, so that no server's end is theirs. Ray starts a lost one again, on another node where its own has gone. A task
on one is never repeated by Ray: who asks decides how long it is worth waiting, and none is left over that nobody waits
for.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions as problems
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from overt.stores.base import StoreError, UnavailableError

_CARE = 4  # threads beside those that work, so that a busy process can still be asked how it is
# Of a node's CPUs, as Ray counts them. Without any, Ray is free to put a process elsewhere than it was told.
_TOKEN_CPU = 0.01
_REACHED = 5.0  # seconds within which the cluster's head must answer
LOST = (problems.RayActorError, problems.ActorUnavailableError, problems.TaskCancelledError, ValueError)
"""What asking a process raises that is not there at present; ValueError: there is none of that name."""

_connecting = threading.Lock()
_ray: Any = ray  # whose types leave out much of what its documentation has


@dataclass(frozen=True, slots=True)
class Node:
    """A machine, or what passes for one, of the cluster. id: hex. address: its IP."""

    id: str
    address: str


@dataclass(frozen=True, slots=True)
class Health:
    """How one process is.

    node: address. life: a random word that a process made anew does not share. ready: whether it can work now; if not,
    trouble may say why. rows: of galleries held. streams: that it watches. busy: calls under way. resident: bytes of
    memory.
    """

    node: str
    life: str
    version: str
    ready: bool
    trouble: str = ""
    parts: int = 1
    rows: int = 0
    streams: int = 0
    busy: int = 0
    leaving: bool = False
    resident: int = 0


class Cluster:
    """The named processes of one database. Safe for many threads."""

    def __init__(self, address: str, lineage: str) -> None:
        """Args: address: `auto` or HOST:PORT. Nothing is connected yet."""
        self._address = address
        self.lineage = lineage
        self.namespace = f"overt-{lineage}"

    def connect(self) -> None:
        """Join the cluster, once in a process. Raises: UnavailableError when there is none."""
        with _connecting:
            if ray.is_initialized():
                return
            self._reach()
            try:
                with _own_signals():
                    ray.init(address=self._address, log_to_driver=False, configure_logging=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                msg = (
                    f"there is no Ray cluster at {self._address!r} that this machine belongs to: start one with "
                    f"`ray start --head`, or join one with `ray start --address HOST:PORT`, on this machine first"
                )
                raise UnavailableError(msg) from error

    def nodes(self) -> list[Node]:
        """The living nodes, in a fixed order."""
        living = [node for node in _ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]
        return sorted((Node(node["NodeID"], node["NodeManagerAddress"]) for node in living), key=_order)

    def names(self, kind: str) -> list[str]:
        """The processes of a kind that were placed and not ended, by number; those that are being restarted too."""
        named = ray.util.list_named_actors(all_namespaces=True)
        mine = [each["name"] for each in named if each["namespace"] == self.namespace]
        return sorted((name for name in mine if name.rsplit("-", 1)[0] == kind), key=number)

    def find(self, name: str) -> Any:
        """The process of a name. Raises: ValueError when there is none."""
        return ray.get_actor(name, namespace=self.namespace)

    def place(self, name: str, process: type, arguments: tuple[Any, ...], node: Node, threads: int) -> Any:
        """Start a process on a node, or find the one of that name wherever it is."""
        remote = _ray.remote(
            num_cpus=_TOKEN_CPU,
            max_restarts=-1,
            max_concurrency=threads,
            concurrency_groups={"care": _CARE},
        )(process)
        return remote.options(
            name=name,
            namespace=self.namespace,
            lifetime="detached",
            get_if_exists=True,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=True),
        ).remote(*arguments)

    def end(self, name: str) -> None:
        """End a process for good, whatever it is doing; harmless when it is not there."""
        with suppress(*LOST):
            ray.kill(self.find(name), no_restart=True)

    def health(self, name: str, seconds: float = _REACHED) -> Health | None:
        """How a process is; None when it does not answer in time."""
        try:
            health: Health = ray.get(self.find(name).health.remote(), timeout=seconds)
        except (*LOST, problems.GetTimeoutError):
            return None
        return health

    def everywhere(self, task: Callable[..., Any], *arguments: Any, seconds: float) -> dict[str, Any]:
        """What a function returns on each node, by the node's address; nodes that do not answer in time are not in."""
        remote = _ray.remote(num_cpus=0, max_retries=0)(task)
        asked = {
            node.address: remote.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
            ).remote(*arguments)
            for node in self.nodes()
        }
        ray.wait(list(asked.values()), num_returns=len(asked), timeout=seconds)
        answers = {}
        for address, reference in asked.items():
            with suppress(problems.RayError):
                answers[address] = ray.get(reference, timeout=0)
        return answers

    def _reach(self) -> None:
        """Ray itself would try for minutes."""
        host, _, port = self._address.rpartition(":")
        if not host:
            return
        try:
            socket.create_connection((host, int(port)), _REACHED).close()
        except (OSError, ValueError) as error:
            msg = f"no head of a Ray cluster answers at {self._address}; is it running, and can this machine reach it?"
            raise UnavailableError(msg) from error


def number(name: str) -> int:
    """Of a process, from its name."""
    return int(name.rsplit("-", 1)[1])


def told(error: problems.RayTaskError) -> StoreError:
    """The error that a process raised, as the store's own; of others no more than their kind."""
    cause = error.cause
    if isinstance(cause, StoreError):
        return cause
    return StoreError(f"a process of the Ray cluster failed: {type(cause).__name__}; its log has more")


def _order(node: Node) -> tuple[str, str]:
    return node.address, node.id


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM over when it starts; this gives it back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
