# SPDX-License-Identifier: Apache-2.0
"""Users in SQL. Each has one vector, the mean of its faces'; a changed vector is a new row to the index."""

from __future__ import annotations

from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from overt.stores import vectors
from overt.stores.base import ExistsError, NotFoundError, StoreError
from overt.stores.gallery import Query
from overt.stores.index import Search
from overt.stores.schema import collections, faces, users
from overt.stores.shelf import AnyRow, Shelf, advance, among, bury, chunks, locate
from overt.types import Collection, Embedding, Floats, Person

CREATED = "CREATED"  # it has no face
ACTIVE = "ACTIVE"  # its vector covers all its faces; UPDATING is never seen, as both change in one transaction

_COLUMNS = (users.c.id, users.c.status, users.c.face_count)

_RENEW = (
    update(users)
    .where(users.c.collection == bindparam("of_collection"), users.c.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in ("status", "face_count", "sequence", "embedding")})
)


class SqlUsers:
    """Implements `base.Users`."""

    def __init__(self, connection: Connection, search: Search) -> None:
        self._connection = connection
        self._search = search

    def create(self, collection: Collection, user_id: str) -> Person:
        """See `base.Users.create`."""
        shelf = locate(self._connection, collection)
        if self._row(shelf, user_id) is not None:
            msg = f"user {user_id} exists already in collection {collection.id}"
            raise ExistsError(msg)
        self._connection.execute(
            insert(users).values(collection=shelf.number, id=user_id, status=CREATED, face_count=0)
        )
        advance(self._connection, shelf, 1, user_count=collections.c.user_count + 1)
        return Person(user_id, CREATED, 0)

    def load(self, collection: Collection, user_ids: Ids[str]) -> int:
        """See `base.Users.load`."""
        shelf = locate(self._connection, collection)
        known = _sequences(self._connection, shelf, user_ids)
        fresh = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in known]
        if fresh:
            rows = [
                {"collection": shelf.number, "id": user_id, "status": CREATED, "face_count": 0} for user_id in fresh
            ]
            self._connection.execute(insert(users), rows)
            advance(self._connection, shelf, 1, user_count=collections.c.user_count + len(fresh))
        return len(fresh)

    def get(self, collection: Collection, user_id: str) -> Person:
        """See `base.Users.get`."""
        return _person(self._known(locate(self._connection, collection), user_id))

    def page(self, collection: Collection, after: str, limit: int) -> Sequence[Person]:
        """See `base.Users.page`."""
        shelf = locate(self._connection, collection)
        rows = self._connection.execute(
            select(*_COLUMNS)
            .where(users.c.collection == shelf.number, users.c.id > after)
            .order_by(users.c.id)
            .limit(limit)
        )
        return [_person(row) for row in rows]

    def delete(self, collection: Collection, user_id: str) -> None:
        """See `base.Users.delete`."""
        shelf = locate(self._connection, collection)
        row = self._known(shelf, user_id)
        mine = (faces.c.collection == shelf.number, faces.c.user_id == user_id)
        self._connection.execute(update(faces).where(*mine).values(user_id=None))
        self._connection.execute(delete(users).where(users.c.collection == shelf.number, users.c.id == user_id))
        dealt = advance(self._connection, shelf, 1, user_count=collections.c.user_count - 1)
        if row.sequence is not None:
            bury(self._connection, shelf, [row.sequence], dealt)

    def associate(self, collection: Collection, user_id: str, face_ids: Ids[str]) -> Person:
        """See `base.Users.associate`."""
        shelf = locate(self._connection, collection)
        self._known(shelf, user_id)
        statement = select(faces.c.id, faces.c.user_id).where(faces.c.collection == shelf.number)
        owners = {row.id: row.user_id for row in among(self._connection, statement, faces.c.id, face_ids)}
        if missing := set(face_ids) - owners.keys():
            msg = f"no such faces in collection {collection.id}: {', '.join(sorted(missing))}"
            raise NotFoundError(msg)
        if taken := [face_id for face_id, owner in owners.items() if owner not in (None, user_id)]:
            msg = f"faces belong to another user already: {', '.join(sorted(taken))}"
            raise StoreError(msg)
        return self._give(shelf, user_id, [face_id for face_id, owner in owners.items() if owner is None], user_id)

    def disassociate(self, collection: Collection, user_id: str, face_ids: Ids[str]) -> Person:
        """See `base.Users.disassociate`."""
        shelf = locate(self._connection, collection)
        self._known(shelf, user_id)
        statement = select(faces.c.id).where(faces.c.collection == shelf.number, faces.c.user_id == user_id)
        held = [row.id for row in among(self._connection, statement, faces.c.id, face_ids)]
        return self._give(shelf, user_id, held, None)

    def vector(self, collection: Collection, user_id: str) -> Embedding | None:
        """See `base.Users.vector`."""
        shelf = locate(self._connection, collection)
        blob = self._known(shelf, user_id).embedding
        return None if blob is None else Embedding(vectors.decode([blob], shelf.dimension or 0)[0], shelf.model)

    def search(
        self, collection: Collection, probe: Embedding, limit: int, floor: float, without: Ids[str] = ()
    ) -> Sequence[tuple[Person, float]]:
        """See `base.Users.search`."""
        shelf = locate(self._connection, collection)
        shelf.check(probe)
        statement = select(*_COLUMNS, users.c.sequence).where(users.c.collection == shelf.number)
        passed = among(self._connection, statement, users.c.id, without)
        hidden = np.array([row.sequence for row in passed if row.sequence is not None], np.int64)
        hits = self._search(users, shelf, Query(probe.vector, limit, floor, hidden))
        rows = among(self._connection, statement, users.c.sequence, hits)
        found = [(_person(row), hits[row.sequence]) for row in rows]
        return sorted(found, key=lambda pair: (-pair[1], pair[0].id))[:limit]

    def _give(self, shelf: Shelf, user_id: str, face_ids: Sequence[str], owner: str | None) -> Person:
        """Hand faces to an owner or to nobody, and bring the user's row up to date."""
        for chunk in chunks(face_ids):
            self._connection.execute(
                update(faces).where(faces.c.collection == shelf.number, faces.c.id.in_(chunk)).values(user_id=owner)
            )
        if face_ids:
            renew(self._connection, shelf, [user_id])
        return _person(self._known(shelf, user_id))

    def _row(self, shelf: Shelf, user_id: str) -> AnyRow | None:
        statement = select(users).where(users.c.collection == shelf.number, users.c.id == user_id)
        return self._connection.execute(statement).first()

    def _known(self, shelf: Shelf, user_id: str) -> AnyRow:
        row = self._row(shelf, user_id)
        if row is None:
            msg = f"no user {user_id} in the collection"
            raise NotFoundError(msg)
        return row


