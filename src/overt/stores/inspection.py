# SPDX-License-Identifier: Apache-2.0
"""A collection's rows compared with each other: counts, heads, vectors, users. Knows no search file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, func, select

from overt.stores import vectors
from overt.stores.schema import collections, faces, tombstones, users
from overt.stores.shelf import AnyRow, Shelf

_BATCH = 10_000  # rows held at a time
_LENGTH = 2e-3  # how far from 1 the length of a unit vector may be after its numbers were rounded to float16
_MIDDLE = 1e-3  # by how much a stored user vector may differ from the mean worked out here, in any number


def faults(connection: Connection, shelf: Shelf) -> Iterator[str]:
    """What is wrong with the rows of a collection, in words; nothing where all is right."""
    yield from _count_faults(connection, shelf)
    yield from _vector_faults(connection, shelf)
    yield from _user_faults(connection, shelf)


def _count_faults(connection: Connection, shelf: Shelf) -> Iterator[str]:
    told = connection.execute(
        select(collections.c.face_count, collections.c.user_count).where(collections.c.number == shelf.number)
    ).one()
    for table, count in ((faces, told.face_count), (users, told.user_count)):
        mine = table.c.collection == shelf.number
        there, newest = connection.execute(select(func.count(), func.max(table.c.sequence)).where(mine)).one()
        if there != count:
            yield f"it says that it has {count} {table.name}, and has {there}"
        if (newest or 0) > shelf.head:
            yield f"{table.name} go up to sequence {newest}, beyond its head {shelf.head}"
        back = select(func.count()).where(
            mine, tombstones.c.collection == shelf.number, tombstones.c.sequence == table.c.sequence
        )
        if risen := connection.execute(back).scalar_one():
            yield f"{risen} {table.name} are there that were deleted"


def _vector_faults(connection: Connection, shelf: Shelf) -> Iterator[str]:
    for table in (faces, users):
        rows = connection.execute(
            select(table.c.sequence, table.c.embedding).where(
                table.c.collection == shelf.number, table.c.embedding.is_not(None)
            )
        )
        for batch in rows.partitions(_BATCH):
            wrong = [row.sequence for row in batch if len(row.embedding) != 2 * (shelf.dimension or 0)]
            whole = [row for row in batch if len(row.embedding) == 2 * (shelf.dimension or 0)]
            lengths = np.linalg.norm(
                vectors.stored([row.embedding for row in whole], shelf.dimension or 0).astype(np.float64), axis=1
            )
            wrong += [row.sequence for row, length in zip(whole, lengths, strict=True) if abs(length - 1) > _LENGTH]
            for sequence in wrong:
                yield f"the vector of sequence {sequence} in {table.name} is no unit vector of its model"


def _user_faults(connection: Connection, shelf: Shelf) -> Iterator[str]:
    """Each user's vector must be the mean of its faces', and its count theirs."""
    known = {
        row.id: row
        for row in connection.execute(
            select(users.c.id, users.c.face_count, users.c.embedding).where(users.c.collection == shelf.number)
        )
    }
    rows = connection.execute(
        select(faces.c.user_id, faces.c.embedding)
        .where(faces.c.collection == shelf.number, faces.c.user_id.is_not(None))
        .order_by(faces.c.user_id)
    )
    held: dict[str, int] = {}
    blobs: list[bytes] = []
    current: str | None = None
    for user_id, blob in rows:
        if user_id != current:
            if current is not None and not _is_mean(known.get(current), blobs, shelf):
                yield f"the vector of user {current} is not the mean of its faces"
            current, blobs = user_id, []
        blobs.append(blob)
        held[user_id] = held.get(user_id, 0) + 1
    if current is not None and not _is_mean(known.get(current), blobs, shelf):
        yield f"the vector of user {current} is not the mean of its faces"
    for user_id, row in known.items():
        if row.face_count != held.get(user_id, 0):
            yield f"user {user_id} says that it has {row.face_count} faces, and has {held.get(user_id, 0)}"


def _is_mean(user: AnyRow | None, blobs: list[bytes], shelf: Shelf) -> bool:
    middle = vectors.mean(vectors.decode(blobs, shelf.dimension or 0))
    if user is None or middle is None or user.embedding is None:
        return user is not None and middle is None and user.embedding is None
    stored = vectors.decode([user.embedding], shelf.dimension or 0)[0]
    return bool(np.abs(stored - middle).max() < _MIDDLE)
