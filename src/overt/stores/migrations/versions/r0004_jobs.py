# SPDX-License-Identifier: Apache-2.0
"""The analyses of stored videos, and what they found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_WORDS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_NUMBER = sa.Integer().with_variant(sa.BigInteger, "postgresql")


def upgrade() -> None:
    """Make the tables of jobs and of findings."""
    op.create_table(
        "jobs",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", _WORDS, nullable=False),
        sa.Column("account", _WORDS, nullable=False),
        sa.Column("key_id", _WORDS, nullable=False),
        sa.Column("operation", _WORDS, nullable=False),
        sa.Column("bucket", _WORDS, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("version", _WORDS),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("tag", _WORDS),
        sa.Column("topic", _WORDS),
        sa.Column("status", _WORDS, nullable=False),
        sa.Column("message", _WORDS, nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("footage", sa.Text),
        sa.Column("ended", sa.BigInteger),
        sa.Column("owner", _WORDS),
        sa.Column("leased", sa.BigInteger),
        sa.Column("epoch", _NUMBER, nullable=False),
        sa.Column("releases", _NUMBER, nullable=False),
        sa.Column("looked", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("is_told", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_account", "jobs", ["account"])
    op.create_index("ix_jobs_ended", "jobs", ["ended"])
    op.create_index("ix_jobs_is_told", "jobs", ["is_told"])
    op.create_table(
        "findings",
        sa.Column("job", _NUMBER, nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("view", _WORDS, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("name", _WORDS, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job", "number", name="pk_findings"),
        sa.ForeignKeyConstraint(["job"], ["jobs.number"], name="fk_findings_job", ondelete="CASCADE"),
    )
    op.create_index("ix_findings_job_view_time_number", "findings", ["job", "view", "time", "number"])
    op.create_index("ix_findings_job_view_name_time_number", "findings", ["job", "view", "name", "time", "number"])
