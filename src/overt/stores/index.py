# SPDX-License-Identifier: Apache-2.0
"""Galleries over the database: filled on first use, caught up by sequence before every search.

The shared galleries hold committed rows only, as every one of them may outlive the unit that searched. A write unit
sees its own rows too: it searches the shared gallery and, beside it, what it has not committed yet.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from sqlalchemy import Connection, Select, Table, select

from overt.stores import vectors
from overt.stores.codes import Halves, Numbers, Probe, quantise
from overt.stores.exact import Answer, Part, Scanner
from overt.stores.gallery import Gallery, Query
from overt.stores.schema import collections, faces, tombstones, users
from overt.stores.segment import Space
from overt.stores.segment_folder import SegmentFolder
from overt.stores.shelf import Shelf, among

# Memory for tails: thousands of small collections. The gallery in use always stays, however large.
_BUDGET = 2 * 2**30
_MAPPED = 256  # galleries that keep files open; a large collection has some tens of files
_BATCH = 10_000  # rows decoded at a time: bounds the Python objects alive while a large collection is read

Hits = dict[int, float]  # sequence -> cosine


@dataclass(frozen=True, slots=True)
class Share:
    """Which rows of each gallery an index holds: those whose sequence leaves `number` when divided by `of`."""

    number: int
    of: int


WHOLE = Share(0, 1)


class Search(Protocol):
    """How faces and users look for a probe, whatever kind of unit they belong to."""

    def __call__(self, table: Table, shelf: Shelf, query: Query) -> Hits:
        """The best `query.limit` rows, each of them; more where they tie with the last, or as many again to merge."""


class Look(Protocol):
    """How committed rows are searched as a connection sees them."""

    def __call__(self, connection: Connection, table: Table, shelf: Shelf, query: Query) -> Hits:
        """As `Search`. The shelf is as the connection sees it, too."""


class Galleries(Protocol):
    """Who holds the vectors of a database's collections, here or elsewhere. Safe for many threads."""

    def committed(self, connection: Connection) -> Search:
        """Search what a read unit's connection sees."""

    def pending(self, connection: Connection, snapshot: Callable[[], AbstractContextManager[Connection]]) -> Search:
        """Search what a write unit's connection sees; `snapshot` opens a connection that sees committed rows."""

    def forget(self, collection: int) -> None:
        """Let go of a collection's vectors. Harmless if it turns out to stay: they are read again when asked for."""

    def erase(self, connection: Connection, shelf: Shelf) -> list[str]:
        """Blot out all that was deleted from a collection. Returns: the names of files changed. Raises: StoreError."""

    def inspect(self, connection: Connection, shelf: Shelf) -> Iterator[str]:
        """What is wrong with what would be searched in a collection, in words."""

    def start(self) -> None:
        """Make ready to search, where that takes long. Raises: StoreError."""

    def settle(self) -> None:
        """Do now all that would be done in the background, in this process."""

    def close(self) -> None:
        """Finish what is under way."""


class TableFeed:
    """The faces or users of one shelf, as one connection sees them. Implements `gallery.Feed`."""

    def __init__(self, connection: Connection, table: Table, shelf: Shelf, share: Share = WHOLE) -> None:
        self._connection = connection
        self._table = table
        self._shelf = shelf
        self._share = share

    @property
    def head(self) -> int:
        """See `Feed.head`."""
        return self._shelf.head

    def born(self, after: int, until: int) -> Iterator[tuple[Numbers, Halves]]:
        """See `Feed.born`."""
        sequence = self._table.c.sequence
        statement = self._rows().where(sequence > after, sequence <= until).order_by(sequence)
        if until - after > _BATCH:  # or the driver would hold all rows of a large collection at once
            statement = statement.execution_options(stream_results=True, max_row_buffer=_BATCH)
        with self._connection.execute(statement) as result:
            for part in result.partitions(_BATCH):
                numbers, blobs = zip(*part, strict=True)
                yield np.array(numbers, np.int64), vectors.stored(blobs, self._shelf.dimension or 0)

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

    def lookup(self, sequences: Numbers) -> tuple[Numbers, Halves]:
        """See `Feed.lookup`."""
        rows = sorted(among(self._connection, self._rows(), self._table.c.sequence, sequences.tolist()))
        numbers = np.array([row.sequence for row in rows], np.int64)
        return numbers, vectors.stored([row.embedding for row in rows], self._shelf.dimension or 0)

    def _rows(self) -> Select[tuple[int, bytes]]:
        column = self._table.c
        mine = [column.collection == self._shelf.number]
        if self._share.of > 1:
            mine.append(column.sequence % self._share.of == self._share.number)
        return select(column.sequence, column.embedding).where(*mine)


