# SPDX-License-Identifier: Apache-2.0
"""Every kernel gives the answer of a sum in float64. A new kernel joins the list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.stores.kernels.base import Kernel
from overt.stores.kernels.numpy import NumpyKernel
from overt.testing.stores import make_vectors

KERNELS = [NumpyKernel()]


@pytest.mark.parametrize("kernel", KERNELS)
@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 2000),
    limit=st.integers(0, 100),
    floor=st.sampled_from([-1.0, 0.0, 0.25, 0.8, 1.0]),
)
def test_top_equals_brute_force(kernel: Kernel, seed: int, count: int, limit: int, floor: float) -> None:
    random = np.random.default_rng(seed)
    matrix = make_vectors(count, seed)
    if count:
        matrix[random.integers(count, size=count // 5)] = matrix[random.integers(count)]
    probe = make_vectors(1, seed + 1)[0]
    hidden = np.flatnonzero(random.random(count) < random.random())
    rows, cosines = kernel.top(matrix, probe, limit, floor, hidden)

    expected = (matrix.astype(np.float64) * probe.astype(np.float64)).sum(axis=1)
    open_rows = [row for row in np.setdiff1d(np.arange(count), hidden) if expected[row] >= floor]
    best = sorted((expected[row] for row in open_rows), reverse=True)
    last = best[min(limit, len(best)) - 1] if best and limit else np.inf
    assert set(rows.tolist()) == {row for row in open_rows if expected[row] >= last}
    np.testing.assert_allclose(cosines, expected[rows], atol=1e-12)
    assert (np.diff(cosines) <= 0).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_all_rows_that_tie_with_the_last_are_returned(kernel: Kernel) -> None:
    matrix = np.repeat(make_vectors(2, seed=1, per_person=1), 50, 0)
    rows, cosines = kernel.top(matrix, matrix[0], 3, -1.0)
    assert rows.tolist() == list(range(50))
    assert len(set(cosines.tolist())) == 1
