# SPDX-License-Identifier: Apache-2.0
"""The one connection that writes, and group commit: units that queue up share one transaction and one sync to disk.

A unit runs alone, inside a savepoint. When it ends while others stand in line, it waits; the last in line commits for
all. So a lone writer commits at once, and under load one sync to disk serves everyone who waited for the one before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from overt.stores.base import StoreError

_LARGEST_GROUP = 64  # so that an endless line cannot put off the commit for ever
_ORPHAN_SECONDS = 1.0  # after this a waiter looks whether whoever should have committed was interrupted


class _Group:
    """The units of one transaction, and what became of it."""

    def __init__(self) -> None:
        self.members = 0
        self.done = threading.Event()
        self.error: Exception | None = None

    def finish(self, error: Exception | None = None) -> None:
        self.error = error
        self.done.set()


class Writer:
    """Hands the writing connection to one thread at a time."""

    def __init__(self, connection: Connection) -> None:
        """Args: connection: in autocommit mode; it belongs to the writer from here on."""
        self._connection = connection
        self._turn = threading.Lock()
        self._owner: int | None = None
        self._line_lock = threading.Lock()
        self._in_line = 0
        self._group: _Group | None = None
        self._closed = False

    @contextmanager
    def unit(self) -> Iterator[Connection]:
        """The connection, inside a savepoint of its own. Leaving the block returns once the work is durable.

        An exception undoes this unit alone and passes on. Raises: StoreError when the commit failed, in every unit it
        would have covered; when another process kept the file locked; when the thread is in a write unit already.
        """
        with self._my_turn():
            group = self._begin()
            try:
                with self._savepoint(group):
                    yield self._connection
                group.members += 1
            finally:
                if self._group is group and (self._in_line == 0 or group.members >= _LARGEST_GROUP):
                    self._end(group)
        self._wait(group)

    def close(self) -> None:
        """Commit what is under way and refuse what comes after. Raises: StoreError inside a write unit."""
        with self._my_turn():
            if not self._closed:
                self._closed = True
                if self._group is not None:
                    self._end(self._group)
                self._connection.close()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self._owner == threading.get_ident():
            msg = "this thread is in a write unit already; use that one"
            raise StoreError(msg)
        with self._line_lock:
            self._in_line += 1
        try:
            self._turn.acquire()
        finally:
            with self._line_lock:
                self._in_line -= 1
        self._owner = threading.get_ident()
        try:
            yield
        finally:
            self._owner = None
            self._turn.release()

    def _begin(self) -> _Group:
        """The group whose transaction is open, or a new one."""
        if self._closed:
            msg = "the store is closed"
            raise StoreError(msg)
        if self._group is None:
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
            self._group = _Group()
        return self._group

    @contextmanager
    def _savepoint(self, group: _Group) -> Iterator[None]:
        self._connection.exec_driver_sql("SAVEPOINT unit")
        try:
            yield
            self._connection.exec_driver_sql("RELEASE unit")
        except BaseException as error:
            if self._is_open():
                self._connection.exec_driver_sql("ROLLBACK TO unit")
                self._connection.exec_driver_sql("RELEASE unit")
            else:  # SQLite gave up the whole transaction (disk full, input/output error), the other units with it
                self._group = None
                group.finish(StoreError(f"the transaction was lost to another unit's error: {error}"))
            raise

    def _end(self, group: _Group) -> None:
        """Commit, and tell the group how it went; raises nothing itself."""
        self._group = None
        error: Exception | None = None
        try:
            self._connection.exec_driver_sql("COMMIT" if group.members else "ROLLBACK")
        except StoreError as failure:
            error = failure
            if self._is_open():
                self._connection.exec_driver_sql("ROLLBACK")
        finally:
            group.finish(error)

    def _wait(self, group: _Group) -> None:
        while not group.done.wait(_ORPHAN_SECONDS):
            with self._turn:
                if self._group is group:
                    self._end(group)
        if group.error is not None:
            msg = f"nothing was written: {group.error}"
            raise StoreError(msg) from group.error

    def _is_open(self) -> bool:
        """Whether the database still has our transaction."""
        return bool(self._connection.connection.driver_connection.in_transaction)  # type: ignore[union-attr]
