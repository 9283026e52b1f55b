# SPDX-License-Identifier: Apache-2.0
"""Codes lie as near to their vectors as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.stores.codes import Probe, encode, mark, quantise, unit, width
from overt.testing.stores import make_vectors


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dimension=st.sampled_from([1, 8, 63, 64, 65, 128, 512]), power=st.floats(0.1, 8))
def test_no_score_of_codes_is_further_from_the_cosine_than_promised(seed: int, dimension: int, power: float) -> None:
    """For smooth and for spiky vectors."""
    vectors = make_vectors(300, seed, dimension=dimension).astype(np.float64)
    vectors = np.sign(vectors) * np.abs(vectors) ** power
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = quantise(np.arange(300), vectors.astype(np.float16))
    exact = unit(rows.halves).astype(np.float64)
    probe = Probe.of(unit(rows.halves[:1])[0], 1, -1.0)
    scores = (rows.codes.astype(np.int64) @ probe.code.astype(np.int64)) * rows.scales.astype(np.float64) * probe.scale
    margin = rows.residual + probe.residual * rows.reach + 1e-6
    assert np.abs(exact @ probe.vector.astype(np.float64) - scores).max() <= margin
    assert rows.codes.min() >= -127
    assert rows.codes.shape == (300, width(dimension))
    assert not rows.codes[:, dimension:].any()


def test_rows_of_zeros_are_coded_as_zeros() -> None:
    codes, scales, residual, reach = encode(np.zeros((3, 8), np.float32))
    assert not codes.any()
    assert (scales.tolist(), residual, reach) == ([0.0] * 3, 0.0, 0.0)
    assert not unit(np.zeros((3, 8), np.float16)).any()


@pytest.mark.parametrize("start", [0, 10, 99])
def test_a_cut_is_the_same_rows(start: int) -> None:
    rows = quantise(np.arange(100), make_vectors(100, seed=1).astype(np.float16))
    part = rows.cut(start, start + 20)
    np.testing.assert_array_equal(part.codes, rows.codes[start : start + 20])
    assert part.sequences.tolist() == list(range(start, min(start + 20, 100)))
    assert len(part) == min(20, 100 - start)


def test_a_mark_tells_any_other_vector_or_sequence() -> None:
    halves = make_vectors(50, seed=1).astype(np.float16)
    marks = mark(np.arange(50), halves)
    assert len(set(marks.tolist())) == 50
    assert (mark(np.arange(50) + 1, halves) != marks).all()
