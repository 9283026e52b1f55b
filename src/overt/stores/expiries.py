# SPDX-License-Identifier: Apache-2.0
"""Until when faces are on their lists, in SQL. Rows go with their faces."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Ids
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select

from overt.stores.schema import Moment, collections, expiries, faces
from overt.stores.shelf import Shelf, advance, among, chunks, locate
from overt.types import Collection

_JOINED = (expiries.c.collection == faces.c.collection, expiries.c.sequence == faces.c.sequence)

# Built once: every search asks it. Whether a row of the table `faces` has an end that has come by the parameter `now`.
IS_OVER = exists().where(*_JOINED, expiries.c.expires <= bindparam("now", type_=Moment()))


class SqlExpiries:
    """Implements `base.Expiries`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def set(self, collection: Collection, face_ids: Ids[str], expires: dt.datetime | None) -> Sequence[str]:
        """See `base.Expiries.set`."""
        shelf = locate(self._connection, collection)
        sequences = _sequences(self._connection, shelf, face_ids)
        if sequences:
            clear(self._connection, shelf, list(sequences.values()))
            if expires is not None:
                put(self._connection, shelf, dict.fromkeys(sequences.values(), expires))
            # Whoever has compared two collections by their heads is to see that one has changed.
            advance(self._connection, shelf, 1)
        return [face_id for face_id in dict.fromkeys(face_ids) if face_id in sequences]

    def of(self, collection: Collection, face_ids: Ids[str] | None = None) -> Mapping[str, dt.datetime]:
        """See `base.Expiries.of`."""
        shelf = locate(self._connection, collection)
        statement = (
            select(faces.c.id, expiries.c.expires)
            .join_from(expiries, faces, _JOINED[0] & _JOINED[1])
            .where(expiries.c.collection == shelf.number)
        )
        if face_ids is None:
            return {row.id: row.expires for row in self._connection.execute(statement)}
        return {row.id: row.expires for row in among(self._connection, statement, faces.c.id, face_ids)}

    def over(self, limit: int) -> Sequence[tuple[Collection, Sequence[str]]]:
        """See `base.Expiries.over`."""
        columns = [collections.c[name] for name in ("account", "id", "model", "created", "face_count", "user_count")]
        due = select(expiries).where(expiries.c.expires <= self._clock()).order_by(expiries.c.expires).limit(limit)
        first = due.subquery()
        statement = (
            select(*columns, faces.c.id)
            .join_from(
                first, faces, (first.c.collection == faces.c.collection) & (first.c.sequence == faces.c.sequence)
            )
            .join(collections, collections.c.number == first.c.collection)
        )
        by_collection: defaultdict[Collection, list[str]] = defaultdict(list)
        for *owner, face_id in self._connection.execute(statement):
            by_collection[Collection(*owner)].append(face_id)
        return list(by_collection.items())


def put(connection: Connection, shelf: Shelf, ends: Mapping[int, dt.datetime]) -> None:
    """Give faces that have none an end, by their sequences."""
    rows: list[dict[str, Any]] = [
        {"collection": shelf.number, "sequence": sequence, "expires": end} for sequence, end in ends.items()
    ]
    if rows:
        connection.execute(insert(expiries), rows)


def clear(connection: Connection, shelf: Shelf, sequences: Sequence[int], until: dt.datetime | None = None) -> None:
    """Take the ends of faces away; with `until` only those that have come by then."""
    mine = [expiries.c.collection == shelf.number]
    if until is not None:
        mine.append(expiries.c.expires <= until)
    for chunk in chunks(sequences):
        connection.execute(delete(expiries).where(*mine, expiries.c.sequence.in_(chunk)))


def _sequences(connection: Connection, shelf: Shelf, face_ids: Ids[str]) -> dict[str, int]:
    statement = select(faces.c.id, faces.c.sequence).where(faces.c.collection == shelf.number)
    return {row.id: row.sequence for row in among(connection, statement, faces.c.id, face_ids)}
