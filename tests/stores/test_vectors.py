# SPDX-License-Identifier: Apache-2.0
"""Embeddings survive their way to disk, and nothing else gets there."""

from __future__ import annotations

import numpy as np
import pytest

from overt.stores import vectors
from overt.testing.stores import make_vectors


def test_a_vector_comes_back_within_float16() -> None:
    rows = make_vectors(50, seed=1, dimension=512)
    back = vectors.decode([vectors.encode(row) for row in rows], 512)
    np.testing.assert_allclose(back, rows, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(back, axis=1), 1.0, atol=1e-6)
    assert len(vectors.encode(rows[0])) == 1024


def test_no_vectors_are_no_rows() -> None:
    assert vectors.decode([], 128).shape == (0, 128)


@pytest.mark.parametrize("bad", [np.zeros(4), np.full(4, np.nan), np.array([np.inf, 0]), np.ones(4), np.ones((1, 1))])
def test_what_is_no_unit_vector_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="length 1"):
        vectors.encode(bad.astype(np.float32))


def test_rows_are_encoded_as_one_by_one() -> None:
    rows = make_vectors(5000, seed=1)
    vectors.check_rows(rows)
    vectors.check_rows(rows.astype(np.float16))
    assert vectors.encode_rows(rows) == [vectors.encode(row) for row in rows]
    assert vectors.encode_rows(rows.astype(np.float16)) == vectors.encode_rows(rows)
    np.testing.assert_array_equal(vectors.stored(vectors.encode_rows(rows), 32), rows.astype(np.float16))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, 1.1])
def test_a_bad_row_among_many_is_named(bad: float) -> None:
    rows = make_vectors(5000, seed=1)
    rows[4999] *= np.float32(bad)
    with pytest.raises(ValueError, match=r"length 1, not .* as row 4999"):
        vectors.check_rows(rows)


def test_the_mean_of_opposites_points_nowhere() -> None:
    row = make_vectors(1, seed=1)[0]
    assert vectors.mean(np.stack([row, -row])) is None
    assert vectors.mean(np.empty((0, 4), np.float32)) is None
    middle = vectors.mean(np.stack([row, row]))
    assert middle is not None
    np.testing.assert_allclose(middle, row, atol=1e-7)
