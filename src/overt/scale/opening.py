# SPDX-License-Identifier: Apache-2.0
"""An engine of a process's own on a node of the cluster, opened behind its back. Knows not what it is for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from overt.engine import Engine
from overt.scale import node
from overt.settings import Settings
from overt.stores.base import StoreError

log = structlog.get_logger(__name__)

_AGAIN = 5.0  # seconds until what could not be opened is tried once more


class Opening:
    """Opens an engine and starts it, again and again until that works: Ray would not repeat what fails at a start."""

    def __init__(self, settings: Settings, print_of_key: str, start: Callable[[Engine], None]) -> None:
        """Args: print_of_key: `fingerprint` of the server's master key, which must be the node's too."""
        self.engine: Engine | None = None
        """None until it was started."""
        self.trouble = ""
        """Why it could not be opened the last time, in words."""
        self._settings = settings
        self._fingerprint = print_of_key
        self._start = start
        threading.Thread(target=self._work, name="warm", daemon=True).start()

    def _work(self) -> None:
        while self.engine is None:
            try:
                self.engine = self._opened()
                self.trouble = ""
            except (StoreError, OSError) as error:
                self.trouble = str(error)
            except Exception as error:
                log.exception("an engine could not be started")
                self.trouble = f"{type(error).__name__}: see its log"
            if self.engine is None:
                time.sleep(_AGAIN)

    def _opened(self) -> Engine:
        key = self._settings.master_key
        if not key.exists():
            msg = f"there is no {key} on node {node.address()}: copy it there from the server, mode 600"
            raise StoreError(msg)
        engine = Engine.open(self._settings)
        try:
            if fingerprint(engine.digest) != self._fingerprint:
                msg = f"{key} on node {node.address()} is another key than the server's: copy the server's there"
                raise StoreError(msg)  # noqa: TRY301
            self._start(engine)
        except BaseException:
            engine.close()
            raise
        return engine


def fingerprint(digest: Callable[[str, bytes], str]) -> str:
    """Of the master key that an engine or a vault digests with; it gives nothing of the key away."""
    return digest("replica", b"")
