# SPDX-License-Identifier: Apache-2.0
"""The measurement asks what it says it asks; how fast the answer is, is not judged here."""

from __future__ import annotations

from overt.govern import pace


def test_decisions_are_timed_with_rules_of_either_kind() -> None:
    for are_general in (False, True):
        told = pace.measure(20, are_general=are_general, decisions=5)
        assert told.policies == 20
        assert min(told.fresh_p50, told.fresh_p99, told.again_p50, told.again_p99) > 0