class _NotHeldError(Exception):
    """A gallery needs its feed."""


class _Held:
    """A feed for a gallery that is to do with what it has."""

    def __init__(self, head: int) -> None:
        self.head = head

    def born(self, after: int, until: int) -> Iterator[tuple[Numbers, Halves]]:
        raise _NotHeldError(after, until)

    def died(self, after: int) -> tuple[Numbers, Numbers]:
        raise _NotHeldError(after)

    def lookup(self, sequences: Numbers) -> tuple[Numbers, Halves]:
        raise _NotHeldError(sequences)


class Index:
    """Implements `Galleries` in this process: all of them, the least recently searched dropped first."""

    def __init__(self, scanner: Scanner, folder: Path | None = None, lineage: str = "", share: Share = WHOLE) -> None:
        """Args: folder: where segments are kept, None = nowhere. lineage: which database they are of."""
        self._share = share
        self._scanner = scanner
        self._folder = folder
        self._lineage = lineage
        self._lock = threading.Lock()
        self._galleries: OrderedDict[tuple[int, str], Gallery] = OrderedDict()
        self._keeper = ThreadPoolExecutor(1, "segments")

    def committed(self, connection: Connection) -> Search:
        """See `Galleries.committed`."""
        return partial(self.look, connection)

    def pending(
        self,
        connection: Connection,
        snapshot: Callable[[], AbstractContextManager[Connection]],
        look: Look | None = None,
    ) -> Search:
        """See `Galleries.pending`. look: who searches the committed rows; by default the index itself."""
        behind = look or self.look

        def search(table: Table, shelf: Shelf, query: Query) -> Hits:
            if query.limit == 0:
                return {}
            own = TableFeed(connection, table, shelf)
            with snapshot() as committed:
                before = _as_of(committed, shelf)
                gone, _ = own.died(before.head)
                standing = Query(query.probe, query.limit, query.floor, np.concatenate([query.without, gone]))
                hits = behind(committed, table, before, standing)
            return hits | self._search_fresh(own, before.head, query)

        return search

    def forget(self, collection: int) -> None:
        """See `Galleries.forget`."""
        with self._lock:
            for key in [key for key in self._galleries if key[0] == collection]:
                del self._galleries[key]
        if self._folder is not None:
            for path in self._folder.glob(f"{collection}-*"):
                shutil.rmtree(path, ignore_errors=True)

    def gallery(self, table: Table, shelf: Shelf) -> Gallery:
        """The shared gallery of a shelf, which has a dimension."""
        key = (shelf.number, table.name)
        with self._lock:
            gallery = self._galleries.get(key)
            if gallery is None:
                gallery = self._galleries[key] = self._open(table, shelf)
            self._galleries.move_to_end(key)
        return gallery

    def erase(self, connection: Connection, shelf: Shelf) -> list[str]:
        """Blot out all that was deleted from a collection; see `Gallery.erase`. Returns: the names of files changed."""
        return [
            name
            for table in (faces, users)
            if shelf.dimension is not None
            for name in self.gallery(table, shelf).erase(TableFeed(connection, table, shelf, self._share))
        ]

    def inspect(self, connection: Connection, shelf: Shelf) -> Iterator[str]:
        """What is wrong with a collection's galleries; see `Gallery.inspect`."""
        for table in (faces, users):
            if shelf.dimension is not None:
                for fault in self.gallery(table, shelf).inspect(TableFeed(connection, table, shelf, self._share)):
                    yield f"{table.name}: {fault}"

    def sweep(self, collections_there: Iterable[int]) -> None:
        """Remove the segments of collections that are no longer there."""
        there = {str(number) for number in collections_there}
        for path in () if self._folder is None or not self._folder.is_dir() else self._folder.iterdir():
            if path.name.split("-")[0] not in there:
                shutil.rmtree(path, ignore_errors=True)

    def settle(self) -> None:
        """See `Galleries.settle`."""
        with self._lock:
            galleries = list(self._galleries.values())
        for gallery in galleries:
            gallery.tend()

    def start(self) -> None:
        """See `Galleries.start`. Galleries are read when they are first searched."""

    def close(self) -> None:
        """Finish what is under way in the background."""
        self._keeper.shutdown(cancel_futures=True)
        self._scanner.close()
        self._galleries.clear()

    def _open(self, table: Table, shelf: Shelf) -> Gallery:
        dimension = shelf.dimension or 0
        space = Space(
            self._lineage, shelf.number, table.name, shelf.model, dimension, self._share.number, self._share.of
        )
        path = self._folder
        folder = None if path is None else SegmentFolder(path / f"{shelf.number}-{table.name}", space)
        return Gallery(dimension, self._scanner, folder)

    def look(self, connection: Connection, table: Table, shelf: Shelf, query: Query) -> Hits:
        """See `Look`."""
        return _hits(self.search(connection, table, shelf, query))

    def read(self, connection: Connection, table: Table, shelf: Shelf) -> None:
        """Bring one gallery up to what a connection sees, before anybody searches it."""
        if shelf.dimension is not None:
            self.gallery(table, shelf).at(TableFeed(connection, table, shelf, self._share))
            self._trim()

    @property
    def living(self) -> int:
        """Rows alive in all galleries held."""
        with self._lock:
            galleries = list(self._galleries.values())
        return sum(gallery.living for gallery in galleries)

    def recall(self, table: Table, shelf: Shelf, query: Query) -> Answer | None:
        """The answer at a shelf's head from what is held, without a look at the database; None if that cannot tell."""
        gallery = self.gallery(table, shelf)
        if not gallery.is_read:  # reading now, it would take the caller's head for the database's, and lose later files
            return None
        try:
            return gallery.search(_Held(shelf.head), query)
        except _NotHeldError:
            return None

    def score(self, sequences: Numbers, halves: Halves, query: Query) -> Hits:
        """As a search of a gallery that holds just these rows."""
        seen = ~np.isin(sequences, query.without)
        part = Part(quantise(sequences[seen], halves[seen]))
        return _hits(self._scanner.search([part], [Probe.of(query.probe, query.limit, query.floor)])[0])

    def search(self, connection: Connection, table: Table, shelf: Shelf, query: Query) -> Answer | None:
        """Search one gallery as a connection sees it; None when it is empty."""
        if shelf.dimension is None or shelf.head == 0 or query.limit == 0:
            return None
        gallery = self.gallery(table, shelf)
        before = gallery.nbytes, gallery.segments
        answer = gallery.search(TableFeed(connection, table, shelf, self._share), query)
        if gallery.wants_tending:
            self._keeper.submit(gallery.tend)
        if (gallery.nbytes, gallery.segments) != before:  # it looks at every gallery there is
            self._trim()
        return answer

    def _search_fresh(self, own: TableFeed, after: int, query: Query) -> Hits:
        """Search rows that are not committed yet."""
        hits: Hits = {}
        for sequences, halves in own.born(after, own.head):
            hits |= self.score(sequences, halves, query)
        return hits

    def _trim(self) -> None:
        with self._lock:
            size = sum(gallery.nbytes for gallery in self._galleries.values())
            mapped = sum(1 for gallery in self._galleries.values() if gallery.segments)
            while len(self._galleries) > 1 and (size > _BUDGET or mapped > _MAPPED):
                _, oldest = self._galleries.popitem(last=False)
                size -= oldest.nbytes
                mapped -= bool(oldest.segments)


def _as_of(committed: Connection, shelf: Shelf) -> Shelf:
    """The same shelf before the units that are still open; an empty one when they made it."""
    row = committed.execute(
        select(collections.c.dimension, collections.c.head).where(collections.c.number == shelf.number)
    ).first()
    dimension, head = (None, 0) if row is None else row
    return Shelf(shelf.number, shelf.model, dimension, head)


def _hits(answer: Answer | None) -> Hits:
    return {} if answer is None else dict(zip(answer.sequences.tolist(), answer.cosines.tolist(), strict=True))
