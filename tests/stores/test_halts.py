# SPDX-License-Identifier: Apache-2.0
"""Moratoria are kept for good, and approvals counted by person."""

from __future__ import annotations

import pytest

from overt.stores.base import Approval, NotFoundError
from overt.stores.sql import SqlStores
from overt.testing.stores import NOON

EITHER = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


@EITHER
def test_a_halt_stands_until_enough_people_agree(stores: SqlStores) -> None:
    with stores.write() as unit:
        first = unit.halts.begin("", "", NOON, "ann", "why")
        second = unit.halts.begin("people", "theft", NOON, "ann", "why")
    with stores.write() as unit:
        unit.halts.approve(first.number, Approval("bob", NOON, "a"), 2)
        unit.halts.approve(first.number, Approval("bob", NOON, "b"), 2)
    with stores.read() as unit:
        assert [halt.number for halt in unit.halts.standing()] == [first.number, second.number]
        assert unit.halts.standing()[0].approvals == (Approval("bob", NOON, "a"),)
    with stores.write() as unit:
        lifted = unit.halts.approve(first.number, Approval("cy", NOON, "c"), 2)
        assert lifted.lifted == NOON
    with stores.read() as unit:
        assert unit.halts.standing() == [second]
        assert unit.halts.list() == [lifted, second]
    with stores.write() as unit, pytest.raises(NotFoundError):
        unit.halts.approve(first.number, Approval("di", NOON, "d"), 2)
    with stores.write() as unit, pytest.raises(NotFoundError):
        unit.halts.approve(99, Approval("di", NOON, "d"), 2)
