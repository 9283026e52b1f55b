# SPDX-License-Identifier: Apache-2.0
"""Galleries over the database: filled on first use, caught up by sequence before every search.

The shared galleries hold committed rows only, as every one of them may outlive the unit that searched. A write unit
sees its own rows too: it searches the shared gallery and, beside it, what it has not committed yet.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
from sqlalchemy import Connection, Table, select

from overt.stores import vectors
from overt.stores.gallery import Gallery, Query, View
from overt.stores.kernels.base import Kernel, Numbers
from overt.stores.schema import collections, tombstones
from overt.stores.shelf import Shelf
from overt.types import Floats

# Vectors kept in memory: 4 million of 128 float32, or thousands of small collections; a machine that runs face models
# has that to spare. The gallery in use always stays, however large.
_BUDGET = 2 * 2**30
_BATCH = 10_000  # rows decoded at a time: bounds the Python objects alive while a large collection is read

Hits = dict[int, float]  # sequence -> cosine


class Search(Protocol):
    """How faces and users look for a probe, whatever kind of unit they belong to."""

    def __call__(self, table: Table, shelf: Shelf, query: Query) -> Hits:
        """The best `query.limit` rows, each of them; more where they tie with the last, or as many again to merge."""


class TableFeed:
    """The faces or users of one shelf, as one connection sees them."""

    def __init__(self, connection: Connection, table: Table, shelf: Shelf) -> None:
        self._connection = connection
        self._table = table
        self._shelf = shelf

    @property
    def head(self) -> int:
        """See `Feed.head`."""
        return self._shelf.head

    def born(self, after: int) -> tuple[Numbers, Floats]:
        """See `Feed.born`."""
        column = self._table.c
        rows = self._connection.execute(
            select(column.sequence, column.embedding)
            .where(column.collection == self._shelf.number, column.sequence > after)
            .order_by(column.sequence)
        )
        dimension = self._shelf.dimension or 0
        numbers, matrices = [np.empty(0, np.int64)], [np.empty((0, dimension), np.float32)]
        for part in rows.partitions(_BATCH):
            sequences, blobs = zip(*part, strict=True)
            numbers.append(np.array(sequences, np.int64))
            matrices.append(vectors.decode(blobs, dimension))
        return np.concatenate(numbers), np.concatenate(matrices)

    def died(self, after: int) -> tuple[Numbers, Numbers]:
        """See `Feed.died`."""
        column = tombstones.c
        rows = self._connection.execute(
            select(column.sequence, column.deleted).where(
                column.collection == self._shelf.number, column.deleted > after
            )
        ).all()
        pairs = np.array([tuple(row) for row in rows], np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]


class Index:
    """All galleries in memory, the least recently searched dropped first."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._lock = threading.Lock()
        self._galleries: OrderedDict[tuple[int, str], Gallery] = OrderedDict()

    def committed(self, connection: Connection) -> Search:
        """Search what a read unit's connection sees."""
        return lambda table, shelf, query: self._top(TableFeed(connection, table, shelf), table, shelf, query)

    def pending(self, connection: Connection, snapshot: Callable[[], AbstractContextManager[Connection]]) -> Search:
        """Search what a write unit's connection sees; `snapshot` opens a connection that sees committed rows."""

        def search(table: Table, shelf: Shelf, query: Query) -> Hits:
            own = TableFeed(connection, table, shelf)
            with snapshot() as committed:
                before = _as_of(committed, shelf)
                gone, _ = own.died(before.head)
                standing = Query(query.probe, query.limit, query.floor, np.concatenate([query.without, gone]))
                hits = self._top(TableFeed(committed, table, before), table, before, standing)
            born, rows = own.born(before.head)
            fresh = View(0, shelf.head, born, rows, gone[:0], gone[:0])
            return hits | _hits(*fresh.top(self.kernel, query, shelf.head))

        return search

    def forget(self, number: int) -> None:
        """Let go of a collection's vectors. Harmless if it turns out to stay: they are read again when asked for."""
        with self._lock:
            for key in [key for key in self._galleries if key[0] == number]:
                del self._galleries[key]

    def _top(self, feed: TableFeed, table: Table, shelf: Shelf, query: Query) -> Hits:
        if shelf.dimension is None or shelf.head == 0:
            return {}
        key = (shelf.number, table.name)
        with self._lock:
            gallery = self._galleries.setdefault(key, Gallery())
            self._galleries.move_to_end(key)
        view = gallery.at(feed)
        self._trim()
        return _hits(*view.top(self.kernel, query, shelf.head))

    def _trim(self) -> None:
        with self._lock:
            size = sum(gallery.nbytes for gallery in self._galleries.values())
            while size > _BUDGET and len(self._galleries) > 1:
                _, oldest = self._galleries.popitem(last=False)
                size -= oldest.nbytes


def _as_of(committed: Connection, shelf: Shelf) -> Shelf:
    """The same shelf before the units that are still open; an empty one when they made it."""
    row = committed.execute(
        select(collections.c.dimension, collections.c.head).where(collections.c.number == shelf.number)
    ).first()
    dimension, head = (None, 0) if row is None else row
    return Shelf(shelf.number, shelf.model, dimension, head)


def _hits(sequences: Numbers, cosines: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Hits:
    return dict(zip(sequences.tolist(), cosines.tolist(), strict=True))
