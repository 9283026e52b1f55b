# SPDX-License-Identifier: Apache-2.0
"""Certified exact search: a kernel's candidates, rescored from the stored vectors, and the proof that none is missing.

The answer to a probe is what a float64 scan of all stored vectors would give. A kernel looks through int8 codes and
says how far its scores may be from the truth and below which score it left rows out. If even the best row it may have
left out lies below the last of the answer, the answer is proved; if not, all vectors are scanned. Knows no database.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from overt.stores.codes import Numbers, Probe, Rows, unit
from overt.stores.kernels.base import Candidates, Hidden, Kernel
from overt.stores.kernels.numpy import SLACK, nth_best, select
from overt.types import Floats

Cosines = npt.NDArray[np.float64]

PART = 131_072  # rows scanned at a time: few enough to share among cores, enough that one takes most of a millisecond
_ALONE = 32_768  # below this many rows in all, waking other threads takes longer than it saves
_BATCH = 65_536  # rows made floats at a time in a scan of all vectors


class SpoiledRowsError(Exception):
    """Rows in a file are not what was written there; `part` is their number among the parts searched."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} of the gallery does not match its checksums")
        self.part = part


@dataclass(frozen=True, slots=True)
class Part:
    """Rows to search, at most PART of them for speed, and which of them to leave out."""

    rows: Rows
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows nearest to a probe, exactly.

    sequences (m,) and cosines (m,), cosine descending; m exceeds the probe's limit where rows tie with the last.
    rescored: rows whose cosine was worked out; scanned: whether the kernel's proof failed and all vectors were read.
    """

    sequences: Numbers
    cosines: Cosines
    rescored: int
    scanned: bool = False


class Scanner:
    """Searches parts with one kernel on all cores. Safe for many threads."""

    def __init__(self, kernel: Kernel, threads: int) -> None:
        """Args: threads: that scan at the same time, the caller's own among them."""
        self.kernel = kernel
        self._threads = threads
        self._pool = ThreadPoolExecutor(max(threads - 1, 1), "scan")

    def search(self, parts: Sequence[Part], probes: Sequence[Probe]) -> list[Answer]:
        """The answer to each probe, in their order.

        Raises: SpoiledRowsError.
        """
        gathered = [_Gathered(probe) for probe in probes]
        todo = iter(enumerate(parts))
        turn = threading.Lock()

        def scan() -> None:
            while True:
                with turn:
                    number, part = next(todo, (None, None))
                    asked = [each.probe for each in gathered]
                if number is None or part is None:
                    return
                found = self.kernel.scan(part.rows, asked, part.hidden)
                with turn:
                    for each, candidates in zip(gathered, found, strict=True):
                        each.add(number, candidates)

        helpers = 0 if sum(len(part.rows) for part in parts) < _ALONE else min(self._threads, len(parts)) - 1
        others = [self._pool.submit(scan) for _ in range(helpers)]
        try:
            scan()
        finally:
            wait(others)
        for other in others:
            other.result()
        return [self._settle(parts, probe, each) for probe, each in zip(probes, gathered, strict=True)]

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown()

    def _settle(self, parts: Sequence[Part], probe: Probe, gathered: _Gathered) -> Answer:
        answer = _rescore(parts, probe, gathered.found)
        least = max(probe.floor, nth_best(answer.cosines, probe.limit))
        # Subtracted as the kernels do it: the sum of a cut and its margin may be rounded to more than the floor.
        if all(each.cut <= least - each.margin for _, each in gathered.found):
            return _best(answer, probe)
        return replace(_best(_rescore(parts, probe, _read_all(parts, probe)), probe), scanned=True)


class _Gathered:
    """What the parts scanned so far have given for one probe."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe  # its floor rises as better rows are found
        self.found: list[tuple[int, Candidates]] = []
        self._least: Floats = np.empty(0, np.float32)  # the best lower bounds of cosines, `limit` of them at most

    def add(self, part: int, candidates: Candidates) -> None:
        self.found.append((part, candidates))
        limit = self.probe.limit
        least = np.concatenate([self._least, candidates.scores - np.float32(candidates.margin)])
        if least.size > limit:
            least = np.partition(least, least.size - limit)[least.size - limit :]
        self._least = least
        if least.size == limit:
            floor = float(least.min()) - 1e-6  # a float32 difference may be rounded up
            if floor > self.probe.floor:
                self.probe = replace(self.probe, floor=floor)


def _rescore(parts: Sequence[Part], probe: Probe, found: Iterable[tuple[int, Candidates]]) -> Answer:
    """The true cosines of all candidates that may be in the answer. Raises: SpoiledRowsError."""
    found = [each for each in found if each[1].rows.size]
    least = np.concatenate([np.empty(0, np.float32), *(each.scores - each.margin for _, each in found)])
    floor = max(probe.floor, nth_best(least, probe.limit))
    sequences, cosines, rescored = [np.empty(0, np.int64)], [np.empty(0)], 0
    for number, each in found:
        rows = parts[number].rows
        near = each.scores >= floor - each.margin - 1e-6
        numbers, scores = each.rows[near], each.scores[near]
        if rows.spoiled(numbers).size:
            raise SpoiledRowsError(number)
        exact = cosine(unit(rows.halves[numbers]), probe.vector)
        if (np.abs(exact - scores) > each.margin).any():  # the bounds in its header cannot be right
            raise SpoiledRowsError(number)
        sequences.append(rows.sequences[numbers])
        cosines.append(exact)
        rescored += len(numbers)
    return Answer(np.concatenate(sequences), np.concatenate(cosines), rescored)


def cosine(rows: Floats, vector: Floats) -> Cosines:
    """The cosine (n,) of each unit row (n, dimension) with a unit vector (dimension,), summed in float64.

    A sum along each row: equal rows get equal cosines wherever they lie, which a matrix product does not promise.
    """
    cosines: Cosines = (rows.astype(np.float64) * vector.astype(np.float64)).sum(axis=1)
    return cosines


def _best(answer: Answer, probe: Probe) -> Answer:
    kept = answer.cosines >= max(probe.floor, nth_best(answer.cosines, probe.limit))
    sequences, cosines = answer.sequences[kept], answer.cosines[kept]
    order = np.lexsort((sequences, -cosines))
    return replace(answer, sequences=sequences[order], cosines=cosines[order])


def _read_all(parts: Sequence[Part], probe: Probe) -> Iterable[tuple[int, Candidates]]:
    """Candidates from the stored vectors themselves."""
    for number, part in enumerate(parts):
        everything = np.arange(len(part.rows))
        for start in range(0, len(part.rows), _BATCH):
            some = everything[start : start + _BATCH]
            if part.rows.spoiled(some).size:
                raise SpoiledRowsError(number)
            scores = unit(part.rows.halves[some]) @ probe.vector
            if part.hidden is not None:
                scores[part.hidden[some]] = -np.inf
            chosen = select(scores, probe, SLACK)
            yield number, replace(chosen, rows=chosen.rows + start)
