# SPDX-License-Identifier: Apache-2.0
"""Brute force forgets no row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.cli import brute
from overt.cli.people import Statistics, draw


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 500),
    limit=st.sampled_from([1, 2, 10, 80, 1000]),
    floor=st.sampled_from([-1.0, 0.1, 0.5, 1.0]),
)
def test_it_is_a_sorted_list_of_all_cosines(seed: int, count: int, limit: int, floor: float) -> None:
    crowd = draw(Statistics.assumed(16), count, 3, seed=seed)
    crowd.halves[: count // 4] = crowd.halves[0]
    rows = crowd.halves.astype(np.float32)
    rows /= np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    for vector, found in zip(crowd.vectors, brute.nearest(crowd.halves, crowd.vectors, limit, floor), strict=True):
        cosines = (rows.astype(np.float64) * vector.astype(np.float64)).sum(axis=1)
        order = sorted(range(count), key=lambda row: (-cosines[row], row))
        last = cosines[order[min(limit, count) - 1]]
        expected = [row for row in order if cosines[row] >= max(floor, last)]
        assert found.rows.tolist() == expected
        assert found.cosines.tolist() == cosines[expected].tolist()


@pytest.mark.parametrize("probes", [1, brute._TOGETHER + 1])
def test_it_goes_through_large_galleries_in_batches(probes: int) -> None:
    crowd = draw(Statistics.assumed(8), 2 * brute._BATCH + 5, probes)
    rows = crowd.halves.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = brute.nearest(crowd.halves, crowd.vectors, 3, -1.0)
    assert len(found) == probes
    for number in (0, probes - 1):
        cosines = np.sort(rows @ crowd.vectors[number])[::-1]
        np.testing.assert_allclose(found[number].cosines[:3], cosines[:3], atol=1e-6)
