# SPDX-License-Identifier: Apache-2.0
"""A server of AWS's services for streams' tests."""

from __future__ import annotations

import socket
import urllib.request
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


class Aws:
    """A server of AWS's services; what they hold outlives a stop."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: ThreadedMotoServer | None = None
        self.start()

    def client(self, service: str) -> Any:
        return boto3.session.Session().client(service, region_name="us-east-1", endpoint_url=self.url)

    def forget(self) -> None:
        """Drop all that the services hold: it belongs to the process, not to a server."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")).close()

    def start(self) -> None:
        if self._server is None:
            self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
            self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
