# SPDX-License-Identifier: Apache-2.0
"""Every kernel that can be used here, and every level of instructions, keeps to the contract and gives one answer."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.stores.base import StoreError
from overt.stores.codes import Halves, Numbers, Probe, Rows, quantise, unit
from overt.stores.exact import Part, Scanner, cosine
from overt.stores.kernels import available, choose
from overt.stores.kernels.base import Candidates, Hidden, Kernel
from overt.stores.kernels.numpy import NumpyKernel
from overt.types import Floats


def kernels() -> Iterator[Kernel]:
    yield from available()
    if importlib.util.find_spec("overt_kernels"):
        from overt.stores.kernels.native import NativeKernel, levels

        yield from [NativeKernel(level) for level in levels()[1:]]


DIMENSIONS = [8, 32, 128, 512]
KINDS = ["even", "one-hot", "coarse", "alike"]
EVERY_KERNEL = pytest.mark.parametrize("kernel", list(kernels()), ids=lambda kernel: kernel.name)


def make_halves(kind: str, count: int, dimension: int, random: np.random.Generator) -> Halves:
    """Vectors that are hard in one way each.

    one-hot: a code is the vector itself. coarse: one large component hides all others, which codes then lose.
    alike: few vectors, many times each.
    """
    rows = random.normal(size=(count, dimension))
    if kind == "one-hot":
        rows = np.eye(dimension)[random.integers(dimension, size=count)] * random.choice([-1, 1], (count, 1))
    if kind == "coarse":
        rows = np.clip(rows, -1, 1) / 260
        rows[np.arange(count), random.integers(dimension, size=count)] = 1
    if kind == "alike":
        rows = random.normal(size=(7, dimension))[random.integers(7, size=count)]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


_ROUNDED = 5e-6  # sums of 512 float32 products, which another batch adds in another order


def make_rows(halves: Halves) -> Rows:
    return quantise(np.arange(len(halves), dtype=np.int64) * 3 + 5, halves)


def make_probe(halves: Halves, limit: int, floor: float, random: np.random.Generator) -> Probe:
    """A probe that is one of the rows, is near to one, or has nothing to do with them."""
    vector = random.normal(size=halves.shape[1])
    if len(halves) and random.random() < 0.8:
        vector = halves[random.integers(len(halves))] + vector * random.choice([0.0, 0.03])
    return Probe.of((vector / np.linalg.norm(vector)).astype(np.float32), limit, floor)


def brute_force(rows: Rows, probe: Probe, hidden: Hidden) -> tuple[Numbers, npt.NDArray[np.float64]]:
    cosines = cosine(unit(rows.halves), probe.vector)
    found = np.flatnonzero((cosines >= probe.floor) & ~hidden)
    if len(found) > probe.limit:
        found = found[cosines[found] >= np.sort(cosines[found])[-probe.limit]]
    found = found[np.lexsort((found, -cosines[found]))]
    return rows.sequences[found], cosines[found]


def check_candidates(kernel: Kernel, rows: Rows, probe: Probe, hidden: Hidden, found: Candidates) -> None:
    """All that `Candidates` and `Kernel.scan` promise. Scores of rows left out come from a scan that wants all."""
    (everything,) = kernel.scan(rows, [replace(probe, limit=len(rows) + 1, floor=-1.0)])
    assert sorted(everything.rows.tolist()) == list(range(len(rows)))
    scores = np.empty(len(rows), np.float32)
    scores[everything.rows] = everything.scores
    assert (np.abs(scores - cosine(unit(rows.halves), probe.vector)) <= everything.margin).all()

    assert found.rows.dtype == np.int64
    assert found.scores.dtype == np.float32
    assert found.margin == everything.margin
    assert len(set(found.rows.tolist())) == len(found.rows)
    assert not hidden[found.rows].any()
    np.testing.assert_allclose(found.scores, scores[found.rows], atol=_ROUNDED)
    left_out = ~hidden
    left_out[found.rows] = False
    assert (scores[left_out] < found.cut + _ROUNDED).all()
    best = np.sort(scores[~hidden])[::-1]
    nth = best[probe.limit - 1] if len(best) >= probe.limit else -np.inf
    assert found.cut <= max(probe.floor - found.margin, nth - 2 * found.margin) + _ROUNDED


@EVERY_KERNEL
@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.sampled_from([0, 1, 2, 3, 5, 63, 64, 65, 301, 2000]),
    dimension=st.sampled_from(DIMENSIONS),
    kind=st.sampled_from(KINDS),
    wanted=st.lists(
        st.tuples(st.sampled_from([1, 2, 10, 80, 5000]), st.sampled_from([-1.0, 0.0, 0.25, 0.8, 1.0])),
        min_size=1,
        max_size=9,
    ),
)
def test_the_answer_is_that_of_a_scan_in_float64(
    kernel: Kernel, seed: int, count: int, dimension: int, kind: str, wanted: list[tuple[int, float]]
) -> None:
    random = np.random.default_rng(seed)
    rows = make_rows(make_halves(kind, count, dimension, random))
    hidden = random.random(count) < random.choice([0.0, 0.2, 1.0])
    probes = [make_probe(rows.halves, limit, floor, random) for limit, floor in wanted]
    edges = sorted({0, count, *random.integers(count + 1, size=2).tolist()})
    parts = [Part(rows.cut(start, stop), hidden[start:stop]) for start, stop in itertools.pairwise(edges)]
    with closing(Scanner(kernel, 2)) as scanner:
        answers = scanner.search(parts, probes)
    for probe, answer in zip(probes, answers, strict=True):
        sequences, cosines = brute_force(rows, probe, hidden)
        assert answer.sequences.tolist() == sequences.tolist()
        assert answer.cosines.tolist() == cosines.tolist()
        assert not answer.scanned, "the kernel proves its answer"


@EVERY_KERNEL
@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_candidates_are_what_the_contract_says(kernel: Kernel, dimension: int, kind: str) -> None:
    random = np.random.default_rng(dimension)
    for count in (0, 1, 7, 500, 3001):
        rows = make_rows(make_halves(kind, count, dimension, random))
        for share in (0.0, 0.3, 1.0):
            hidden = random.random(count) < share
            wanted = [(1, -1.0), (10, -1.0), (10, 0.3), (count + 1, -1.0), (80, 1.0)]
            probes = [make_probe(rows.halves, limit, floor, random) for limit, floor in wanted]
            for probe, found in zip(probes, kernel.scan(rows, probes, hidden), strict=True):
                check_candidates(kernel, rows, probe, hidden, found)


@EVERY_KERNEL
@pytest.mark.parametrize("size", [1, 2, 8, 9, 15, 16, 17, 24, 25, 33])
def test_a_batch_gives_what_each_probe_gives_alone(kernel: Kernel, size: int) -> None:
    random = np.random.default_rng(size)
    rows = make_rows(make_halves("even", 777, 128, random))
    probes = [make_probe(rows.halves, int(random.integers(1, 50)), -1.0, random) for _ in range(size)]
    for probe, found in zip(probes, kernel.scan(rows, probes), strict=True):
        (alone,) = kernel.scan(rows, [probe])
        assert set(found.rows.tolist()) == set(alone.rows.tolist())
        assert found.cut == pytest.approx(alone.cut, abs=1e-6)


@EVERY_KERNEL
def test_few_of_many_rows_come_back(kernel: Kernel) -> None:
    random = np.random.default_rng(3)
    rows = make_rows(make_halves("even", 20_000, 128, random))
    for floor in (-1.0, 0.36):
        (found,) = kernel.scan(rows, [make_probe(rows.halves, 10, floor, random)])
        assert len(found.rows) < 1000


@EVERY_KERNEL
def test_all_rows_that_tie_with_the_last_are_returned(kernel: Kernel) -> None:
    halves = np.repeat(make_halves("even", 2, 32, np.random.default_rng(1)), 3000, 0)
    (found,) = kernel.scan(make_rows(halves), [Probe.of(unit(halves)[0], 3, -1.0)])
    assert set(range(3000)) <= set(found.rows.tolist())


@EVERY_KERNEL
def test_rows_in_ascending_order_of_score_are_all_seen(kernel: Kernel) -> None:
    """The order in which the threshold rises with every row."""
    angles = np.linspace(np.pi, 0, 5000)
    rows = make_rows(np.pad(np.stack([np.cos(angles), np.sin(angles)], 1), ((0, 0), (0, 6))).astype(np.float16))
    probe = Probe.of(np.eye(8, dtype=np.float32)[0], 4, -1.0)
    (found,) = kernel.scan(rows, [probe])
    check_candidates(kernel, rows, probe, np.zeros(len(rows), np.bool_), found)


@EVERY_KERNEL
def test_many_threads_may_scan_at_once(kernel: Kernel) -> None:
    random = np.random.default_rng(4)
    rows = make_rows(make_halves("even", 3000, 128, random))
    probes = [make_probe(rows.halves, 10, -1.0, random) for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda probe: kernel.scan(rows, [probe])[0], probes))
    for probe, found in zip(probes, together, strict=True):
        assert set(found.rows.tolist()) == set(kernel.scan(rows, [probe])[0].rows.tolist())


@EVERY_KERNEL
def test_memory_of_any_alignment_is_read(kernel: Kernel) -> None:
    random = np.random.default_rng(5)
    rows = make_rows(make_halves("even", 333, 128, random))
    probe = make_probe(rows.halves, 10, -1.0, random)
    crooked = replace(rows, codes=crook(rows.codes), scales=crook(rows.scales))
    assert crooked.scales.ctypes.data % 4 == 1
    (found,), (same,) = kernel.scan(rows, [probe]), kernel.scan(crooked, [probe])
    assert found.rows.tolist() == same.rows.tolist()
    assert found.scores.tolist() == same.scores.tolist()


def crook(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only copy that starts one byte after an aligned address."""
    moved = np.empty(array.nbytes + 65, np.uint8)
    start = -moved.ctypes.data % 64 + 1
    moved[start : start + array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)
    return np.frombuffer(moved.data[start : start + array.nbytes].toreadonly(), array.dtype).reshape(array.shape)


