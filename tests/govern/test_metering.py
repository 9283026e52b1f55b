# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from overt.govern import metering
from overt.govern.metering import Use

TABLE: dict[str, Any] = {
    "incumbent": "Them", "as_of": "2026-11-22", "currency": "USD", "note": "",
    "price": [
        {"name": "images", "unit": "image", "operations": ["DetectFaces", "SearchFaces"], "verified": True,
         "tiers": [[1_000_000, 0.001], [0, 0.0008]]},
        {"name": "video", "unit": "minute", "operations": ["StartFaceSearch"], "verified": False, "tiers": [[0, 0.1]]},
        {"name": "faces", "unit": "face-month", "operations": [], "verified": False, "tiers": [[0, 0.00001]]},
    ],
}  # fmt: skip
NOVEMBER = dt.datetime(2026, 11, 30, 23, 59, tzinfo=dt.UTC)


def use(operation: str = "DetectFaces", **changes: Any) -> Use:
    given = {"time": NOVEMBER, "operation": operation, "key": "K", "case": "", "outcome": "ok"} | changes
    return Use(**given)


def test_the_sum_of_the_rows_is_the_count_of_the_calls() -> None:
    """Ten thousand random calls: meter == count."""
    random = np.random.default_rng(1)
    uses = [
        use(
            str(random.choice(["DetectFaces", "SearchFaces", "ListFaces", "StartFaceSearch"])),
            time=NOVEMBER + dt.timedelta(days=float(random.uniform(-80, 80))),
            key=f"K{random.integers(4)}",
            case=f"C{random.integers(3)}",
            outcome=str(random.choice(["ok", "ThrottlingException"])),
        )
        for _ in range(10_000)
    ]
    rows = metering.meter(uses, metering.read(TABLE))
    assert sum(row.calls for row in rows) == len(uses)
    assert sum(row.done for row in rows) == sum(one.outcome == "ok" for one in uses)
    totals = metering.totals(rows)
    assert sum(one.calls for one in totals) == len(uses)
    images = sum(one.outcome == "ok" and one.operation in {"DetectFaces", "SearchFaces"} for one in uses)
    assert sum(one.images for one in totals) == images
    assert sum(one.price for one in totals) == pytest.approx(images * 0.001)


def test_the_images_of_one_county_at_list_price() -> None:
    images = metering.read(TABLE).entries[0]
    assert images.of(277_461) == pytest.approx(277.461)
    assert images.of(1_500_000) == pytest.approx(1000 + 400)
    assert images.of(0) == 0


def test_rows_are_told_apart_and_what_failed_costs_nothing() -> None:
    uses = [
        use(), use(), use(outcome="AccessDeniedException"), use(case="22-1"), use(key="L"), use("ListFaces"),
        use("StartFaceSearch"), use(time=NOVEMBER + dt.timedelta(minutes=1)),
    ]  # fmt: skip
    rows = metering.meter(uses, metering.read(TABLE))
    told = [(row.month, row.operation, row.key, row.case, row.calls, row.done, row.failed, row.price) for row in rows]
    assert told == [
        ("2026-11", "DetectFaces", "K", "", 3, 2, 1, pytest.approx(0.002)),
        ("2026-11", "DetectFaces", "K", "22-1", 1, 1, 0, pytest.approx(0.001)),
        ("2026-11", "DetectFaces", "L", "", 1, 1, 0, pytest.approx(0.001)),
        ("2026-11", "ListFaces", "K", "", 1, 1, 0, None),
        ("2026-11", "StartFaceSearch", "K", "", 1, 1, 0, None),
        ("2026-12", "DetectFaces", "K", "", 1, 1, 0, pytest.approx(0.001)),
    ]


def test_months_are_those_of_universal_time() -> None:
    early = dt.datetime(2026, 12, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    (row,) = metering.meter([use(time=early)], metering.read(TABLE))
    assert row.month == "2026-11"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 1}, "not as it should be"),
        ({"price": [{}]}, "tiers is missing"),
        ({"price": [{**TABLE["price"][0], "tiers": [[5, 0.1]]}]}, "tiers are"),
        ({"price": [TABLE["price"][0], TABLE["price"][0]]}, "two prices"),
    ],
)
def test_a_table_that_is_none_is_told(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        metering.read(TABLE | change)
