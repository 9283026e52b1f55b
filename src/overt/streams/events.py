# SPDX-License-Identifier: Apache-2.0
"""Hands the events of streams to whoever listens in this process, and keeps the last ones for those who return."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from overt.types import Parcel

KEPT = 1000
"""Events kept for listeners that come back."""
_BEHIND = 1000
"""Further events that a listener may be behind before it is let go; it comes back with the id of the last it got."""


class Hub:
    """Where events are told and listened to. Thread-safe.

    Args: kept: how many events are kept for those who return.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._last: deque[Parcel] = deque(maxlen=kept)
        self._listeners: set[Listener] = set()
        self._is_closed = False

    def tell(self, parcel: Parcel) -> None:
        """Give an event to all who listen. One that is told again, as it may be, is passed over while it is kept."""
        with self._lock:
            if any(parcel.id == each.id for each in self._last):
                return
            self._last.append(parcel)
            late = [listener for listener in self._listeners if not listener.offer(parcel)]
            self._listeners.difference_update(late)
        for listener in late:
            listener.close()

    def listen(
        self,
        streams: Iterable[str] | None = None,
        after: str | None = None,
        wake: Callable[[], None] | None = None,
    ) -> Listener:
        """Listen from now on; leave the block to stop.

        Args: streams: their keys; None = all. after: the id of the last event got before; what is kept of later ones
            comes first, and when it is not kept itself, all that is. wake: called, by whoever tells, when there is an
            event or the end: for those who cannot wait in a thread.
        """
        wanted = None if streams is None else frozenset(streams)
        listener = Listener(self, wanted, room=(self._last.maxlen or 0) + _BEHIND, wake=wake)
        with self._lock:
            for parcel in self._since(after):
                listener.offer(parcel)
            is_late = self._is_closed
            if not is_late:
                self._listeners.add(listener)
        if is_late:
            listener.close()
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell it nothing more."""
        with self._lock:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Let all listeners go, and those who come later."""
        with self._lock:
            self._is_closed = True
            left, self._listeners = self._listeners, set()
        for listener in left:
            listener.close()

    def _since(self, after: str | None) -> list[Parcel]:
        if after is None:
            return []
        kept = list(self._last)
        at = next((number for number, parcel in enumerate(kept) if parcel.id == after), -1)
        return kept[at + 1 :]


class Listener:
    """One who listens. Made by `Hub.listen`; for one thread."""

    def __init__(
        self, hub: Hub, streams: frozenset[str] | None, room: int, wake: Callable[[], None] | None = None
    ) -> None:
        self._hub = hub
        self._streams = streams
        self._room = room
        self._wake = wake
        self._events: queue.Queue[Parcel | None] = queue.Queue()
        self.is_closed = False

    def offer(self, parcel: Parcel) -> bool:
        """Set an event in line; False when too many wait there."""
        if self._streams is None or parcel.stream in self._streams:
            if self._events.qsize() >= self._room:
                return False
            self._put(parcel)
        return True

    def next(self, seconds: float) -> Parcel | None:
        """The next event; None when none comes in that time, or, `is_closed` then, none will."""
        if self.is_closed and self._events.empty():
            return None
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop listening; what was told before can still be had."""
        self._hub.leave(self)
        self.is_closed = True
        self._put(None)  # whoever waits is woken

    def _put(self, parcel: Parcel | None) -> None:
        self._events.put(parcel)
        if self._wake is not None:
            self._wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def framed(parcel: Parcel) -> bytes:
    """An event as server-sent events have it. Source: HTML Living Standard, 9.2 "Server-sent events"."""
    body = parcel.body.decode().replace("\r", "\n")
    lines = [f"id: {parcel.id}", f"event: {parcel.kind}", *(f"data: {line}" for line in body.split("\n"))]
    return ("\n".join(lines) + "\n\n").encode()
