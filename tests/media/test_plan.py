# SPDX-License-Identifier: Apache-2.0
"""An order arrives as it was given."""

from __future__ import annotations

import pytest

from overt.media.confine import Reach
from overt.media.plan import Order, Plan


@pytest.mark.parametrize("reach", Reach)
def test_an_order_arrives_as_it_was_given(reach: Reach) -> None:
    plan = Plan(reach, "rtsp://[::1]:554/ä?x", "rtsp", {"timeout": "1"}, 7, is_paced=True, ends=True, silence=1.5)
    order = Order(plan, 5.0, 640, keyframes_only=True)
    assert Order.read(order.packed()) == order


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"plan": {"reach": "moon", "name": "x"}}'])
def test_nonsense_is_an_error(raw: bytes) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Order.read(raw)
