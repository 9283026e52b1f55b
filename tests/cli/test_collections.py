# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_collections_are_made_shown_listed_and_deleted(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    assert told("collections", "create", "people")["StatusCode"] == 200
    assert told("collections", "show", "people")["FaceCount"] == 0
    assert [row["CollectionId"] for row in told("collections", "list")["Collections"]] == ["people"]
    assert "people" in overt("collections", "list", "--home", home).stdout
    assert told("collections", "delete", "people", "--yes")["StatusCode"] == 200
    assert told("collections", "list") == {"Collections": []}


def test_deleting_asks_first(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    told("collections", "create", "people")
    assert overt("collections", "delete", "people", "--home", home).returncode == 1
    assert len(told("collections", "list")["Collections"]) == 1
