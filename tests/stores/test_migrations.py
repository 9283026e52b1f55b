# SPDX-License-Identifier: Apache-2.0
"""The revisions make exactly the tables of the schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from overt.stores import migrations
from overt.stores.base import StoreError
from overt.stores.schema import METADATA
from overt.stores.sql import SqlStores
from overt.stores.sqlite import open_engines
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


def test_a_database_of_the_first_revision_is_brought_up_to_date(url: str, vault: Vault) -> None:
    """With the faces in it. No user's face is missed by the index that is made anew."""
    writing, reading = open_engines(url)
    with writing.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO collections VALUES (1, '1', 'people', 'm', 2, 0, 2, 2, 1)")
        connection.exec_driver_sql("INSERT INTO users VALUES (1, 'ann', 'CREATED', 0, NULL, NULL)")
        for sequence, user_id in ((1, None), (2, "ann")):
            row = (1, sequence, f"face-{sequence}", "image", None, 0.0, 0.0, 1.0, 1.0, 1.0, user_id, b"\0\x3c\0\0")
            connection.exec_driver_sql(f"INSERT INTO faces VALUES ({', '.join('?' * len(row))})", row)
    for engine in (writing, reading):
        engine.dispose()
    stores = SqlStores.open(url, vault)
    with stores.read() as unit:
        people = unit.collections.get("1", "people")
        assert [face.id for face in unit.faces.page(people, 0, 9)] == ["face-1", "face-2"]
        assert [face.id for face in unit.faces.page(people, 0, 9, user_id="ann")] == ["face-2"]
    stores.close()
