# SPDX-License-Identifier: Apache-2.0
"""Many faces in and out of the database column by column. Knows the rows of faces; users are brought up to date."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection, and_, insert, select

from overt.stores import expiries, schema, vectors
from overt.stores.base import Roll
from overt.stores.schema import collections
from overt.stores.schema import faces as table
from overt.stores.shelf import Shelf, advance, among
from overt.stores.users import renew, require
from overt.types import Embedding

_STRIP = 500
_ENDS = schema.expiries.c


def load(connection: Connection, shelf: Shelf, model: str, roll: Roll) -> int:
    """See `base.Faces.load`."""
    if len(roll) == 0:
        return 0
    shelf.check(Embedding(roll.vectors[0].astype(np.float32), model))
    vectors.check_rows(roll.vectors)
    owners = list(dict.fromkeys(owner for owner in roll.user_ids if owner is not None))
    require(connection, shelf, owners)
    dimension = roll.vectors.shape[1]
    dealt = advance(connection, shelf, len(roll), dimension=dimension)
    enrolled = sum(_insert(connection, rows) for rows in _strips(shelf.number, dealt, roll))
    if enrolled:
        advance(connection, shelf, 0, face_count=collections.c.face_count + enrolled)
        renew(connection, replace(shelf, dimension=dimension), owners)
        _end(connection, shelf, dealt, roll)
    return enrolled


def unroll(connection: Connection, shelf: Shelf, size: int) -> Generator[Roll, None, None]:
    """See `base.Faces.rolls`."""
    columns = [column for column in table.c if column not in (table.c.collection, table.c.sequence)]
    own = and_(_ENDS.collection == table.c.collection, _ENDS.sequence == table.c.sequence)
    statement = (
        select(*columns, _ENDS.expires)
        .outerjoin_from(table, schema.expiries, own)
        .where(table.c.collection == shelf.number)
        .order_by(table.c.sequence)
    )
    with connection.execute(statement.execution_options(yield_per=size)) as result:
        for part in result.partitions():
            ids, images, externals, left, top, width, height, confidences, owners, blobs, ends = zip(*part, strict=True)
            yield Roll(
                ids=ids,
                image_ids=images,
                external_image_ids=externals,
                boxes=np.array([left, top, width, height], np.float64).T,
                confidences=np.array(confidences, np.float64),
                user_ids=owners,
                vectors=vectors.stored(blobs, shelf.dimension or 0),
                ends={face_id: end for face_id, end in zip(ids, ends, strict=True) if end is not None},
            )


def _end(connection: Connection, shelf: Shelf, dealt: range, roll: Roll) -> None:
    """Give those faces their ends that were enrolled just now."""
    statement = select(table.c.id, table.c.sequence).where(table.c.collection == shelf.number)
    fresh = statement.where(table.c.sequence >= dealt.start)
    rows = among(connection, fresh, table.c.id, roll.ends)
    expiries.put(connection, shelf, {row.sequence: roll.ends[row.id] for row in rows})


def _strips(number: int, dealt: range, roll: Roll) -> Iterator[list[tuple[object, ...]]]:
    """The rows of the table, some at a time: so few that the garbage collector takes no notice of them.

    In the order of their ids: ids are random, and the pages of their index are then each visited once.
    """
    order = sorted(range(len(roll)), key=roll.ids.__getitem__)
    for start in range(0, len(roll), _STRIP):
        some = order[start : start + _STRIP]
        yield list(
            zip(
                itertools.repeat(number),
                *([column[row] for row in some] for column in (dealt, roll.ids, roll.image_ids)),
                [roll.external_image_ids[row] for row in some],
                *roll.boxes[some].T.tolist(),
                roll.confidences[some].tolist(),
                [roll.user_ids[row] for row in some],
                vectors.encode_rows(roll.vectors[some]),
                strict=False,  # the first never ends
            )
        )


def _insert(connection: Connection, rows: list[tuple[object, ...]]) -> int:
    """Insert rows, all columns in the table's order, but those whose ids are there; how many were.

    By the driver itself: SQLAlchemy would prepare each row in Python, which takes longer than inserting it.
    """
    compiled = insert(table).compile(dialect=connection.dialect)
    statement = f"{compiled} ON CONFLICT (collection, id) DO NOTHING"
    if compiled.positional:
        return connection.exec_driver_sql(statement, rows).rowcount
    names = table.c.keys()
    return connection.exec_driver_sql(statement, [dict(zip(names, row, strict=True)) for row in rows]).rowcount
