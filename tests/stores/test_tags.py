# SPDX-License-Identifier: Apache-2.0
"""Which tags go with a collection."""

from __future__ import annotations

import pytest

from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_tags_of_namesakes_stay(stores: SqlStores) -> None:
    kept = [
        f"arn:aws:rekognition:eu-west-1:{ACCOUNT}:collection/a-b",
        f"arn:aws:rekognition:eu-west-1:{ACCOUNT}:project/a_b/1",
        "arn:aws:rekognition:eu-west-1:999999999999:collection/a_b",
    ]
    gone = f"arn:aws:rekognition:eu-west-1:{ACCOUNT}:collection/a_b"
    with stores.write() as unit:
        unit.collections.create(ACCOUNT, "a_b", MODEL, NOON)
        for arn in (*kept, gone):
            unit.tags.put(arn, {"k": "v"})
        unit.collections.delete(ACCOUNT, "a_b")
        assert [unit.tags.of(arn) for arn in (*kept, gone)] == [{"k": "v"}] * 3 + [{}]
