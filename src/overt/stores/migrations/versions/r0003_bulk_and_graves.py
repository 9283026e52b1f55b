# SPDX-License-Identifier: Apache-2.0
"""Faces without a user leave the index of users' faces, and deleted collections are remembered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the index anew with a condition, and the table of graves."""
    name, has_user = "ix_faces_collection_user_id_sequence", sa.text("user_id IS NOT NULL")
    op.drop_index(name, "faces")
    op.create_index(
        name, "faces", ["collection", "user_id", "sequence"], sqlite_where=has_user, postgresql_where=has_user
    )
    op.create_table(
        "graves",
        sa.Column("number", sa.Integer().with_variant(sa.BigInteger, "postgresql"), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", "created", name="pk_graves"),
    )
