# SPDX-License-Identifier: Apache-2.0
"""The storage figures are of what was stored."""

from __future__ import annotations

from overt.cli import bench_store
from overt.cli.people import Statistics, draw


def test_a_gallery_with_files_is_measured() -> None:
    crowd = draw(Statistics.assumed(64), 70_000, 10)
    told = bench_store.measure(crowd.halves, crowd.vectors, 5, 0.2)
    assert all(value for value in told.values())
    p50, p99 = told["search of the store, 5 rows fetched, p50 / p99 ms"].split(" / ")
    assert 0 < float(p50) <= float(p99)
    assert 64 + 4 + 8 <= told["bytes a face resident, of what searches scan"] < 64 + 4 + 8 + 1
    assert 64 * 3 + 16 <= told["bytes a face on disk, segments"] < 64 * 3 + 18
    assert told["bytes a face on disk, database"] > 64 * 2
