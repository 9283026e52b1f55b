# SPDX-License-Identifier: Apache-2.0
"""A draft is tried on what was asked before; what cannot be read is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asking import NOW, good, policy, telling

from overt.govern.replay import replay


@dataclass(frozen=True)
class Past:
    call_id: str
    verdict: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    operation: str = "SearchFacesByImage"
    time: dt.datetime = NOW


def test_only_what_would_be_otherwise_is_told() -> None:
    known = good("police-virginia").record()
    silent = telling(good("police-virginia"), case="").record()
    calls = [
        Past("1", "allow", known),
        Past("2", "allow", silent),
        Past("3", "deny", known),
        Past("4", "deny", silent),
        Past("5", "none"),
        Past("6", "allow"),
        Past("7", "allow", {**known, "colour": "red"}),
    ]
    found = {each.call_id: each for each in replay(calls, policy("police-virginia"))}
    assert {call: each.would_be for call, each in found.items()} == {
        "2": "deny",
        "3": "allow",
        "6": "unknown",
        "7": "unknown",
    }
    assert found["2"].rules == ("case-told",)
    assert "(rule case-told)" in found["2"].reason
    assert "colour" in found["7"].reason


def test_time_stands_still_at_the_call() -> None:
    old = good("police-virginia", moment=NOW - dt.timedelta(days=3))
    assert list(replay([Past("1", "allow", old.record())], policy("police-virginia"))) == []
