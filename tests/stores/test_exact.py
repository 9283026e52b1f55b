# SPDX-License-Identifier: Apache-2.0
"""Answers are exact, whatever a kernel leaves out and however rows are parted; rows that were changed are noticed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from overt.stores.codes import Halves, Probe, Rows, mark, quantise, unit
from overt.stores.exact import Answer, Part, Scanner, SpoiledRowsError, cosine
from overt.stores.kernels.base import Candidates, Hidden
from overt.stores.kernels.numpy import NumpyKernel

DIMENSION = 32
EVERY_WAY = pytest.mark.parametrize("threads", [1, 3])


class Changed:
    """The numpy kernel, with what it found changed."""

    name = "changed"

    def __init__(self, change: Callable[[Candidates], Candidates]) -> None:
        self._change = change

    def scan(self, rows: Rows, probes: Sequence[Probe], hidden: Hidden | None = None) -> list[Candidates]:
        return [self._change(found) for found in NumpyKernel().scan(rows, probes, hidden)]


def nothing(found: Candidates) -> Candidates:
    """Leaves every row out, and admits it."""
    return replace(found, rows=found.rows[:0], scores=found.scores[:0], cut=1.0)


def half(found: Candidates) -> Candidates:
    """Leaves out every other row, the best among them perhaps, and admits it."""
    return replace(
        found, rows=found.rows[::2], scores=found.scores[::2], cut=float(found.scores.max(initial=-1)) + 1e-6
    )


def broken(found: Candidates) -> Candidates:
    raise ArithmeticError


def make_halves(count: int, seed: int) -> Halves:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def make_rows(count: int, seed: int = 1) -> Rows:
    return quantise(np.arange(count, dtype=np.int64) * 2 + 10, make_halves(count, seed))


def make_probes(count: int, limit: int, floor: float = -1.0, seed: int = 2) -> list[Probe]:
    return [Probe.of(vector, limit, floor) for vector in unit(make_halves(count, seed))]


def split(rows: Rows, step: int, hidden: Hidden | None = None) -> list[Part]:
    return [
        Part(rows.cut(start, start + step), None if hidden is None else hidden[start : start + step])
        for start in range(0, len(rows), step)
    ]


def expected(rows: Rows, probe: Probe, hidden: Hidden | None = None) -> list[tuple[float, int]]:
    """Pairs of cosine and sequence, from sums that are exact."""
    cosines = [
        (math.fsum(float(a) * float(b) for a, b in zip(row, probe.vector, strict=True)), int(sequence))
        for row, sequence in zip(unit(rows.halves), rows.sequences, strict=True)
    ]
    kept = [each for i, each in enumerate(cosines) if each[0] >= probe.floor and (hidden is None or not hidden[i])]
    return sorted(kept, key=lambda each: (-each[0], each[1]))[: probe.limit]


def check(answer: Answer, rows: Rows, probe: Probe, hidden: Hidden | None = None) -> None:
    right = expected(rows, probe, hidden)
    assert answer.sequences.tolist() == [sequence for _, sequence in right]
    np.testing.assert_allclose(answer.cosines, [each for each, _ in right], rtol=0, atol=1e-14)


@pytest.fixture
def make_scanner() -> Iterator[Callable[..., Scanner]]:
    opened = []

    def make(change: Callable[[Candidates], Candidates] = lambda found: found, threads: int = 2) -> Scanner:
        opened.append(Scanner(Changed(change), threads))
        return opened[-1]

    yield make
    for scanner in opened:
        scanner.close()


@EVERY_WAY
@pytest.mark.parametrize("step", [1, 100, 999, 1000, 5000])
def test_rows_in_any_parts_give_one_answer(make_scanner: Callable[..., Scanner], step: int, threads: int) -> None:
    rows = make_rows(1000)
    hidden = np.random.default_rng(3).random(1000) < 0.3
    probes = [*make_probes(2, 7), *make_probes(2, 2000, 0.1, seed=3), *make_probes(1, 1, 0.99, seed=4)]
    for probe, answer in zip(
        probes, make_scanner(threads=threads).search(split(rows, step, hidden), probes), strict=True
    ):
        check(answer, rows, probe, hidden)
        assert not answer.scanned


def test_cores_share_many_rows_and_give_the_answer_of_one(make_scanner: Callable[..., Scanner]) -> None:
    parts = split(make_rows(80_000), 9000)
    probes = make_probes(3, 25)
    alone, shared = (make_scanner(threads=threads).search(parts, probes) for threads in (1, 4))
    for one, other in zip(alone, shared, strict=True):
        assert one.sequences.tolist() == other.sequences.tolist()
        assert one.cosines.tolist() == other.cosines.tolist()
        assert len(one.sequences) == 25


def test_no_rows_give_an_empty_answer(make_scanner: Callable[..., Scanner]) -> None:
    for parts in ([], [Part(make_rows(0))], [Part(make_rows(5), np.ones(5, np.bool_))]):
        (answer,) = make_scanner().search(parts, make_probes(1, 3))
        assert answer.sequences.tolist() == answer.cosines.tolist() == []
        assert not answer.scanned


def test_rows_that_tie_with_the_last_all_come_in_the_order_of_their_sequences(
    make_scanner: Callable[..., Scanner],
) -> None:
    halves = np.repeat(make_halves(2, 5), 40, 0)
    rows = quantise(np.arange(80, dtype=np.int64), halves)
    (answer,) = make_scanner().search(split(rows, 30), [Probe.of(unit(halves)[0], 3, -1.0)])
    assert answer.sequences.tolist() == list(range(40))
    assert len(set(answer.cosines.tolist())) == 1


def test_few_rows_are_rescored(make_scanner: Callable[..., Scanner]) -> None:
    rows = make_rows(20_000)
    (answer,) = make_scanner().search(split(rows, 4000), make_probes(1, 10))
    assert 10 <= answer.rescored < 200


@EVERY_WAY
@pytest.mark.parametrize("change", [nothing, half])
@pytest.mark.parametrize("floor", [-1.0, 0.3])
def test_what_a_kernel_cannot_prove_is_read_from_the_vectors(
    make_scanner: Callable[..., Scanner], change: Callable[[Candidates], Candidates], floor: float, threads: int
) -> None:
    rows = make_rows(1500)
    hidden = np.random.default_rng(4).random(1500) < 0.3
    probes = make_probes(3, 20, floor)
    for probe, answer in zip(
        probes, make_scanner(change, threads).search(split(rows, 400, hidden), probes), strict=True
    ):
        check(answer, rows, probe, hidden)
        assert answer.scanned


def test_a_cut_below_the_answer_is_proof_enough(make_scanner: Callable[..., Scanner]) -> None:
    """A kernel may leave out what its contract asks for, where that turns out not to matter."""
    rows = make_rows(300)
    probe = Probe.of(unit(rows.halves)[7], 1, -1.0)
    (answer,) = make_scanner(lambda found: replace(found, cut=0.9)).search(split(rows, 300), [probe])
    check(answer, rows, probe)
    assert not answer.scanned


@EVERY_WAY
def test_a_kernel_that_fails_fails_the_search(make_scanner: Callable[..., Scanner], threads: int) -> None:
    with pytest.raises(ArithmeticError):
        make_scanner(broken, threads).search(split(make_rows(40_000), 5000), make_probes(1, 3))


def marked(rows: Rows) -> Rows:
    return replace(rows, marks=mark(rows.sequences, rows.halves))


def test_marked_rows_that_are_whole_are_answered(make_scanner: Callable[..., Scanner]) -> None:
    rows = marked(make_rows(500))
    probe = Probe.of(unit(rows.halves)[3], 10, -1.0)
    for change in (lambda found: found, nothing):
        (answer,) = make_scanner(change).search(split(rows, 200), [probe])
        check(answer, rows, probe)


@pytest.mark.parametrize("change", [lambda found: found, nothing], ids=["rescored", "scanned"])
def test_a_spoiled_half_is_noticed_and_its_part_named(
    make_scanner: Callable[..., Scanner], change: Callable[[Candidates], Candidates]
) -> None:
    rows = marked(make_rows(500))
    probe = Probe.of(unit(rows.halves)[450], 10, -1.0)
    rows.halves[450, 3] = np.nextafter(rows.halves[450, 3], np.float16(2))  # its smallest bit
    with pytest.raises(SpoiledRowsError, match="part 2 of the gallery") as error:
        make_scanner(change).search(split(rows, 200), [probe])
    assert error.value.part == 2


@pytest.mark.parametrize("change", [lambda found: found, nothing], ids=["rescored", "scanned"])
def test_a_spoiled_sequence_is_noticed(
    make_scanner: Callable[..., Scanner], change: Callable[[Candidates], Candidates]
) -> None:
    rows = marked(make_rows(500))
    probe = Probe.of(unit(rows.halves)[0], 10, -1.0)
    rows.sequences[0] += 1
    with pytest.raises(SpoiledRowsError) as error:
        make_scanner(change).search(split(rows, 200), [probe])
    assert error.value.part == 0


def test_a_code_that_is_not_that_of_its_vector_is_noticed(make_scanner: Callable[..., Scanner]) -> None:
    rows = make_rows(500)
    probe = Probe.of(unit(rows.halves)[250], 10, -1.0)
    rows.codes[260] = rows.codes[250]
    with pytest.raises(SpoiledRowsError) as error:
        make_scanner().search(split(rows, 200), [probe])
    assert error.value.part == 1


def test_rows_no_answer_needs_are_not_looked_at(make_scanner: Callable[..., Scanner]) -> None:
    """A checksum of every row would take longer than the search; writing and reading files checks them."""
    rows = marked(make_rows(500))
    probe = Probe.of(unit(rows.halves)[250], 1, 0.9)
    rows.halves[0] = -rows.halves[0]
    (answer,) = make_scanner().search(split(rows, 200), [probe])
    assert answer.sequences.tolist() == [rows.sequences[250]]


def test_equal_rows_have_equal_cosines_wherever_they_lie() -> None:
    rows = unit(np.repeat(make_halves(1, 6), 1001, 0))
    vector = unit(make_halves(1, 7))[0]
    assert len(set(cosine(rows, vector).tolist()) | set(cosine(rows[:1], vector).tolist())) == 1
    assert cosine(rows[:0], vector).shape == (0,)
