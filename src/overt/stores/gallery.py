# SPDX-License-Identifier: Apache-2.0
"""The vectors of one collection in memory, searchable as they were at any recent head. Knows no SQL.

Two readers may look at different snapshots of the database at once. A gallery serves both: rows remember the sequence
at which they were born, dead rows the head at which they died, and a search names the head it wants to see.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from overt.stores.kernels.base import Cosines, Kernel, Numbers
from overt.types import Floats

# Dead rows cost scan time and keep erased vectors in memory; above this share the matrix is rewritten without them.
_DEAD_SHARE = 0.2
_NONE: Numbers = np.empty(0, np.int64)


class Feed(Protocol):
    """Where a gallery gets its rows: one collection as one snapshot of the database shows it."""

    @property
    def head(self) -> int:
        """The collection's head in this snapshot."""

    def born(self, after: int) -> tuple[Numbers, Floats]:
        """Living rows with a sequence above `after`: sequences (n,) ascending and unit vectors (n, dimension)."""

    def died(self, after: int) -> tuple[Numbers, Numbers]:
        """Deletions made above head `after`: the sequences of what went (n,), and the heads at which it went (n,)."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. probe: (dimension,) unit float32. without: sequences to pass over."""

    probe: Floats
    limit: int
    floor: float
    without: Numbers


@dataclass(frozen=True, slots=True)
class View:
    """An immutable state of a gallery: right for every head from `since` to `head`."""

    since: int
    head: int
    born: Numbers  # (n,) sequences, ascending
    vectors: Floats  # (n, dimension)
    dead: Numbers  # (m,) row numbers
    died: Numbers  # (m,) the heads at which they died

    @classmethod
    def load(cls, feed: Feed) -> View:
        """Everything alive in the feed's snapshot."""
        born, vectors = feed.born(0)
        # Copied into a buffer with room, or the first enrolment after would copy it.
        return cls(
            feed.head,
            feed.head,
            _append(np.empty_like(born[:0]), born),
            _append(np.empty_like(vectors[:0]), vectors),
            _NONE,
            _NONE,
        )

    def grown(self, feed: Feed) -> View:
        """The same, caught up to the feed's snapshot."""
        born, vectors = feed.born(self.head)
        gone, died = feed.died(self.head)
        rows, held = _find(self.born, gone)
        # What was born and died since the last look was never seen: heads in between would miss it.
        unseen = died[gone > self.head]
        return View(
            since=max(self.since, int(unseen.max(initial=0))),
            head=feed.head,
            born=_append(self.born, born),
            vectors=_append(self.vectors, vectors),
            dead=np.concatenate([self.dead, rows[held]]),
            died=np.concatenate([self.died, died[held]]),
        )

    def compact(self) -> View:
        """Without its dead rows, and so right for no head but the last."""
        return View(
            self.head, self.head, np.delete(self.born, self.dead), np.delete(self.vectors, self.dead, 0), _NONE, _NONE
        )

    def top(self, kernel: Kernel, query: Query, head: int) -> tuple[Numbers, Cosines]:
        """The sequences most like the probe at a head, with their cosines; ties as in `Kernel.top`."""
        count = int(np.searchsorted(self.born, head, side="right"))
        if count == 0:
            return _NONE, np.empty(0)
        rows, held = _find(self.born[:count], query.without)
        dead = self.dead[self.died <= head]
        hidden = np.concatenate([dead[dead < count], rows[held]])
        found, cosines = kernel.top(self.vectors[:count], query.probe, query.limit, query.floor, hidden)
        return self.born[found], cosines


class Gallery:
    """The shared, growing view of one collection's faces or users. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view: View | None = None

    def at(self, feed: Feed) -> View:
        """A view that is right for the feed's head; catches up first where that is needed."""
        view = self._view
        if view is None or view.head < feed.head:
            with self._lock:  # one thread reads the database, those that waited find the work done
                view = self._view
                if view is None or view.head < feed.head:
                    view = View.load(feed) if view is None else view.grown(feed)
                    if view.dead.size > _DEAD_SHARE * view.born.size:
                        view = view.compact()
                    self._view = view
        # Others have moved on from a snapshot this old; it is rare enough to read it anew for this one search.
        return view if view.since <= feed.head else View.load(feed)

    @property
    def nbytes(self) -> int:
        """Memory held by the vectors."""
        return 0 if self._view is None else self._view.vectors.nbytes


def _find(born: Numbers, sequences: Numbers) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Row number of each sequence, and whether it is there at all; both (n,)."""
    if born.size == 0:
        return np.zeros_like(sequences), np.zeros(sequences.shape, np.bool_)
    rows = np.minimum(np.searchsorted(born, sequences), born.size - 1)
    return rows, born[rows] == sequences


def _append(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Old rows and new, written into the spare room behind the old ones where there is some.

    Only the newest view is ever grown, so that room is free; older views keep their own, shorter slice of the buffer.
    """
    total = len(old) + len(new)
    buffer = old if old.base is None else old.base
    if len(buffer) < total:
        buffer = np.empty((total + total // 4, *new.shape[1:]), new.dtype)
        buffer[: len(old)] = old
    buffer[len(old) : total] = new
    return buffer[:total]
