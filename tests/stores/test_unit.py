# SPDX-License-Identifier: Apache-2.0
"""A unit offers every noun of the contract, all over one transaction."""

from __future__ import annotations

import pytest

from overt.stores.base import Stores, Unit
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_event

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_all_nouns_share_one_transaction(stores: SqlStores) -> None:
    as_promised: Stores = stores  # mypy holds the class to the Protocols here
    with as_promised.write() as writing:
        unit: Unit = writing
        unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.tags.put("arn:aws:rekognition:eu-west-1:1:collection/people", {"k": "v"})
        unit.records.append(make_event(0))
        with as_promised.read() as other:
            assert other.collections.page(ACCOUNT, "", 9) == []
            assert other.tags.of("arn:aws:rekognition:eu-west-1:1:collection/people") == {}
            assert other.records.count() == 0
    with as_promised.read() as other:
        assert len(other.collections.page(ACCOUNT, "", 9)) == other.records.count() == 1
