# SPDX-License-Identifier: Apache-2.0
"""A search shard: one part of every large collection, kept in the memory and on the disk of one node.

It holds nothing that is not in PostgreSQL, which it reads by itself: a lost one is made anew anywhere. It answers from
what it holds where that is right for its caller's head. Where it must look at the database, it always looks at the
newest state, never at an old one: a caller whose snapshot stands at an earlier head then gets the rows of that state
that were there at its own head, and the numbers of those that have gone since, which its own snapshot still shows.
Together they are exactly what it would have found by itself.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import ray
import structlog
from sqlalchemy import Connection, Engine, select

from overt import __version__
from overt.scale import node
from overt.scale.cluster import Health
from overt.settings import Settings
from overt.stores import lineage, postgresql
from overt.stores.base import NotFoundError, StoreError, UnavailableError
from overt.stores.codes import Numbers
from overt.stores.exact import Cosines, Scanner
from overt.stores.gallery import Query
from overt.stores.index import Index, Share, TableFeed
from overt.stores.kernels import choose
from overt.stores.schema import collections, faces, users
from overt.stores.shelf import Shelf

log = structlog.get_logger(__name__)

KIND = "shard"
THREADS = 16  # searches at once; as many connections to the database, which its pool allows
_TABLES = {table.name: table for table in (faces, users)}
_NONE: Numbers = np.empty(0, np.int64)
_BEHIND = 5.0  # seconds a shard waits for a state that its caller has seen; a primary never is behind
_LOOK = 0.02
_AGAIN = 2.0  # seconds until a shard that could not read the database at its start tries once more


class WrongShareError(StoreError):
    """The shard is another part of the galleries than its caller thinks."""


@dataclass(frozen=True, slots=True)
class Found:
    """A shard's part of an answer.

    sequences (m,) and cosines (m,): the best of the rows that the caller's head and the shard's state have in common.
    gone: (g,) sequences that had been there at the caller's head.
    """

    sequences: Numbers
    cosines: Cosines
    gone: Numbers


class Shard:
    """One part of the galleries of one database; an actor of Ray. Safe for many threads."""

    def __init__(self, settings: Settings, database: str, share: Share) -> None:
        """Args: database: its lineage. Nothing is opened yet: what fails here is never tried again by Ray."""
        self._settings = node.at_home(settings)
        self._database = database
        self._share = share
        self._life = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._open: tuple[Engine, Index] | None = None
        self._ready = False
        self._trouble = ""
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def search(self, share: Share, table: str, asked: Shelf, query: Query) -> Found:
        """The best rows of this part at the head of the shelf, which is the caller's; see `Found`.

        Raises: WrongShareError; NotFoundError for a collection that has gone; UnavailableError.
        """
        self._check(share)
        answer = self._opened()[1].recall(_TABLES[table], asked, query)
        if answer is not None:
            return Found(answer.sequences, answer.cosines, _NONE)
        end = time.monotonic() + _BEHIND
        while True:
            with self._snapshot() as connection:
                shelf = _shelf(connection, asked.number)
                if shelf.head >= asked.head:
                    return self._found(connection, table, shelf, replace(query, until=asked.head), asked.head)
            if time.monotonic() > end:
                msg = f"the database that shard {share.number} reads is behind the one that its callers read"
                raise UnavailableError(msg)
            time.sleep(_LOOK)

    def erase(self, share: Share, collection: int) -> list[str]:
        """Blot out all that was deleted from a collection. Returns: names of files changed. Raises: as `search`."""
        self._check(share)
        with self._snapshot() as connection:
            return self._opened()[1].erase(connection, _shelf(connection, collection))

    def inspect(self, share: Share, collection: int) -> list[str]:
        """What is wrong with this part of a collection, in words. Raises: as `search`."""
        self._check(share)
        with self._snapshot() as connection:
            return list(self._opened()[1].inspect(connection, _shelf(connection, collection)))

    def forget(self, collection: int) -> None:
        """Let go of a collection."""
        self._opened()[1].forget(collection)

    @ray.method(concurrency_group="care")
    def health(self) -> Health:
        """How it is. parts: of how many shards it is one."""
        rows = 0 if self._open is None else self._open[1].living
        return Health(
            node.address(),
            self._life,
            __version__,
            self._ready,
            self._trouble,
            parts=self._share.of,
            rows=rows,
            resident=node.resident(),
        )

    def _found(self, connection: Connection, table: str, shelf: Shelf, query: Query, head: int) -> Found:
        answer = self._opened()[1].search(connection, _TABLES[table], shelf, query)
        gone = _NONE
        if shelf.head > head:
            gone, _ = TableFeed(connection, _TABLES[table], shelf).died(head)
            gone = gone[(gone <= head) & (gone % self._share.of == self._share.number)]
        if answer is None:
            return Found(_NONE, np.empty(0), gone)
        return Found(answer.sequences, answer.cosines, gone)

    def _check(self, share: Share) -> None:
        if share != self._share:
            msg = f"this is shard {self._share.number} of {self._share.of}, not {share.number} of {share.of}"
            raise WrongShareError(msg)

    def _opened(self) -> tuple[Engine, Index]:
        with self._lock:
            if self._open is None:
                _, reading = postgresql.open_engines(self._settings.store_url)
                try:
                    with reading.connect() as connection:
                        if lineage.current(connection) != self._database:
                            msg = (
                                "the database was exchanged for another one: run `overt cluster stop`, then `overt up`"
                            )
                            raise StoreError(msg)  # noqa: TRY301
                    self._open = reading, self._index()
                except BaseException:
                    reading.dispose()
                    raise
            return self._open

    def _index(self) -> Index:
        folder = self._settings.shard_folder / f"{self._share.number}-of-{self._share.of}"
        self._claim = node.hold(folder)  # until this process ends
        scanner = Scanner(choose(self._settings.search_kernel), os.cpu_count() or 1)
        return Index(scanner, folder, self._database, self._share)

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection that sees the newest state."""
        with self._opened()[0].connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def _warm(self) -> None:
        """Read all large collections, so that the first searches need not."""
        while not self._ready:
            try:
                self._read_all()
                self._trouble, self._ready = "", True
            except StoreError as error:
                self._trouble = str(error)
            except Exception as error:
                log.exception("a shard could not read the database")
                self._trouble = f"{type(error).__name__}: see its log"
            if not self._ready:
                time.sleep(_AGAIN)

    def _read_all(self) -> None:
        with self._snapshot() as connection:
            heads = {
                row.number: row.head for row in connection.execute(select(collections.c.number, collections.c.head))
            }
        index = self._opened()[1]
        index.sweep(heads)
        for number in [number for number, head in heads.items() if head >= self._settings.sharded_from]:
            for table in _TABLES.values():
                try:
                    with self._snapshot() as connection:
                        index.read(connection, table, _shelf(connection, number))
                except NotFoundError:
                    break  # deleted meanwhile


def _shelf(connection: Connection, number: int) -> Shelf:
    column = collections.c
    row = connection.execute(
        select(column.number, column.model, column.dimension, column.head).where(column.number == number)
    ).first()
    if row is None:
        msg = "the collection was deleted meanwhile"
        raise NotFoundError(msg)
    return Shelf(*row)
