# SPDX-License-Identifier: Apache-2.0
"""A segment gives back what was written, or says what is wrong with it."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overt.stores.codes import Rows, quantise
from overt.stores.exact import PART
from overt.stores.segment import Segment, SegmentError, Space, Span
from overt.testing.stores import make_vectors

SPACE = Space("ab" * 16, 7, "faces", "model-1", 32)
SPAN = Span(3, 900, 880)


def make_rows(count: int, seed: int = 1, first: int = 1) -> Rows:
    return quantise(np.arange(first, first + count), make_vectors(count, seed).astype(np.float16))


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    return Segment.write(tmp_path, SPACE, SPAN, [(make_rows(50), None)])


@pytest.mark.parametrize("count", [0, 1, 50, 70_000, PART + 3])
def test_what_was_written_is_read(tmp_path: Path, count: int) -> None:
    rows = make_rows(count)
    written = Segment.write(tmp_path, SPACE, SPAN, [(rows, None)])
    for segment in (written, Segment.open(written.path, SPACE)):
        assert segment.span == SPAN
        for name in ("sequences", "codes", "scales", "halves"):
            np.testing.assert_array_equal(getattr(segment.rows, name), getattr(rows, name))
        assert (segment.rows.residual, segment.rows.reach) == (rows.residual, rows.reach)
        assert segment.rows.spoiled(np.arange(count)).size == 0
        assert sum(len(part) for part in segment.parts) == count
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600


def test_some_rows_of_several_pieces_are_kept(tmp_path: Path) -> None:
    first, second = make_rows(40), make_rows(PART + 10, seed=2, first=41)
    kept = np.random.default_rng(1).random(PART + 10) < 0.5
    segment = Segment.write(tmp_path, SPACE, SPAN, [(first, None), (second, kept)])
    expected = np.concatenate([first.sequences, second.sequences[kept]])
    np.testing.assert_array_equal(segment.rows.sequences, expected)
    np.testing.assert_array_equal(segment.rows.codes[40:], second.codes[kept])
    assert segment.rows.residual == max(first.residual, second.residual)
    again = Segment.write(tmp_path, SPACE, SPAN, [(segment.rows, None)])
    assert again.path.read_bytes() == segment.path.read_bytes()


def test_every_changed_byte_of_the_header_is_found(segment: Segment) -> None:
    whole = segment.path.read_bytes()
    for place in range(int.from_bytes(whole[8:12], "little")):
        segment.path.write_bytes(whole[:place] + bytes([whole[place] ^ (place % 255 + 1)]) + whole[place + 1 :])
        with pytest.raises(SegmentError):
            Segment.open(segment.path, SPACE)


def test_every_changed_byte_of_what_is_scanned_is_found(segment: Segment) -> None:
    whole = segment.path.read_bytes()
    start = int.from_bytes(whole[8:12], "little")
    for place in range(start, len(whole) - 50 * (2 * 32 + 4) - 64):
        segment.path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with pytest.raises(SegmentError):
            Segment.open(segment.path, SPACE)


def test_every_changed_byte_of_a_vector_is_found(segment: Segment) -> None:
    whole = segment.path.read_bytes()
    halves = whole.index(segment.rows.halves.tobytes())
    for place in range(halves, halves + 50 * 64):
        segment.path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        spoiled = Segment.open(segment.path, SPACE).rows.spoiled(np.arange(50))
        assert spoiled.tolist() == [(place - halves) // 64]


@pytest.mark.parametrize("length", [0, 10, 16, 100, 4096, 5000, -1])
def test_a_file_cut_short_is_found(segment: Segment, length: int) -> None:
    segment.path.write_bytes(segment.path.read_bytes()[:length])
    with pytest.raises(SegmentError):
        Segment.open(segment.path, SPACE)


def test_a_file_that_is_too_long_is_found(segment: Segment) -> None:
    segment.path.write_bytes(segment.path.read_bytes() + b"\0")
    with pytest.raises(SegmentError, match="not as long"):
        Segment.open(segment.path, SPACE)


@pytest.mark.parametrize(
    "change", [{"model": "model-2"}, {"lineage": ""}, {"collection": 8}, {"table": "users"}, {"shard": 1, "shards": 2}]
)
def test_rows_of_something_else_are_refused(segment: Segment, change: dict[str, object]) -> None:
    with pytest.raises(SegmentError, match="something else"):
        Segment.open(segment.path, replace(SPACE, **change))


def test_a_missing_file_is_refused(segment: Segment) -> None:
    segment.remove()
    segment.remove()
    with pytest.raises(SegmentError, match="cannot be read"):
        Segment.open(segment.path, SPACE)


def test_rows_stay_readable_after_the_file_went(segment: Segment) -> None:
    other = Segment.open(segment.path, SPACE)
    segment.remove()
    np.testing.assert_array_equal(other.rows.halves, make_rows(50).halves)


def test_overwritten_rows_are_zero_for_all_who_have_the_file(segment: Segment) -> None:
    other = Segment.open(segment.path, SPACE)
    segment.overwrite(np.array([0, 7, 49]))
    for rows in (segment.rows, other.rows):
        gone = ~rows.halves.any(axis=1)
        assert np.flatnonzero(gone).tolist() == [0, 7, 49]
        assert not rows.codes[gone].any()
        assert rows.spoiled(np.arange(50)).tolist() == [0, 7, 49]


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SegmentError, match="cannot be written"):
        Segment.write(tmp_path / "file" / "folder", SPACE, SPAN, [(make_rows(3), None)])
