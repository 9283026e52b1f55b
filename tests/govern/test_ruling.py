# SPDX-License-Identifier: Apache-2.0
"""A request is brought back to the limits, or refused; never let beyond them."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from overt.govern.ruling import NOTHING, Asked, Obligations, Refusal, Ruling, settle

NUMBERS = st.one_of(st.none(), st.floats(-1, 2), st.just(math.nan), st.just(math.inf))


def ruling(**duties: object) -> Ruling:
    return Ruling(allowed=True, reason="", rules=("base",), pack="open", digest="", obligations=Obligations(**duties))


@given(NUMBERS, st.one_of(st.none(), st.integers(0, 4096)), st.floats(0, 1), st.one_of(st.none(), st.integers(1, 99)))
def test_nothing_settled_is_beyond_the_limits(
    threshold: float | None, most: int | None, floor: float, maximum: int | None
) -> None:
    for mode in ("clamp", "reject"):
        told, settled = settle(ruling(floor=floor, maximum=maximum, mode=mode), Asked(threshold, most))
        assert settled.threshold is not None
        assert settled.threshold >= floor
        assert maximum is None or (settled.most is not None and settled.most <= maximum)
        assert told.allowed or mode == "reject"


def test_clamping_changes_only_what_is_beyond() -> None:
    assert settle(ruling(floor=0.9, maximum=5), Asked(0.95, 3))[1] == Asked(0.95, 3)
    assert settle(ruling(floor=0.9, maximum=5), Asked(0.5, 50))[1] == Asked(0.9, 5)
    assert settle(ruling(floor=0.9, maximum=5), Asked())[1] == Asked(0.9, 5)


def test_rejecting_names_the_limit() -> None:
    told, _ = settle(ruling(floor=0.9, mode="reject"), Asked(0.5))
    assert (told.allowed, told.rules, told.obligations) == (False, ("limit-floor",), NOTHING)
    assert told.reason == "The threshold is too low. (rule limit-floor) Ask for 90 or more."
    told, _ = settle(ruling(maximum=5, mode="reject"), Asked(most=6))
    assert told.rules == ("limit-maximum",)
    assert settle(ruling(floor=0.9, mode="reject"), Asked(0.9))[0].allowed


def test_a_refusal_stays_one() -> None:
    refused = Ruling(allowed=False, reason="no", rules=("x",), pack="open", digest="", obligations=NOTHING)
    assert settle(refused, Asked(1.0, 1))[0] == refused
    assert Refusal("x", "No.").words == "No. (rule x)"
