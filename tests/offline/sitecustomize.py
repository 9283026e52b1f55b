# SPDX-License-Identifier: Apache-2.0
"""Python runs this at start wherever this folder is on PYTHONPATH: nothing may talk to another machine.

Tests put it there for themselves and for every process they start, so that a download at run time fails loudly.
"""

from __future__ import annotations

import sys
from typing import Any

LOOPBACK = ("127.", "::1", "localhost")


def refuse_the_world(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: connections and look-ups of names go to this machine or nowhere."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "localhost"  # a path is a Unix socket
    elif event == "socket.getaddrinfo":
        host = arguments[0] or "localhost"
    else:
        return
    host = host.decode() if isinstance(host, bytes) else str(host)
    if not host.startswith(LOOPBACK):
        message = f"tests are offline: {event} {host}"
        raise RuntimeError(message)


sys.addaudithook(refuse_the_world)