# --- the ladder ---


def test_the_best_kernel_is_chosen_and_numpy_is_always_there() -> None:
    assert choose().name == choose("auto").name == available()[0].name
    assert available()[-1].name == choose("numpy").name == "numpy"
    assert len({kernel.name for kernel in available()}) == len(available())


def test_an_unknown_kernel_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(StoreError, match=r"no search kernel 'fast'\. Use auto, native, faiss, numpy"):
        choose("fast")


@pytest.mark.parametrize(("name", "needs"), [("native", "overt_kernels"), ("faiss", "faiss")])
def test_a_kernel_that_is_not_installed_is_passed_over(name: str, needs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, f"overt.stores.kernels.{name}", raising=False)
    monkeypatch.setitem(sys.modules, needs, None)  # how Python itself is told that there is no such module
    with pytest.raises(StoreError, match=f"'{name}' is not installed here. Use auto, or one of:.* numpy"):
        choose(name)
    assert not any(kernel.name.startswith(name) for kernel in available())
    assert choose().name


# --- the C extension, where it is built ---


@pytest.fixture
def extension() -> Any:
    return pytest.importorskip("overt_kernels", reason="overt-kernels is not built here: it needs a C compiler")


def arguments(rows: int = 5, queries: int = 2, width: int = 128) -> dict[str, Any]:
    return {
        "codes": np.ones((rows, width), np.int8),
        "scales": np.ones(rows, np.float32),
        "query_codes": np.ones((queries, width), np.int8),
        "query_scales": np.ones(queries, np.float32),
        "margins": np.zeros(queries),
        "floors": np.zeros(queries),
        "limits": np.ones(queries, np.int64),
        "hidden": None,
    }


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 150),
    queries=st.integers(0, 40),
    width=st.sampled_from([64, 128, 192, 512, 1024]),
    codes_are=st.sampled_from(["any", "extreme"]),
)
def test_every_level_adds_up_any_codes_exactly(seed: int, count: int, queries: int, width: int, codes_are: str) -> None:
    extension = pytest.importorskip("overt_kernels", reason="overt-kernels is not built here: it needs a C compiler")
    random, extreme = np.random.default_rng(seed), codes_are == "extreme"
    given = arguments(count, queries, width) | {"floors": np.full(queries, -1e9), "limits": np.full(queries, count + 1)}
    codes = random.choice([-128, 127], (count, width)) if extreme else random.integers(-128, 128, (count, width))
    others = random.choice([-127, 127], (queries, width)) if extreme else random.integers(-127, 128, (queries, width))
    given["codes"], given["query_codes"] = codes.astype(np.int8), others.astype(np.int8)
    given["scales"] = random.random(count, np.float32)
    given["query_scales"] = random.random(queries, np.float32)
    dots = others @ codes.T
    scores = dots.astype(np.float32) * (given["query_scales"][:, np.newaxis] * given["scales"])
    for level in extension.levels():
        found = extension.scan(level, *given.values())
        assert len(found) == queries
        for (numbers, values, cut), expected in zip(found, scores, strict=True):
            assert np.frombuffer(numbers, np.int64).tolist() == list(range(count))
            assert np.frombuffer(values, np.float32).tolist() == expected.tolist()
            assert cut == -1e9


