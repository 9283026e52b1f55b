# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster for tests: several real nodes on this machine's loopback, killed and added at will, gone at the end.

Node n has the address 127.0.0.(n + 2), as Ray takes 127.0.0.1 for "this machine" and looks for another address of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from overt.scale.cluster import ray  # imported there after Ray's variables are set

from ray.cluster_utils import Cluster  # isort: skip

# A lost node is noticed within seconds rather than within half a minute.
_NOTICED = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "4",
    "RAY_enable_metrics_collection": "0",
}
_MEMORY = 80 * 2**20  # bytes of a node's object store, the least that Ray takes


class RayNodes:
    """A head, on which tests and servers run, and further nodes."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self._before = {name: os.environ.get(name) for name in _NOTICED}
        os.environ.update(_NOTICED)
        self.nodes: list[Any] = []
        self._temporary = Path(tempfile.mkdtemp(prefix="overt-ray-"))  # short: a socket's path has a hundred letters
        self._cluster = Cluster()
        for _ in range(count):
            self.add()
        self._cluster.wait_for_nodes()
        self.address = self._cluster.address

    def home(self, number: int) -> Path:
        return self.folder / f"node-{number}"

    def add(self) -> None:
        """One more node."""
        number = len(self.nodes)
        self.home(number).mkdir(parents=True)
        self.nodes.append(
            self._cluster.add_node(
                wait=False,
                num_cpus=2,
                object_store_memory=_MEMORY,
                include_dashboard=False,
                node_ip_address=f"127.0.0.{number + 2}",
                temp_dir=str(self._temporary),
                env_vars={"OVERT_HOME": str(self.home(number))},
            )
        )

    def kill(self, address: str) -> None:
        """kill -9 of a node's raylet, with which all of its processes go."""
        number = int(address.rpartition(".")[2]) - 2
        (raylet,) = self.nodes[number].all_processes["raylet"]
        os.kill(raylet.process.pid, signal.SIGKILL)
        raylet.process.wait()

    def close(self) -> None:
        if ray.is_initialized():
            ray.shutdown()
        self._cluster.shutdown()
        shutil.rmtree(self._temporary, ignore_errors=True)
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def wait_until(met: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
