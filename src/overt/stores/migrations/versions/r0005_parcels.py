# SPDX-License-Identifier: Apache-2.0
"""What live streams have to tell, on its way to those who are to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.Integer().with_variant(sa.BigInteger, "postgresql")


def upgrade() -> None:
    """Make the tables of lanes, parcels and attachments."""
    op.create_table(
        "lanes",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("stream", _WORDS, nullable=False),
        sa.Column("digest", _WORDS, nullable=False),
        sa.Column("target", sa.LargeBinary, nullable=False),
        sa.Column("places", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("dead_size", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.BigInteger, nullable=False),
        sa.Column("lost", sa.BigInteger, nullable=False),
        sa.Column("owner", _WORDS),
        sa.Column("leased", sa.BigInteger),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("error", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_lanes"),
        sa.UniqueConstraint("stream", "digest", name="uq_lanes_stream_digest"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "parcels",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("lane", _NUMBER, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("subject", _WORDS, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("queued", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("died", sa.BigInteger),
        sa.Column("reason", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_parcels"),
        sa.ForeignKeyConstraint(["lane"], ["lanes.number"], name="fk_parcels_lane", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_parcels_died", "parcels", ["died"])
    op.create_index("ix_parcels_lane_died_place", "parcels", ["lane", "died", "place"])
    op.create_table(
        "attachments",
        sa.Column("parcel", _NUMBER, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("media_type", _WORDS, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("parcel", "number", name="pk_attachments"),
        sa.ForeignKeyConstraint(["parcel"], ["parcels.number"], name="fk_attachments_parcel", ondelete="CASCADE"),
    )
