# SPDX-License-Identifier: Apache-2.0
"""Roles, and what temporary keys stand for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"

_WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make one table and widen another."""
    op.create_table(
        "roles",
        sa.Column("account", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("kind", _WORDS, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name="pk_roles"),
    )
    op.add_column("keys", sa.Column("assumed", sa.LargeBinary))
    op.add_column("keys", sa.Column("parent", _WORDS))
    op.add_column("keys", sa.Column("assumed_role", _WORDS))
    op.create_index("ix_keys_parent", "keys", ["parent"])
