# SPDX-License-Identifier: Apache-2.0
"""Faces in SQL, their embeddings in the same row; searching goes through the index."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Mapping, Sequence
from collections.abc import Collection as Ids
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from overt.stores import expiries, rolls, vectors
from overt.stores.base import NewFace, Roll, StoreError
from overt.stores.gallery import Query
from overt.stores.index import Search
from overt.stores.schema import collections
from overt.stores.schema import faces as table
from overt.stores.shelf import AnyRow, AnySelect, Shelf, advance, among, bury, chunks, locate
from overt.types import Box, Collection, Embedding, StoredFace


class SqlFaces:
    """Implements `base.Faces`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, search: Search, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._search = search
        self._clock = clock

    def add(
        self, collection: Collection, image_id: str, external_image_id: str | None, faces: Sequence[NewFace]
    ) -> Sequence[StoredFace]:
        """See `base.Faces.add`."""
        shelf = locate(self._connection, collection)
        space = shelf if shelf.dimension or not faces else replace(shelf, dimension=faces[0].embedding.vector.shape[0])
        for face in faces:
            space.check(face.embedding)
        known = self._known(shelf, [face.id for face in faces])
        # Whoever enrols a face anew after its end wants it found, as it would be a second later, when it was deleted.
        expiries.clear(self._connection, shelf, [face.sequence for face in known.values()], self._clock())
        fresh = {face.id: face for face in reversed(faces) if face.id not in known}  # of equal ids the first counts
        if fresh:
            known |= self._insert(shelf, image_id, external_image_id, list(reversed(fresh.values())))
        return [known[face.id] for face in faces]

    def load(self, collection: Collection, model: str, roll: Roll) -> int:
        """See `base.Faces.load`."""
        return rolls.load(self._connection, locate(self._connection, collection), model, roll)

    def rolls(self, collection: Collection, size: int) -> Generator[Roll, None, None]:
        """See `base.Faces.rolls`."""
        return rolls.unroll(self._connection, locate(self._connection, collection), size)

    def get(self, collection: Collection, face_ids: Ids[str]) -> Mapping[str, StoredFace]:
        """See `base.Faces.get`."""
        return self._known(locate(self._connection, collection), face_ids)

    def page(
        self,
        collection: Collection,
        after: int,
        limit: int,
        *,
        user_id: str | None = None,
        face_ids: Ids[str] | None = None,
    ) -> Sequence[StoredFace]:
        """See `base.Faces.page`."""
        shelf = locate(self._connection, collection)
        statement = _select(shelf).where(table.c.sequence > after).order_by(table.c.sequence).limit(limit)
        if user_id is not None:
            statement = statement.where(table.c.user_id == user_id)
        if face_ids is None:
            rows: list[AnyRow] = list(self._connection.execute(statement))
        else:
            # Each chunk gives its own first `limit`, and the first of all are among them.
            rows = sorted(among(self._connection, statement, table.c.id, face_ids), key=lambda row: row.sequence)
        return [_face(row, shelf) for row in rows[:limit]]

    def embeddings(self, collection: Collection, face_ids: Ids[str]) -> Mapping[str, Embedding]:
        """See `base.Faces.embeddings`."""
        shelf = locate(self._connection, collection)
        statement = select(table.c.id, table.c.embedding).where(table.c.collection == shelf.number)
        rows = among(self._connection, statement, table.c.id, face_ids)
        matrix = vectors.decode([row.embedding for row in rows], shelf.dimension or 0)
        return {row.id: Embedding(vector, shelf.model) for row, vector in zip(rows, matrix, strict=True)}

    def delete(self, collection: Collection, face_ids: Ids[str]) -> None:
        """See `base.Faces.delete`."""
        shelf = locate(self._connection, collection)
        statement = select(table.c.id, table.c.sequence, table.c.user_id).where(table.c.collection == shelf.number)
        rows = among(self._connection, statement, table.c.id, face_ids)
        if not rows:
            return
        if held := sorted(row.id for row in rows if row.user_id is not None):
            msg = f"faces of a user must be disassociated before they are deleted: {', '.join(held)}"
            raise StoreError(msg)
        sequences = [row.sequence for row in rows]
        for chunk in chunks(sequences):
            self._connection.execute(
                delete(table).where(table.c.collection == shelf.number, table.c.sequence.in_(chunk))
            )
        count = collections.c.face_count - len(rows)
        bury(self._connection, shelf, sequences, advance(self._connection, shelf, len(rows), face_count=count))

    def search(
        self, collection: Collection, probe: Embedding, limit: int, floor: float, without: Ids[str] = ()
    ) -> Sequence[tuple[StoredFace, float]]:
        """See `base.Faces.search`."""
        shelf = locate(self._connection, collection)
        shelf.check(probe)
        hidden = [face.sequence for face in self._known(shelf, without).values()]
        on_list, now = _select(shelf).where(~expiries.IS_OVER), self._clock()
        wanted = limit
        while True:
            hits = self._search(table, shelf, Query(probe.vector, wanted, floor, np.array(hidden, np.int64)))
            rows = among(self._connection, on_list, table.c.sequence, hits, now=now)
            # What is past its end stays searched until it is deleted; where it took places of others, look for more.
            if len(rows) == len(hits) or len(rows) >= limit or len(hits) < wanted:
                break
            wanted *= 2
        found = [(_face(row, shelf), hits[row.sequence]) for row in rows]
        return sorted(found, key=lambda pair: (-pair[1], pair[0].id))[:limit]

    def _known(self, shelf: Shelf, face_ids: Ids[str]) -> dict[str, StoredFace]:
        return {row.id: _face(row, shelf) for row in among(self._connection, _select(shelf), table.c.id, face_ids)}

    def _insert(
        self, shelf: Shelf, image_id: str, external_image_id: str | None, fresh: Sequence[NewFace]
    ) -> dict[str, StoredFace]:
        dimension = fresh[0].embedding.vector.shape[0]
        count = collections.c.face_count + len(fresh)
        sequences = advance(self._connection, shelf, len(fresh), face_count=count, dimension=dimension)
        rows = [
            {
                "collection": shelf.number,
                "sequence": sequence,
                "id": face.id,
                "image_id": image_id,
                "external_image_id": external_image_id,
                "left": face.box.left,
                "top": face.box.top,
                "width": face.box.width,
                "height": face.box.height,
                "confidence": face.confidence,
                "embedding": vectors.encode(face.embedding.vector),
            }
            for sequence, face in zip(sequences, fresh, strict=True)
        ]
        self._connection.execute(insert(table), rows)
        return {
            face.id: StoredFace(
                face.id, image_id, external_image_id, face.box, face.confidence, shelf.model, None, sequence
            )
            for sequence, face in zip(sequences, fresh, strict=True)
        }


def _select(shelf: Shelf) -> AnySelect:
    """All columns but the embedding, which is by far the largest."""
    columns = [column for column in table.c if column is not table.c.embedding]
    return select(*columns).where(table.c.collection == shelf.number)


def _face(row: AnyRow, shelf: Shelf) -> StoredFace:
    return StoredFace(
        id=row.id,
        image_id=row.image_id,
        external_image_id=row.external_image_id,
        box=Box(row.left, row.top, row.width, row.height),
        confidence=row.confidence,
        model=shelf.model,
        user_id=row.user_id,
        sequence=row.sequence,
    )