def test_the_widest_codes_do_not_overflow(extension: Any) -> None:
    given = arguments(3, 1, 32_768)
    given["codes"][:] = [[-128], [127], [0]]
    given["query_codes"][:] = 127
    given |= {"floors": np.full(1, -1e12), "limits": np.full(1, 3)}
    for level in extension.levels():
        ((_, scores, _),) = extension.scan(level, *given.values())
        assert sorted(np.frombuffer(scores, np.float32).tolist()) == [-128 * 127 * 32_768, 0, 127 * 127 * 32_768]


def test_the_cut_leaves_out_no_row_by_rounding(extension: Any) -> None:
    """A row on the threshold comes back, though the threshold is no float32."""
    given = arguments(1, 1) | {"scales": np.array([0.1 / 128], np.float32)}
    given["floors"] = np.array([float(np.float32(128) * given["scales"][0])])
    for level in extension.levels():
        for margin in (0.0, 1e-12):
            ((numbers, _, cut),) = extension.scan(level, *(given | {"margins": np.array([margin])}).values())
            assert len(numbers) == 8
            assert cut <= given["floors"][0] - margin


def test_what_fell_below_the_cut_meanwhile_does_not_come_back(extension: Any) -> None:
    given = arguments(500, 1) | {"scales": np.linspace(0.1, 0.9, 500, dtype=np.float32) / 128}
    for level in extension.levels():
        ((numbers, scores, cut),) = extension.scan(level, *(given | {"margins": np.array([0.01])}).values())
        assert len(numbers) // 8 == np.count_nonzero(given["scales"] * 128 >= cut) < 20
        assert (np.frombuffer(scores, np.float32) >= cut).all()


