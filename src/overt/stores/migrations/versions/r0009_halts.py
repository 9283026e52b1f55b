# SPDX-License-Identifier: Apache-2.0
"""Moratoria on face analysis, and who approved that they are lifted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.Integer().with_variant(sa.BigInteger, "postgresql")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "halts",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("collection", _WORDS, nullable=False),
        sa.Column("purpose", _WORDS, nullable=False),
        sa.Column("begun", sa.BigInteger, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("lifted", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="pk_halts"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "halt_approvals",
        sa.Column("halt", _NUMBER, nullable=False),
        sa.Column("person", _WORDS, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("halt", "person", name="pk_halt_approvals"),
        sa.ForeignKeyConstraint(["halt"], ["halts.number"], name="fk_halt_approvals_halt", ondelete="CASCADE"),
    )
