# SPDX-License-Identifier: Apache-2.0
"""The kernel of those who have faiss: its scan of float16 vectors, over the stored ones where they lie.

No index is built and nothing is copied. Knows no code: what is read is `Rows.halves`, twice the bytes of the codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import faiss
import numpy as np

from overt.stores.codes import Halves, Numbers, Probe, Rows
from overt.stores.kernels.base import Candidates, Hidden
from overt.stores.kernels.numpy import SLACK, NumpyKernel, nth_best
from overt.types import Floats

_FEW = 1024  # below this many rows numpy is as fast
_FIRST = 4096  # rows after which the first cut is made: all of them may be candidates
_GROWTH = 8  # each block is that much longer than the one before, as its cut is better
_SHARED = 16_384  # rows that one probe after the other scans: 4 MiB of 128, which the cache of all cores holds
_STRAY = 0.01  # of a length from 1; rounding to float16 gives 0.0005


class FaissKernel:
    """Stored vectors multiplied by the probes as they are, both unquantised.

    The stored vectors are not made unit length again, so the margin is how far their lengths are from 1. Where that is
    much, and where there are few rows, numpy does the work.
    """

    name = f"faiss {faiss.__version__}"

    def __init__(self) -> None:
        self._few = NumpyKernel()
        self._strays: WeakKeyDictionary[Rows, float] = WeakKeyDictionary()

    def scan(self, rows: Rows, probes: Sequence[Probe], hidden: Hidden | None = None) -> list[Candidates]:
        """See `Kernel.scan`."""
        if len(rows) < _FEW or not rows.halves.flags.c_contiguous or self._stray(rows) > _STRAY:
            return self._few.scan(rows, probes, hidden)
        searches = [_Search(probe, self._stray(rows) + SLACK) for probe in probes]
        with _scanner(rows.halves.shape[1], faiss.METRIC_INNER_PRODUCT) as scanner:
            for block in _blocks(len(rows), shared=len(probes) > 1):
                for search in searches:
                    search.scan(scanner, rows.halves, block, hidden)
        return [search.candidates() for search in searches]

    def _stray(self, rows: Rows) -> float:
        """The largest difference of a row's length from 1, worked out once for rows that stay."""
        known = self._strays.get(rows)
        if known is None:
            known = self._strays[rows] = _stray(rows.halves)
        return known


class _Search:
    """One probe's way through blocks of rows, with a cut that rises as better rows are found."""

    def __init__(self, probe: Probe, margin: float) -> None:
        self._limit = probe.limit
        self._vector = np.ascontiguousarray(probe.vector, np.float32)
        self._margin = margin
        self._cut = probe.floor - margin
        self._rows: Numbers = np.empty(0, np.int64)
        self._scores: Floats = np.empty(0, np.float32)

    def scan(self, scanner: faiss.InvertedListScanner, halves: Halves, block: slice, hidden: Hidden | None) -> None:
        """Look through one more block."""
        below = np.nextafter(np.float32(self._cut), np.float32(-np.inf))  # faiss leaves out rows that equal the radius
        found, scores = _within(scanner, self._vector, halves[block], float(below))
        if not found.size:
            return
        found += block.start
        if hidden is not None:
            shown = ~hidden[found]
            found, scores = found[shown], scores[shown]
        self._rows, self._scores = np.concatenate([self._rows, found]), np.concatenate([self._scores, scores])
        self._cut = max(self._cut, nth_best(self._scores, self._limit) - 2 * self._margin)
        kept = self._scores >= self._cut
        self._rows, self._scores = self._rows[kept], self._scores[kept]

    def candidates(self) -> Candidates:
        """What was found."""
        return Candidates(self._rows, self._scores, self._margin, self._cut)


def _blocks(count: int, *, shared: bool) -> Iterator[slice]:
    start, size = 0, _FIRST
    while start < count:
        yield slice(start, min(start + size, count))
        start += size
        size = _SHARED if shared else size * _GROWTH


def _stray(halves: Halves) -> float:
    """The largest difference of a length from 1: squared distances from the origin are squared lengths."""
    origin = np.zeros(halves.shape[1], np.float32)
    with _scanner(halves.shape[1], faiss.METRIC_L2) as scanner:
        found, squares = _within(scanner, origin, halves, np.inf)
    if len(found) < len(halves):  # some length is infinite or no number
        return np.inf
    return float(np.abs(np.sqrt(squares) - 1).max())


@contextmanager
def _scanner(dimension: int, metric: int) -> Iterator[faiss.InvertedListScanner]:
    """What faiss scans an index of float16 vectors with; for one thread."""
    quantizer = faiss.ScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16)
    scanner = quantizer.select_InvertedListScanner(metric, None, store_pairs=True, sel=None)
    scanner.set_list(0, 0.0)  # then what it finds are row numbers
    try:
        yield scanner
    finally:
        # Python does not own it: without this it stays for ever, and taking ownership breaks the class (faiss 1.15.1).
        faiss.InvertedListScanner.__swig_destroy__(scanner)


def _within(scanner: faiss.InvertedListScanner, query: Floats, halves: Halves, radius: float) -> tuple[Numbers, Floats]:
    """The rows whose product with a query is above, or whose squared distance from it is below, a radius."""
    result = faiss.RangeSearchResult(1)
    partial = faiss.RangeSearchPartialResult(result)
    scanner.set_query(faiss.swig_ptr(query))
    vectors = faiss.cast_integer_to_uint8_ptr(halves.ctypes.data)
    scanner.scan_codes_range(len(halves), vectors, None, radius, partial.new_result(0))
    partial.finalize()
    size = int(faiss.rev_swig_ptr(result.lims, 2)[1])
    if not size:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    return faiss.rev_swig_ptr(result.labels, size).copy(), faiss.rev_swig_ptr(result.distances, size).copy()