def test_no_number_at_all_is_no_candidate(extension: Any) -> None:
    """A damaged file may hold anything."""
    given = arguments(4, 1) | {"scales": np.array([np.nan, np.inf, -np.inf, 1], np.float32)}
    for level in extension.levels():
        ((numbers, _, _),) = extension.scan(level, *given.values())
        assert 0 not in np.frombuffer(numbers, np.int64)


BAD: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], type[Exception]]] = {
    "codes that are no buffer": (lambda _: {"codes": None}, TypeError),
    "codes of another type": (lambda old: {"codes": old["codes"].view(np.uint8)}, TypeError),
    "codes as plain bytes": (lambda old: {"codes": old["codes"].tobytes()}, TypeError),
    "codes of one dimension": (lambda old: {"codes": old["codes"].ravel()}, ValueError),
    "codes of three dimensions": (lambda old: {"codes": old["codes"][np.newaxis]}, ValueError),
    "codes by columns": (lambda old: {"codes": np.asfortranarray(old["codes"])}, ValueError),
    "every other row": (lambda old: {"codes": np.ones((10, 128), np.int8)[::2]}, ValueError),
    "every other row as a memoryview": (
        lambda old: {"codes": memoryview(np.ones((10, 128), np.int8))[::2]},
        ValueError,
    ),
    "rows too narrow": (lambda old: {key: old[key][:, :32].copy() for key in ("codes", "query_codes")}, ValueError),
    "an odd width": (lambda old: {key: old[key][:, :127].copy() for key in ("codes", "query_codes")}, ValueError),
    "no width": (lambda old: {key: old[key][:, :0].copy() for key in ("codes", "query_codes")}, ValueError),
    "rows too wide": (lambda _: {key: np.ones((5, 65_536), np.int8) for key in ("codes", "query_codes")}, ValueError),
    "another width of queries": (lambda _: {"query_codes": np.ones((2, 64), np.int8)}, ValueError),
    "too few scales": (lambda old: {"scales": old["scales"][:-1]}, ValueError),
    "scales of twice the size": (lambda old: {"scales": old["scales"].astype(np.float64)}, TypeError),
    "scales in the other byte order": (lambda old: {"scales": old["scales"].astype(">f4")}, TypeError),
    "too few query scales": (lambda old: {"query_scales": old["query_scales"][:-1]}, ValueError),
    "too few margins": (lambda old: {"margins": old["margins"][:-1]}, ValueError),
    "too many floors": (lambda _: {"floors": np.zeros(3)}, ValueError),
    "too few limits": (lambda old: {"limits": old["limits"][:-1]}, ValueError),
    "limits as floats": (lambda old: {"limits": old["limits"].astype(np.float64)}, TypeError),
    "limits as small integers": (lambda old: {"limits": old["limits"].astype(np.int32)}, TypeError),
    "a limit of none": (lambda old: {"limits": old["limits"] * 0}, ValueError),
    "a limit below none": (lambda old: {"limits": -old["limits"]}, ValueError),
    "a margin below zero": (lambda old: {"margins": old["margins"] - 1}, ValueError),
    "a margin that is no number": (lambda old: {"margins": old["margins"] * np.nan}, ValueError),
    "a floor that is no number": (lambda old: {"floors": old["floors"] * np.nan}, ValueError),
    "an infinite floor": (lambda old: {"floors": old["floors"] - np.inf}, ValueError),
    "too few hidden": (lambda _: {"hidden": np.zeros(4, np.bool_)}, ValueError),
    "hidden row numbers": (lambda _: {"hidden": np.arange(5)}, TypeError),
    "hidden without an array": (lambda _: {"hidden": False}, TypeError),
    "a query code of -128": (lambda old: {"query_codes": old["query_codes"] * np.int8(-128)}, ValueError),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_buffer_raises(extension: Any, name: str) -> None:
    change, error = BAD[name]
    good = arguments()
    for level in extension.levels():
        assert len(extension.scan(level, *good.values())) == 2
        with pytest.raises(error):
            extension.scan(level, *(good | change(good)).values())


def test_an_unknown_level_or_number_of_arguments_raises(extension: Any) -> None:
    for level in ("avx1024", ""):
        with pytest.raises(ValueError, match=f"no level '{level}'"):
            extension.scan(level, *arguments().values())
    with pytest.raises(TypeError):
        extension.scan("plain")
    with pytest.raises(TypeError):
        extension.scan(None, *arguments().values())


def test_native_is_named_after_its_instructions(extension: Any) -> None:
    assert choose("native").name == f"native {extension.levels()[0]}"
    assert extension.levels()[-1] == "plain"


def test_numpy_reads_the_probes_as_they_are() -> None:
    """Why it is the reference: its margin is that of the rows alone."""
    rows = make_rows(make_halves("even", 100, 32, np.random.default_rng(6)))
    vector: Floats = unit(rows.halves)[0]
    (found,) = NumpyKernel().scan(rows, [Probe.of(vector, 1, -1.0)])
    assert found.margin == pytest.approx(rows.residual, abs=2e-4)
