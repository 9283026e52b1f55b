# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs for each command. The connection comes from `upgrade`, whose transaction covers it all."""

from __future__ import annotations

from alembic import context

from overt.stores.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
