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
    Boolean,
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
    text,
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


# By code point everywhere, as SQLite orders: a page goes on behind the last id of the one before it, and what order a
# database has by itself depends on where it was made.
Words = String().with_variant(String(collation="C"), "postgresql")
# PostgreSQL's INTEGER ends at two thousand million, which records reach within a year; SQLite's has 64 bits, and only a
# column of that name is numbered by itself.
Number = Integer().with_variant(BigInteger, "postgresql")

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
    return Column("collection", Number, ForeignKey("collections.number", ondelete="CASCADE"), primary_key=True)


database = Table(
    "database",
    METADATA,
    # Hex. Search segments carry it; a database restored from a backup gets a new one, and with it new segments.
    Column("lineage", Words, primary_key=True),
)

collections = Table(
    "collections",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("account", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("dimension", Integer),  # of its embeddings; unknown until the first face
    Column("created", Moment, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("face_count", Number, nullable=False),
    Column("user_count", Number, nullable=False),
    UniqueConstraint("account", "id"),
    # A number is never dealt twice, so nothing of a deleted collection can pass to its namesake.
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    METADATA,
    _collection(),
    Column("id", Words, primary_key=True),
    Column("status", Words, nullable=False),
    Column("face_count", Number, nullable=False),
    Column("sequence", BigInteger),  # of its present embedding; both are null while it has no face
    Column("embedding", LargeBinary),
    Index(None, "collection", "sequence", unique=True),
)

HAS_USER = text("user_id IS NOT NULL")

faces = Table(
    "faces",
    METADATA,
    _collection(),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Words, nullable=False),
    Column("image_id", Words, nullable=False),
    Column("external_image_id", Words),
    Column("left", Float, nullable=False),
    Column("top", Float, nullable=False),
    Column("width", Float, nullable=False),
    Column("height", Float, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("user_id", Words),
    Column("embedding", LargeBinary, nullable=False),  # little-endian float16
    UniqueConstraint("collection", "id"),
    ForeignKeyConstraint(["collection", "user_id"], ["users.collection", "users.id"]),
    # Most faces have no user, and cost nothing here.
    Index(None, "collection", "user_id", "sequence", sqlite_where=HAS_USER, postgresql_where=HAS_USER),
)

tombstones = Table(
    "tombstones",
    METADATA,
    _collection(),
    Column("deleted", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
)

# Collections that were deleted, by what no other ever was: so that no backup brings them back.
graves = Table(
    "graves",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("created", Moment, primary_key=True),
)

tags = Table(
    "tags",
    METADATA,
    Column("arn", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("value", Words, nullable=False),
    Column("resource", Words, nullable=False, index=True),  # the ARN after its region
)

tokens = Table(
    "tokens",
    METADATA,
    Column("account", Words, primary_key=True),
    Column("operation", Words, primary_key=True),
    Column("token", Words, primary_key=True),
    Column("digest", Words, nullable=False),
    Column("answer", Text, nullable=False),
    Column("kept", Moment, nullable=False, index=True),
)

keys = Table(
    "keys",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("account", Words, nullable=False),
    Column("role", Words, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # wrapped by the vault
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("token_digest", Words),
    Column("revoked", Moment),
    Column("label", Words, nullable=False),
    Column("assumed", LargeBinary),  # JSON, wrapped, as it names people and cases
    Column("parent", Words, index=True),
    Column("assumed_role", Words),
)

roles = Table(
    "roles",
    METADATA,
    Column("account", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("created", Moment, nullable=False),
    Column("terms", Text, nullable=False),  # JSON
)

records = Table(
    "records",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("call_id", Words, nullable=False),
    Column("time", Moment, nullable=False),
    Column("operation", Words, nullable=False),
    Column("key_id", Words, nullable=False),
    Column("account", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("outcome", Words, nullable=False),
    Column("milliseconds", Float, nullable=False),
    sqlite_autoincrement=True,
)

jobs = Table(
    "jobs",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("account", Words, nullable=False, index=True),
    Column("key_id", Words, nullable=False),
    Column("operation", Words, nullable=False),
    Column("bucket", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("version", Words),
    Column("task", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("tag", Words),
    Column("topic", Words),
    Column("status", Words, nullable=False),
    Column("message", Words, nullable=False),
    Column("progress", Float, nullable=False),
    Column("footage", Text),  # JSON
    Column("ended", Moment, index=True),
    # Who works on it, until when, how often that was given out, and how often given up.
    Column("owner", Words),
    Column("leased", Moment),
    Column("epoch", Number, nullable=False),
    Column("releases", Number, nullable=False),
    # Between two chunks of work. The state may hold embeddings, and goes with the job's end.
    Column("looked", Float, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_told", Boolean, nullable=False, index=True),
    sqlite_autoincrement=True,
)

findings = Table(
    "findings",
    METADATA,
    Column("job", Number, ForeignKey("jobs.number", ondelete="CASCADE"), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("view", Words, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("name", Words, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "job", "view", "time", "number"),
    Index(None, "job", "view", "name", "time", "number"),
)

lanes = Table(
    "lanes",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("stream", Words, nullable=False),
    Column("digest", Words, nullable=False),  # of the target, keyed
    Column("target", LargeBinary, nullable=False),  # wrapped, as it may hold a password
    Column("places", BigInteger, nullable=False),  # how many were dealt
    Column("size", BigInteger, nullable=False),  # bytes of what waits
    Column("dead_size", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False),
    Column("owner", Words),
    Column("leased", Moment),
    Column("epoch", Number, nullable=False),
    Column("attempts", Number, nullable=False),
    Column("due", Moment),
    Column("error", Words, nullable=False),
    UniqueConstraint("stream", "digest"),
    sqlite_autoincrement=True,
)

parcels = Table(
    "parcels",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("lane", Number, ForeignKey("lanes.number", ondelete="CASCADE"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("id", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False),
    Column("queued", Moment, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("died", Moment, index=True),
    Column("reason", Words, nullable=False),
    Index(None, "lane", "died", "place"),
    sqlite_autoincrement=True,
)

attachments = Table(
    "attachments",
    METADATA,
    Column("parcel", Number, ForeignKey("parcels.number", ondelete="CASCADE"), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("name", Words, nullable=False),
    Column("media_type", Words, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

cameras = Table(
    "cameras",
    METADATA,
    Column("account", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("arn", Words, nullable=False),
    Column("url", LargeBinary, nullable=False),  # wrapped, as it may hold a password
    Column("created", Moment, nullable=False),
    Column("keyframes_only", Boolean, nullable=False),
    UniqueConstraint("account", "arn"),
)

streams = Table(
    "streams",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("account", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("wanted", LargeBinary, nullable=False),  # JSON, wrapped, as targets may hold passwords
    Column("revision", Number, nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("status", Words, nullable=False),
    Column("message", Words, nullable=False),
    Column("session", Text),  # JSON
    Column("begun", Moment),
    Column("pulse", Text),  # JSON
    Column("owner", Words),
    Column("leased", Moment),
    Column("epoch", Number, nullable=False),
    UniqueConstraint("account", "name"),
    sqlite_autoincrement=True,
)

alerts = Table(
    "alerts",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("account", Words, nullable=False),
    Column("stream", Words, nullable=False),
    Column("stream_name", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("session", Words, nullable=False),
    Column("start", Moment, nullable=False, index=True),
    Column("end", Moment),
    Column("time", Float, nullable=False),
    Column("box", Text, nullable=False),  # JSON
    Column("collection", Words, nullable=False),
    Column("face", Words),  # its id, by which it is forgotten
    Column("match", Text),  # JSON
    Column("list_size", Number, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("model", Words, nullable=False),
    Column("picture", LargeBinary),  # wrapped
    Column("review", Words, nullable=False),
    Column("reviewer", Words, nullable=False),
    Column("reviewed", Moment),
    Index(None, "account", "number"),
    Index(None, "account", "collection", "face"),
    sqlite_autoincrement=True,
)

expiries = Table(
    "expiries",
    METADATA,
    Column("collection", Number, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("expires", Moment, nullable=False, index=True),
    ForeignKeyConstraint(["collection", "sequence"], ["faces.collection", "faces.sequence"], ondelete="CASCADE"),
    Index(None, "collection", "expires"),
)

halts = Table(
    "halts",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("collection", Words, nullable=False),  # "" = all
    Column("purpose", Words, nullable=False),  # "" = all
    Column("begun", Moment, nullable=False),
    Column("person", Words, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lifted", Moment),
    sqlite_autoincrement=True,
)

halt_approvals = Table(
    "halt_approvals",
    METADATA,
    Column("halt", Number, ForeignKey("halts.number", ondelete="CASCADE"), primary_key=True),
    Column("person", Words, primary_key=True),
    Column("time", Moment, nullable=False),
    Column("reason", Text, nullable=False),
)
