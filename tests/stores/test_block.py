# SPDX-License-Identifier: Apache-2.0
"""Blocks never change; what they hide depends on the head asked for."""

from __future__ import annotations

import numpy as np

from overt.stores.block import Block, View, find
from overt.testing.stores import make_vectors

HALVES = make_vectors(100, seed=1).astype(np.float16)


def make_block(*sequences: int) -> Block:
    rows = np.array(sequences)
    return Block.empty(32).grown(rows, HALVES[rows])


def test_growing_leaves_older_blocks_as_they_were() -> None:
    block = make_block(1, 2, 3)
    longer = block.grown(np.array([5, 6]), HALVES[5:7])
    longest = longer.grown(np.arange(10, 60), HALVES[10:60])
    assert block.rows.sequences.tolist() == [1, 2, 3]
    assert longer.rows.sequences.tolist() == [1, 2, 3, 5, 6]
    np.testing.assert_array_equal(longest.rows.halves, HALVES[longest.rows.sequences])
    assert (block.last, longest.last, Block.empty(32).last) == (3, 59, 0)
    assert block.rows.residual <= longest.rows.residual


def test_the_dead_are_hidden_from_the_head_at_which_they_died() -> None:
    block = make_block(1, 2, 3, 4).with_dead(np.array([2, 4, 77]), np.array([6, 8, 9]))
    assert block.hidden(5) is None
    assert np.flatnonzero(block.hidden(7)).tolist() == [1]
    assert np.flatnonzero(block.hidden(8)).tolist() == [1, 3]
    assert block.hidden(99) is block.hidden(8)
    assert make_block(1).with_dead(np.array([1]), np.array([6]), after=6).hidden(9) is None


def test_the_dead_are_left_out_of_a_copy() -> None:
    block = make_block(1, 2, 3, 4).with_dead(np.array([2, 3]), np.array([6, 8]))
    few = block.without(7)
    assert few.rows.sequences.tolist() == [1, 3, 4]
    assert [each.tolist() for each in few.deaths] == [[3], [8]]
    assert block.without(5) is block


def test_a_view_tells_what_a_reader_must_not_see() -> None:
    tail = make_block(10, 11, 12).with_dead(np.array([10]), np.array([14]))
    view = View.empty(32, 15).with_sealed(make_block(1, 2).with_dead(np.array([1]), np.array([13])), 9).with_tail(tail)
    assert sorted(view.unseen(13, 13).tolist()) == []
    assert sorted(view.unseen(12, 14).tolist()) == [1, 10]
    assert sorted(view.unseen(11, 11).tolist()) == [12]
    parts, owners = view.parts(13)
    assert [len(part.rows) for part in parts] == [2, 3]
    assert owners == [None, None]
    assert parts[1].hidden is None


def test_sequences_are_found_or_not() -> None:
    numbers, held = find(np.array([2, 4, 9]), np.array([9, 3, 2, 100]))
    assert numbers[held].tolist() == [2, 0]
    assert held.tolist() == [True, False, True, False]
    assert not find(np.empty(0, np.int64), np.array([1]))[1].any()
