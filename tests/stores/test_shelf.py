# SPDX-License-Identifier: Apache-2.0
"""Long lists of values are asked for in pieces."""

from __future__ import annotations

from overt.stores.shelf import chunks


def test_chunks_are_short_and_hold_each_value_once() -> None:
    parts = list(chunks([*range(1200), *range(300)]))
    assert [len(part) for part in parts] == [500, 500, 200]
    assert [value for part in parts for value in part] == list(range(1200))
    assert list(chunks([])) == []
