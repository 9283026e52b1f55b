# SPDX-License-Identifier: Apache-2.0
"""The first tables. Written out in plain types: a later change of `schema` must not change what this made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# On PostgreSQL: text ordered by code point, and numbers of 64 bits. On SQLite both are what they always were.
_WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.Integer().with_variant(sa.BigInteger, "postgresql")


def upgrade() -> None:
    """Create everything."""
    _create_galleries()
    _create_tombstones()
    _create_records()


def _create_galleries() -> None:
    op.create_table(
        "collections",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("account", _WORDS, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("model", _WORDS, nullable=False),
        sa.Column("dimension", sa.Integer),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("head", sa.BigInteger, nullable=False),
        sa.Column("face_count", _NUMBER, nullable=False),
        sa.Column("user_count", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_collections"),
        sa.UniqueConstraint("account", "id", name="uq_collections_account_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "users",
        sa.Column("collection", _NUMBER, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("status", _WORDS, nullable=False),
        sa.Column("face_count", _NUMBER, nullable=False),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("embedding", sa.LargeBinary),
        sa.PrimaryKeyConstraint("collection", "id", name="pk_users"),
        sa.ForeignKeyConstraint(["collection"], ["collections.number"], name="fk_users_collection", ondelete="CASCADE"),
    )
    op.create_index("ix_users_collection_sequence", "users", ["collection", "sequence"], unique=True)
    op.create_table(
        "faces",
        sa.Column("collection", _NUMBER, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("image_id", _WORDS, nullable=False),
        sa.Column("external_image_id", _WORDS),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("left", "top", "width", "height", "confidence")),
        sa.Column("user_id", _WORDS),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("collection", "sequence", name="pk_faces"),
        sa.UniqueConstraint("collection", "id", name="uq_faces_collection_id"),
        sa.ForeignKeyConstraint(["collection"], ["collections.number"], name="fk_faces_collection", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["collection", "user_id"], ["users.collection", "users.id"], name="fk_faces_collection_user_id"
        ),
    )
    op.create_index("ix_faces_collection_user_id_sequence", "faces", ["collection", "user_id", "sequence"])


def _create_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("collection", _NUMBER, nullable=False),
        sa.Column("deleted", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("collection", "deleted", name="pk_tombstones"),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.number"], name="fk_tombstones_collection", ondelete="CASCADE"
        ),
    )


def _create_records() -> None:
    op.create_table(
        "tags",
        sa.Column("arn", _WORDS, nullable=False),
        sa.Column("key", _WORDS, nullable=False),
        sa.Column("value", _WORDS, nullable=False),
        sa.Column("resource", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("arn", "key", name="pk_tags"),
    )
    op.create_index("ix_tags_resource", "tags", ["resource"])
    op.create_table(
        "tokens",
        *(sa.Column(name, _WORDS, nullable=False) for name in ("account", "operation", "token", "digest")),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("kept", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account", "operation", "token", name="pk_tokens"),
    )
    op.create_index("ix_tokens_kept", "tokens", ["kept"])
    op.create_table(
        "keys",
        *(sa.Column(name, _WORDS, nullable=False) for name in ("id", "account", "role", "label")),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("token_digest", _WORDS),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
    op.create_table(
        "records",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("call_id", _WORDS, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        *(sa.Column(name, _WORDS, nullable=False) for name in ("operation", "key_id", "account", "digest")),
        *(sa.Column(name, _WORDS, nullable=False) for name in ("verdict", "outcome")),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_records"),
        sqlite_autoincrement=True,
    )
