# SPDX-License-Identifier: Apache-2.0
"""A gallery answers for each head as if it had been read at that moment."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from overt.stores.gallery import Gallery, Query
from overt.stores.kernels.base import Numbers
from overt.stores.kernels.numpy import NumpyKernel
from overt.testing.stores import make_vectors
from overt.types import Floats

VECTORS = make_vectors(5000, seed=1, dimension=8)


@dataclass
class FakeFeed:
    """A collection's whole history, seen as of one head. alive: sequence -> the head at which it died."""

    head: int = 0
    died_at: dict[int, int] = field(default_factory=dict)
    loads: int = 0

    def at(self, head: int) -> FakeFeed:
        return FakeFeed(head, self.died_at)

    def alive(self) -> list[int]:
        gone = {sequence for sequence, head in self.died_at.items() if head <= self.head}
        burials = set(self.died_at.values())  # a head that buried somebody bore nobody
        return [sequence for sequence in range(1, self.head + 1) if sequence not in gone | burials]

    def born(self, after: int) -> tuple[Numbers, Floats]:
        self.loads += 1
        rows = np.array([sequence for sequence in self.alive() if sequence > after], np.int64)
        return rows, VECTORS[rows]

    def died(self, after: int) -> tuple[Numbers, Numbers]:
        pairs = [(sequence, head) for sequence, head in self.died_at.items() if after < head <= self.head]
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]


def found(gallery: Gallery, feed: FakeFeed, without: tuple[int, ...] = ()) -> list[int]:
    query = Query(VECTORS[0], 10_000, -1.0, np.array(without, np.int64))
    return sorted(gallery.at(feed).top(NumpyKernel(), query, feed.head)[0].tolist())


def test_every_head_sees_its_own_rows_in_any_order_of_asking() -> None:
    random = np.random.default_rng(3)
    history = FakeFeed(400)
    for head in range(2, 400):
        alive = [sequence for sequence in FakeFeed(head - 1, history.died_at).alive() if sequence < head]
        if random.random() < 0.3 and alive:
            history.died_at[int(random.choice(alive))] = head
    gallery = Gallery()
    head = 1
    while head < 400:
        head = min(400, head + int(random.integers(1, 30)))
        for asked in (head, max(1, head - int(random.integers(1, 40))), head):
            feed = history.at(asked)
            assert found(gallery, feed) == feed.alive()


def test_a_caught_up_gallery_reads_only_what_is_new() -> None:
    gallery = Gallery()
    assert found(gallery, FakeFeed(10)) == list(range(1, 11))
    same = FakeFeed(10)
    found(gallery, same)
    assert same.loads == 0
    view = gallery.at(FakeFeed(10))
    assert found(gallery, FakeFeed(12)) == list(range(1, 13))
    assert view.born.tolist() == list(range(1, 11))


def test_rows_may_be_passed_over() -> None:
    assert found(Gallery(), FakeFeed(5), without=(2, 5, 99)) == [1, 3, 4]


def test_many_dead_rows_are_dropped_from_memory() -> None:
    gallery = Gallery()
    found(gallery, FakeFeed(100))
    before = gallery.nbytes
    history = FakeFeed(150, {sequence: 100 + sequence for sequence in range(1, 51)})
    assert found(gallery, history) == list(range(51, 101))
    assert gallery.nbytes == before // 2
    assert found(gallery, history.at(120)) == list(range(21, 101))
