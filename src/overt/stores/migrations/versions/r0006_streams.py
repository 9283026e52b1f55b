# SPDX-License-Identifier: Apache-2.0
"""Cameras, the streams that are watched, who was seen, and until when faces are on their lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.Integer().with_variant(sa.BigInteger, "postgresql")


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "cameras",
        sa.Column("account", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("arn", _WORDS, nullable=False),
        sa.Column("url", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("keyframes_only", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name="pk_cameras"),
        sa.UniqueConstraint("account", "arn", name="uq_cameras_account_arn"),
    )
    op.create_table(
        "streams",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("account", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("wanted", sa.LargeBinary, nullable=False),
        sa.Column("revision", _NUMBER, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("status", _WORDS, nullable=False),
        sa.Column("message", _WORDS, nullable=False),
        sa.Column("session", sa.Text),
        sa.Column("begun", sa.BigInteger),
        sa.Column("pulse", sa.Text),
        sa.Column("owner", _WORDS),
        sa.Column("leased", sa.BigInteger),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_streams"),
        sa.UniqueConstraint("id", name="uq_streams_id"),
        sa.UniqueConstraint("account", "name", name="uq_streams_account_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alerts",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("account", _WORDS, nullable=False),
        sa.Column("stream", _WORDS, nullable=False),
        sa.Column("stream_name", _WORDS, nullable=False),
        sa.Column("source", _WORDS, nullable=False),
        sa.Column("session", _WORDS, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("box", sa.Text, nullable=False),
        sa.Column("collection", _WORDS, nullable=False),
        sa.Column("face", _WORDS),
        sa.Column("match", sa.Text),
        sa.Column("list_size", _NUMBER, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("model", _WORDS, nullable=False),
        sa.Column("picture", sa.LargeBinary),
        sa.Column("review", _WORDS, nullable=False),
        sa.Column("reviewer", _WORDS, nullable=False),
        sa.Column("reviewed", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="pk_alerts"),
        sa.UniqueConstraint("id", name="uq_alerts_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_start", "alerts", ["start"])
    op.create_index("ix_alerts_account_number", "alerts", ["account", "number"])
    op.create_index("ix_alerts_account_collection_face", "alerts", ["account", "collection", "face"])
    op.create_table(
        "expiries",
        sa.Column("collection", _NUMBER, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("collection", "sequence", name="pk_expiries"),
        sa.ForeignKeyConstraint(
            ["collection", "sequence"],
            ["faces.collection", "faces.sequence"],
            name="fk_expiries_collection_sequence",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_expiries_expires", "expiries", ["expires"])
    op.create_index("ix_expiries_collection_expires", "expiries", ["collection", "expires"])
