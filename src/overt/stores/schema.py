# SPDX-License-Identifier: Apache-2.0
"""The tables, in SQLAlchemy Core. A change here needs a revision in `migrations`; a test compares the two.

Every collection has a `head`: a counter that each enrolment, deletion and user change raises inside its own
transaction. A row's `sequence` is the head at which it appeared; a tombstone's `deleted` the head at which the row of
that sequence went. Sequences are dealt in commit order, so whoever remembers a head can ask for all that came after it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Moment(TypeDecorator[dt.datetime]):
    """A point in time as whole microseconds since 1970 UTC: sorts as a number and loses nothing.

    Takes any aware datetime and gives it back in UTC. Raises: ValueError for a naive one.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """On the way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a moment needs a time zone"
            raise ValueError(msg)
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """On the way out."""
        return None if value is None else _EPOCH + value * _MICROSECOND


METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _collection() -> Column[int]:
    """The owner of a row, which goes with it."""
    return Column("collection", Integer, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True)


database = Table(
    "database",
    METADATA,
    # Hex. Search segments carry it; a database restored from a backup gets a new one, and with it new segments.
    Column("lineage", String, primary_key=True),
)

collections = Table(
    "collections",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("account", String, nullable=False),
    Column("id", String, nullable=False),
    Column("model", String, nullable=False),
    Column("dimension", Integer),  # of its embeddings; unknown until the first face
    Column("created", Moment, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("face_count", Integer, nullable=False),
    Column("user_count", Integer, nullable=False),
    UniqueConstraint("account", "id"),
    # A number is never dealt twice, so nothing of a deleted collection can pass to its namesake.
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    METADATA,
    _collection(),
    Column("id", String, primary_key=True),
    Column("status", String, nullable=False),
    Column("face_count", Integer, nullable=False),
    Column("sequence", BigInteger),  # of its present embedding; both are null while it has no face
    Column("embedding", LargeBinary),
    Index(None, "collection", "sequence", unique=True),
)

faces = Table(
    "faces",
    METADATA,
    _collection(),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("image_id", String, nullable=False),
    Column("external_image_id", String),
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("user_id", String),
    Column("embedding", LargeBinary, nullable=False),  # little-endian float16
    UniqueConstraint("collection", "id"),
    ForeignKeyConstraint(["collection", "user_id"], ["users.collection", "users.id"]),
    Index(None, "collection", "user_id", "sequence"),
)

tombstones = Table(
    "tombstones",
    METADATA,
    _collection(),
    Column("deleted", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
)

tags = Table(
    "tags",
    METADATA,
    Column("arn", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("resource", String, nullable=False, index=True),  # the ARN after its region
)

tokens = Table(
    "tokens",
    METADATA,
    Column("account", String, primary_key=True),
    Column("operation", String, primary_key=True),
    Column("token", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("kept", Moment, nullable=False, index=True),
)

keys = Table(
    "keys",
    METADATA,
    Column("id", String, primary_key=True),
    Column("account", String, nullable=False),
    Column("role", String, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # wrapped by the vault
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("token_digest", String),
    Column("revoked", Moment),
    Column("label", String, nullable=False),
)

records = Table(
    "records",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("call_id", String, nullable=False),
    Column("time", Moment, nullable=False),
    Column("operation", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("account", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("verdict", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("milliseconds", Float, nullable=False),
    sqlite_autoincrement=True,
)
