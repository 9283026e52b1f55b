# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_what_a_size_does_to_searches_is_told(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    told("collections", "create", "people")
    shown = told("collections", "show", "people", "--rate", "0.001", "--rate", "0.0000001")
    assert shown["FalsePositiveRates"] == {"80": 0.0, "90": 0.0, "95": 0.0, "99": 0.0}
    assert shown["Thresholds"] == {"0.001": pytest.approx(80, abs=0.01), "1e-07": None}
    printed = overt("collections", "show", "people", "--rate", "0.0000001", "--home", home).stdout
    assert "to keep to 1e-07: nothing was measured that keeps to it" in printed


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
