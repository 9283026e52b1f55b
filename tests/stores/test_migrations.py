# SPDX-License-Identifier: Apache-2.0
"""The revisions make exactly the tables of the schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from overt.stores import migrations
from overt.stores.base import StoreError
from overt.stores.schema import METADATA
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault

EITHER = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


@EITHER
def test_the_revisions_make_the_schema(stores: SqlStores) -> None:
    with stores.reading.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_the_newest_revision_is_named() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_heads() == [migrations.HEAD]


@EITHER
def test_a_database_of_the_future_is_refused(stores: SqlStores, url: str, vault: Vault) -> None:
    with stores._writer.unit() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer"):
        SqlStores.open(url, vault)


@EITHER
def test_an_up_to_date_database_needs_no_alembic(stores: SqlStores, url: str, tmp_path: Path) -> None:
    stores.close()
    script = (
        "import sys; from overt.stores.sql import SqlStores; from overt.stores.vault import Vault\n"
        "SqlStores.open(sys.argv[1], Vault.open(sys.argv[2])).close()\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, url, str(tmp_path / "master.key")], check=True)
