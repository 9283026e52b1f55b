# SPDX-License-Identifier: Apache-2.0
"""The database's lineage: what tells the segments of one database from those of another."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """One row with a name of its own."""
    table = op.create_table(
        "database",
        sa.Column("lineage", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("lineage", name="pk_database"),
    )
    op.bulk_insert(table, [{"lineage": secrets.token_hex(16)}])
