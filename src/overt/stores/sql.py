# SPDX-License-Identifier: Apache-2.0
"""The store behind `base.Stores`: a SQLite file or a PostgreSQL database, with exact search in memory.

Several processes may open the same one; each sees what the others acknowledged.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from collections.abc import Collection as Ids
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from overt.stores import inspection, lineage, postgresql, sqlite, urls
from overt.stores.base import Erasure, StoreError, Unit
from overt.stores.deletions import delete_faces, forget_faces
from overt.stores.exact import Scanner
from overt.stores.index import Galleries, Index
from overt.stores.kernels import choose
from overt.stores.migrations import upgrade
from overt.stores.postgresql import PostgresqlWriter
from overt.stores.schema import collections
from overt.stores.shelf import locate
from overt.stores.unit import SqlUnit
from overt.stores.vault import Vault
from overt.stores.writer import GroupWriter, Writer
from overt.types import Collection

_KINDS = {"sqlite": sqlite, "postgresql": postgresql}


def utc_now() -> dt.datetime:
    """The present, with its zone."""
    return dt.datetime.now(dt.UTC)


class SqlStores:
    """Implements `base.Stores`. Safe for many threads; a unit belongs to the thread that opened it."""

    def __init__(
        self, engines: tuple[Engine, Engine], vault: Vault, index: Galleries, clock: Callable[[], dt.datetime] = utc_now
    ) -> None:
        """Args: engines: for writing and for reading, of an upgraded database. Most callers want `open`."""
        self.writing, self.reading = engines
        self._writer = _writer(self.writing)
        self._index = index
        self._vault = vault
        self._clock = clock
        self._closed = False

    @classmethod
    def open(
        cls,
        url: str,
        vault: Vault,
        clock: Callable[[], dt.datetime] = utc_now,
        segments: Path | None = None,
        kernel: str = "auto",
        *,
        spread: Callable[[Index, str], Galleries] | None = None,
    ) -> SqlStores:
        """Open a database, creating or upgrading it first.

        Args: url: like sqlite:////var/lib/overt/overt.db or postgresql://user:password@host/overt. vault: wraps the
            secrets of access keys; all who open one database need the same. segments: folder of search segments;
            without one all vectors searched are held in memory. kernel: see `kernels.choose`. spread: puts in place of
            this process's index, which it is given with the database's lineage, one that reaches further.
        Raises: StoreError when the url is of another kind, the database cannot be opened, a newer overt wrote it, or
            there is no such kernel.
        """
        engines = _KINDS[urls.kind(url)].open_engines(url)
        try:
            with engines[0].connect() as connection:
                upgrade(connection)
                name = lineage.current(connection)
                index = Index(Scanner(choose(kernel), os.cpu_count() or 1), segments, name)
                index.sweep(connection.execute(select(collections.c.number)).scalars())
                galleries = index if spread is None else spread(index, name)
        except BaseException:
            for engine in engines:
                engine.dispose()
            raise
        return cls(engines, vault, galleries, clock)

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """See `base.Stores.read`. Raises: StoreError when written through."""
        with self._snapshot() as connection:
            yield self._unit(connection, committed=True)

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """See `base.Stores.write`. Raises: as `Writer.unit`."""
        with self._writer.unit() as connection:
            yield self._unit(connection, committed=False)

    def erase(self, collection: Collection, face_ids: Ids[str]) -> Erasure:
        """See `base.Stores.erase`."""
        with self.write() as unit:
            gone = {face.id: face.user_id for face in delete_faces(unit, collection, face_ids)}
            alerts, parcels = forget_faces(unit, collection, face_ids)
        places = [_KINDS[self.reading.dialect.name].scrub(self.reading)]
        with self._snapshot() as connection:
            names = self._index.erase(connection, locate(connection, collection))
        places.append(f"alerts that named them, pictures included: {alerts} removed")
        places.append(f"results of streams that named them, on their way or given up: {parcels} removed")
        places += [f"search file {name}: overwritten and removed" for name in names]
        missing = tuple(face_id for face_id in face_ids if face_id not in gone)
        users = dict.fromkeys(user_id for user_id in gone.values() if user_id is not None)
        return Erasure(tuple(gone), missing, tuple(users), tuple(places))

    def verify(self, collection: Collection | None = None) -> Iterator[str]:
        """See `base.Stores.verify`."""
        with self._snapshot() as connection:
            if collection is None:
                yield from _KINDS[connection.dialect.name].damage(connection)
                return
            shelf = locate(connection, collection)
            yield from inspection.faults(connection, shelf)
            yield from self._index.inspect(connection, shelf)

    def settle(self) -> None:
        """Merge search segments now that would be merged in the background."""
        self._index.settle()

    def start(self) -> None:
        """See `base.Stores.start`."""
        self._index.start()

    def close(self) -> None:
        """See `base.Stores.close`."""
        self._writer.close()
        self._closed = True
        self._index.close()
        self.writing.dispose()
        self.reading.dispose()

    def _unit(self, connection: Connection, *, committed: bool) -> SqlUnit:
        index = self._index
        search = index.committed(connection) if committed else index.pending(connection, self._snapshot)
        return SqlUnit(connection, search, index.forget, self._vault, self._clock)

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        """A connection that sees one state of the database, the newest acknowledged, and changes nothing."""
        if self._closed:
            msg = "the store is closed"
            raise StoreError(msg)
        with self.reading.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()


def _writer(engine: Engine) -> Writer:
    return PostgresqlWriter(engine) if engine.dialect.name == "postgresql" else GroupWriter(engine.connect())
