# SPDX-License-Identifier: Apache-2.0
"""Has every stream that is to be watched watched by one worker, here or on another server. Knows no camera.

Several of them may share a store; each has a name of its own. Who is alone with the store takes all at once; others
take one at a time, and the later the more they have, so that streams spread over them.
"""

from __future__ import annotations

import threading
import time

import structlog

from overt.stores.base import StoreError
from overt.streams.worker import LEASE, Tools, Worker

log = structlog.get_logger(__name__)

_POLL = 0.5  # seconds between two looks for streams that came by another process, or that another let lie
_FIRST, _LONGEST = 1.0, 60.0  # seconds before a stream whose worker failed is watched again, doubling
_FAREWELL = 10.0
_STEPS = 4  # polls that a stream waits at most for somebody with fewer; that they differ by more is for `let_go`
_AWAY = 10.0  # seconds that a stream which was let go is left to others


class Supervisor:
    """Works from `open` to `close`."""

    def __init__(self, tools: Tools, *, owner: str, most: int | None = None) -> None:
        """Args: owner: its name, the same after a restart. most: streams at the same time; None = all there are."""
        self._tools = tools
        self._owner = owner
        self._most = most
        self._workers: dict[str, Worker] = {}
        self._pauses: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._due_since: dict[str, float] = {}
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="streams", daemon=True)

    @property
    def watched(self) -> tuple[str, ...]:
        """Ids of the streams that are watched here."""
        return tuple(self._workers)

    def open(self) -> None:
        """Begin to watch what is to be watched."""
        self._thread.start()

    def close(self) -> None:
        """Watch nothing any more; the streams go on with another server, or with the next start."""
        self._stopped.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        for worker in self._workers.values():
            worker.close()
        end = time.monotonic() + _FAREWELL
        for worker in self._workers.values():
            worker.join(max(end - time.monotonic(), 0))

    def wake(self) -> None:
        """Something has changed: look now."""
        self._wake.set()

    def let_go(self) -> None:
        """Leave the stream that was taken last to another; without one, nothing."""
        for stream_id, worker in reversed(list(self._workers.items())):
            self._not_before[stream_id] = time.monotonic() + _AWAY
            worker.close()
            return

    def _serve(self) -> None:
        while not self._stopped.is_set():
            was_woken = self._wake.wait(_POLL)
            self._wake.clear()
            try:
                self._reap()
                if was_woken:
                    for worker in self._workers.values():
                        worker.poke()
                self._claim()
            except StoreError as error:
                log.warning("no streams could be fetched", reason=str(error))
            except Exception:
                log.exception("the supervisor of streams stumbled")  # and goes on: nobody else watches

    def _reap(self) -> None:
        """Let go of workers that ended."""
        for stream_id, worker in list(self._workers.items()):
            if worker.is_alive:
                continue
            del self._workers[stream_id]
            if worker.failed:
                pause = self._pauses[stream_id] = min(2 * self._pauses.get(stream_id, _FIRST / 2), _LONGEST)
                self._not_before[stream_id] = time.monotonic() + pause
            else:
                self._pauses.pop(stream_id, None)

    def _claim(self) -> None:
        """Take what is due and has nobody."""
        if self._most is not None and len(self._workers) >= self._most:
            return
        with self._tools.stores.read() as unit:
            due = [each for each in unit.streams.due(self._owner) if each not in self._workers]
        now = time.monotonic()
        self._due_since = {each: self._due_since.get(each, now) for each in due}
        ready = [each for each in due if self._not_before.get(each, 0.0) <= now]
        if self._most is not None:
            patience = min(len(self._workers), _STEPS) * _POLL
            ready = [each for each in ready if now - self._due_since[each] >= patience][:1]
        for stream_id in ready:
            with self._tools.stores.write() as unit:
                charge = unit.streams.claim(stream_id, self._owner, LEASE)
            if charge is not None:
                self._workers[stream_id] = Worker(charge, self._tools)