def require(connection: Connection, shelf: Shelf, user_ids: Ids[str]) -> None:
    """Raises: NotFoundError unless all these users are there."""
    if missing := set(user_ids) - _sequences(connection, shelf, user_ids).keys():
        msg = f"no such users in the collection: {', '.join(sorted(missing)[:5])}"
        raise NotFoundError(msg)


def renew(connection: Connection, shelf: Shelf, user_ids: Sequence[str]) -> None:
    """Bring the rows of users up to date with the faces they have now."""
    if not user_ids:
        return
    before = _sequences(connection, shelf, user_ids)
    dealt = dict(zip(user_ids, advance(connection, shelf, len(user_ids)), strict=True))
    gone = {dealt[user_id]: sequence for user_id, sequence in before.items() if sequence is not None}
    if gone:
        bury(connection, shelf, list(gone.values()), list(gone))
    for chunk in chunks(user_ids):
        connection.execute(_RENEW, [_fresh(shelf, *each, dealt) for each in _held(connection, shelf, chunk).items()])


def _held(connection: Connection, shelf: Shelf, user_ids: Sequence[str]) -> dict[str, Floats]:
    """The vectors of each user's faces (n, dimension), in the order in which they were enrolled."""
    blobs: dict[str, list[bytes]] = {user_id: [] for user_id in user_ids}
    statement = select(faces.c.user_id, faces.c.embedding).where(faces.c.collection == shelf.number)
    for row in connection.execute(statement.where(faces.c.user_id.in_(user_ids)).order_by(faces.c.sequence)):
        blobs[row.user_id].append(row.embedding)
    rows = vectors.decode([blob for each in blobs.values() for blob in each], shelf.dimension or 0)
    ends = np.cumsum([len(each) for each in blobs.values()])
    return dict(zip(blobs, np.split(rows, ends[:-1]), strict=True))


def _fresh(shelf: Shelf, user_id: str, rows: Floats, dealt: Mapping[str, int]) -> dict[str, Any]:
    """What a user's row becomes."""
    middle = vectors.mean(rows)
    return {
        "of_collection": shelf.number,
        "of_id": user_id,
        "status": ACTIVE if len(rows) else CREATED,
        "face_count": len(rows),
        "sequence": None if middle is None else dealt[user_id],
        "embedding": None if middle is None else vectors.encode(middle),
    }


def _sequences(connection: Connection, shelf: Shelf, user_ids: Ids[str]) -> dict[str, int | None]:
    """The sequence of each of these users that is there, by id."""
    statement = select(users.c.id, users.c.sequence).where(users.c.collection == shelf.number)
    return {row.id: row.sequence for row in among(connection, statement, users.c.id, user_ids)}


def _person(row: AnyRow) -> Person:
    return Person(row.id, row.status, row.face_count)
