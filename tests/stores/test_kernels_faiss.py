# SPDX-License-Identifier: Apache-2.0
"""What is faiss's own in its kernel; that it gives what others give is in test_kernels.py."""

from __future__ import annotations

import gc
import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.stores.codes import Halves, Probe, quantise, unit
from overt.stores.exact import Part, Scanner, cosine
from overt.stores.kernels.numpy import NumpyKernel
from overt.testing.stores import make_vectors

pytest.importorskip("faiss")
from overt.stores.kernels import faiss  # it imports the other faiss

FLOORS = st.sampled_from([-1.0, -0.2, 0.0, 0.3, 0.6, 0.95, 1.0])


def check(halves: Halves, probe: Probe, hidden: np.ndarray | None) -> bool:
    """Its candidates keep to the interface; gives whether faiss found them."""
    rows = quantise(np.arange(len(halves)), halves)
    (found,) = faiss.FaissKernel().scan(rows, [probe], hidden)
    true = cosine(unit(halves), probe.vector)
    np.testing.assert_allclose(found.scores, true[found.rows], atol=found.margin, rtol=0)
    assert len(set(found.rows.tolist())) == len(found.rows)
    left_out = np.ones(len(halves), bool)
    left_out[found.rows] = False
    if hidden is not None:
        assert not hidden[found.rows].any()
        left_out &= ~hidden
    assert (true[left_out] - found.margin < found.cut).all()
    best = np.sort(found.scores)[::-1][: probe.limit]
    last = best[-1] if len(best) == probe.limit else -np.inf
    assert found.cut <= max(probe.floor - found.margin, last - 2 * found.margin) + 1e-6
    return found.margin < rows.residual


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40_000),
    dimension=st.sampled_from([7, 32, 100, 128]),
    limit=st.integers(1, 5000),
    floor=FLOORS,
    share=st.sampled_from([None, 0.01, 0.5, 0.99, 1.0]),
    order=st.sampled_from(["any", "rising", "falling"]),
)
def test_no_row_that_could_be_in_the_answer_is_left_out(
    seed: int, count: int, dimension: int, limit: int, floor: float, share: float | None, order: str
) -> None:
    random = np.random.default_rng(seed)
    halves = make_vectors(count, seed, dimension=dimension).astype(np.float16)
    halves[random.integers(count, size=count // 5)] = halves[random.integers(count)]
    probe = Probe.of(make_vectors(1, seed, dimension=dimension)[0], limit, floor)
    if order != "any":
        nearest = np.argsort(halves.astype(np.float32) @ probe.vector)
        halves = np.ascontiguousarray(halves[nearest if order == "rising" else nearest[::-1]])
    hidden = None if share is None else random.random(count) < share
    assert check(halves, probe, hidden) == (count >= faiss._FEW)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(0, 30_000), min_size=1, max_size=5),
    probes=st.integers(1, 4),
    limit=st.sampled_from([1, 3, 80, 4096]),
    floor=FLOORS,
    hide=st.booleans(),
)
def test_a_search_with_it_equals_brute_force(
    seed: int, sizes: list[int], probes: int, limit: int, floor: float, *, hide: bool
) -> None:
    random = np.random.default_rng(seed)
    halves = make_vectors(sum(sizes), seed).astype(np.float16)
    hidden = random.random(len(halves)) < (0.3 if hide else 0)
    rows = quantise(np.arange(len(halves)) * 3, halves)
    ends = np.cumsum([0, *sizes])
    parts = [
        Part(rows.cut(start, stop), hidden[start:stop] if hide else None) for start, stop in itertools.pairwise(ends)
    ]
    asked = [Probe.of(vector, limit, floor) for vector in make_vectors(probes, seed, per_person=1)]
    scanner = Scanner(faiss.FaissKernel(), 2)
    answers = scanner.search(parts, asked)
    scanner.close()
    for probe, answer in zip(asked, answers, strict=True):
        true = cosine(unit(halves), probe.vector)
        true[hidden] = -np.inf
        ordered = np.sort(true[true >= floor])[::-1]
        last = ordered[min(limit, len(ordered)) - 1] if len(ordered) else np.inf
        expected = np.flatnonzero(true >= max(last, floor))
        expected = expected[np.lexsort((expected, -true[expected]))]
        assert answer.sequences.tolist() == (expected * 3).tolist()
        assert answer.cosines.tolist() == true[expected].tolist()
        assert not answer.scanned


@pytest.mark.parametrize("strange", [0.5, 1.1, np.nan, np.inf])
def test_vectors_that_are_not_of_unit_length_are_left_to_numpy(strange: float) -> None:
    halves = make_vectors(5000, 1).astype(np.float16)
    halves[4321] *= np.float16(strange)
    rows = quantise(np.arange(5000), make_vectors(5000, 1).astype(np.float16))
    rows = type(rows)(rows.sequences, rows.codes, rows.scales, halves, rows.residual, rows.reach)
    probe = Probe.of(unit(halves[17:18])[0], 10, -1.0)
    (ours,), (reference,) = (kernel.scan(rows, [probe]) for kernel in (faiss.FaissKernel(), NumpyKernel()))
    assert ours.margin == reference.margin
    assert ours.rows.tolist() == reference.rows.tolist()


def test_vectors_are_read_where_they_lie_in_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "halves.npy", make_vectors(5000, 2).astype(np.float16))
    halves = np.load(tmp_path / "halves.npy", mmap_mode="r")
    assert check(halves, Probe.of(unit(halves[9:10])[0], 5, -1.0), None)
    assert check(halves[1:4000], Probe.of(unit(halves[9:10])[0], 5, -1.0), None)
    assert not check(halves[::2], Probe.of(unit(halves[9:10])[0], 5, -1.0), None)


def test_many_threads_may_scan_at_once() -> None:
    rows = quantise(np.arange(20_000), make_vectors(20_000, 3).astype(np.float16))
    kernel = faiss.FaissKernel()
    probes = [Probe.of(vector, 20, -1.0) for vector in unit(rows.halves[:64])]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda probe: kernel.scan(rows, [probe])[0], probes))
    for each, together in zip(found, kernel.scan(rows, probes), strict=True):
        best = [candidates.rows[np.argsort(-candidates.scores)[:20]].tolist() for candidates in (each, together)]
        assert best[0] == best[1]


def test_it_keeps_nothing_of_rows_that_are_gone() -> None:
    kernel = faiss.FaissKernel()
    rows = quantise(np.arange(5000), make_vectors(5000, 4).astype(np.float16))
    kernel.scan(rows, [Probe.of(unit(rows.halves[:1])[0], 1, 0.5)])
    assert len(kernel._strays) == 1
    del rows
    gc.collect()
    assert len(kernel._strays) == 0


def test_it_gives_back_the_memory_it_scans_with_and_ends_in_silence() -> None:
    """What faiss's own Python layer does not let go of by itself is let go of here."""
    program = """
import numpy as np
from pathlib import Path
from overt.stores.codes import Probe, quantise, unit
from overt.stores.kernels.faiss import FaissKernel
from overt.testing.stores import make_vectors

def scan(times):
    for _ in range(times):
        kernel.scan(rows, [probe])
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

kernel = FaissKernel()
rows = quantise(np.arange(2000), make_vectors(2000, 5).astype(np.float16))
probe = Probe.of(unit(rows.halves[:1])[0], 5, 0.9)
before = scan(2000)
print(scan(20_000) - before)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert int(done.stdout) < 1_000_000  # 20,000 scanners that stay are 2.7 MB
