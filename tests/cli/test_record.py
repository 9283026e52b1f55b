# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from overt.cli.record import recorded
from overt.engine import Engine
from overt.settings import load


def test_work_leaves_a_row_whether_done_or_failed(tmp_path: Path) -> None:
    opened = Engine.open(load(home=tmp_path / "home"))
    try:
        with recorded(opened, "DoThis", "secret words"):
            pass
        with pytest.raises(ZeroDivisionError), recorded(opened, "DoThat", "secret words"):
            raise ZeroDivisionError
        with opened.stores.read() as unit:
            rows = unit.records.tail(2)
    finally:
        opened.close()
    assert [(row.operation, row.outcome) for row in rows] == [("DoThat", "ZeroDivisionError"), ("DoThis", "ok")]
    assert rows[0].digest != rows[1].digest
    assert "secret" not in repr(rows)
