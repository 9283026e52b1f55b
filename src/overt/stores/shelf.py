# SPDX-License-Identifier: Apache-2.0
"""Where a collection's rows stand: its number, its head, and the look-ups that faces and users share."""

from __future__ import annotations

import hashlib
from collections.abc import Collection as Ids
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from overt.stores.base import NotFoundError, WrongModelError
from overt.stores.schema import collections, tombstones
from overt.types import Collection, Embedding

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

_CHUNK = 500  # values in one IN (...): far below SQLite's 32,766 variables, large enough that statements are few

# Execution option of engines on which several units may write at once, so that each must lock what it decides on.
LOCKING = "overt_locking"

# Built once: every operation on a collection runs it.
_LOCATE = select(collections.c.number, collections.c.model, collections.c.dimension, collections.c.head).where(
    collections.c.account == bindparam("account"), collections.c.id == bindparam("id")
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the store itself keeps of a collection, as one connection saw it. dimension: None before the first face."""

    number: int
    model: str
    dimension: int | None
    head: int

    def check(self, embedding: Embedding) -> None:
        """Raises: WrongModelError unless the embedding lies in this collection's space."""
        length = embedding.vector.shape[0]
        if embedding.model != self.model or self.dimension not in (None, length):
            held = f"{self.dimension or 'any'} x {self.model}"
            msg = f"the collection holds embeddings of {held}, not of {length} x {embedding.model}"
            raise WrongModelError(msg)


def locate(connection: Connection, collection: Collection) -> Shelf:
    """The shelf of a collection, held until the end of a write unit. Raises: NotFoundError when it has gone."""
    statement = held(connection, _LOCATE)
    row = connection.execute(statement, {"account": collection.account, "id": collection.id}).first()
    if row is None:
        msg = f"no collection {collection.id} in account {collection.account}"
        raise NotFoundError(msg)
    return Shelf(*row)


def held(connection: Connection, statement: AnySelect) -> AnySelect:
    """The statement; in a unit that writes beside others, no other unit may change the rows it finds before ours ends.

    Holding a collection's row keeps all units of that collection in a line, so that its sequences are dealt in the
    order of the commits and what was looked up stays true. SQLite has one writer, and nothing to hold.
    """
    return statement.with_for_update() if connection.get_execution_options().get(LOCKING) else statement


def hold(connection: Connection, *name: str) -> None:
    """As `held`, for what has no row yet: until our unit ends, no other one can hold the same name."""
    if connection.get_execution_options().get(LOCKING):
        digest = hashlib.blake2b("\0".join(name).encode(), digest_size=8).digest()
        # Two names may share a lock, and then wait for each other without need.
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest, "big", signed=True))))


def insert_new(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless there is one of its key, also when another unit is just inserting that; was it inserted?"""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(statement).first() is not None


def advance(connection: Connection, shelf: Shelf, steps: int, **columns: Any) -> range:
    """Deal the next `steps` sequences of a collection and set other columns of its row on the way."""
    statement = (
        update(collections)
        .where(collections.c.number == shelf.number)
        .values(head=collections.c.head + steps, **columns)
        .returning(collections.c.head)
    )
    head = connection.execute(statement).scalar_one()
    return range(head - steps + 1, head + 1)


def bury(connection: Connection, shelf: Shelf, sequences: Sequence[int], deleted: Sequence[int]) -> None:
    """Leave a tombstone for each sequence that goes, at the heads given, so that galleries drop it."""
    rows = [
        {"collection": shelf.number, "sequence": sequence, "deleted": head}
        for sequence, head in zip(sequences, deleted, strict=True)
    ]
    connection.execute(insert(tombstones), rows)


def chunks(values: Ids[Any]) -> Iterator[list[Any]]:
    """The distinct values, in lists short enough for one statement."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), _CHUNK):
        yield distinct[start : start + _CHUNK]


def among(
    connection: Connection, statement: AnySelect, column: ColumnElement[Any], values: Ids[Any], **given: Any
) -> list[AnyRow]:
    """The statement's rows whose column is one of the values, however many there are; in no order.

    Args: given: what the statement's parameters stand for.
    """
    return [row for chunk in chunks(values) for row in connection.execute(statement.where(column.in_(chunk)), given)]
