# SPDX-License-Identifier: Apache-2.0
"""`overt bench search`: how fast and how exact is a search among so many faces, and what would other engines find?

All look for the same synthetic people in the same gallery, and are held against brute force.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from overt.cli import bench_store, brute, measuring, output, peers
from overt.cli.brute import Nearest
from overt.cli.peers import Maker, Peer
from overt.cli.people import Halves, Statistics, draw
from overt.stores import kernels
from overt.stores.codes import Numbers, Probe, Rows, quantise, unit
from overt.stores.exact import PART, Answer, Part, Scanner
from overt.stores.kernels.base import Kernel
from overt.types import Floats

_LIMIT = 80  # rows a search asks for, as SearchFacesByImage does when it is not told
_FLOOR = 0.36  # cosine that every second search of the check asks for; the others ask for any
_SHORT = 10  # rows that are asked for beside other engines: as many as recall is counted of
_TOGETHER = 64  # probes of a batch
_TIMED = 200  # probes of single searches
_FLAT_MOST = 2_000_000  # faces for exact peers, which hold float32 vectors


@dataclass(frozen=True, slots=True)
class _Trial:
    """A gallery and what is looked for in it.

    halves: (n, dimension) float16. persons: (n,), whose pictures they are. vectors: (q, dimension) unit rows, and
    people: (q,), whose those are. truth: q answers, the `_LIMIT` nearest. seconds: to search with an engine for one
    probe after the other, and again for many together.
    """

    halves: Halves
    persons: Numbers
    vectors: Floats
    people: Numbers
    truth: Sequence[Nearest]
    seconds: float

    def asking(self, most: int) -> _Trial:
        """The same with so many probes at most."""
        count = len(self.vectors)
        some = np.arange(min(most, count)) * count // min(most, count)
        return replace(
            self,
            vectors=self.vectors[some],
            people=self.people[some],
            truth=[self.truth[number] for number in some.tolist()],
        )

    def among(self, most: int) -> _Trial:
        """The same in a smaller gallery, if it has more than so many faces; all people looked for are in it."""
        if len(self.halves) <= most:
            return self
        rows = np.flatnonzero(np.isin(self.persons, self.people))
        rows = np.union1d(rows, np.setdiff1d(np.arange(most), rows)[: max(most - len(rows), 0)])
        halves = self.halves[rows]
        truth = brute.nearest(halves, self.vectors, _LIMIT, -1.0)
        return replace(self, halves=halves, persons=self.persons[rows], truth=truth)

    def marks(self, found: Sequence[Numbers]) -> dict[str, float]:
        """How good answers (rows, best first) to the first probes are."""
        first = [rows[0] for rows in found]
        truly = [nearest.rows[0] for nearest in self.truth[: len(found)]]
        people = self.people[: len(found)]
        return {
            **{f"recall@{most}": self._recall(found, most) for most in (1, _SHORT)},
            "rank1": round(float((self.persons[first] == people).mean()), 4),
            "rank1_exact": round(float((self.persons[truly] == people).mean()), 4),
        }

    def _recall(self, found: Sequence[Numbers], most: int) -> float:
        pairs = [(rows[:most], true.rows[:most]) for rows, true in zip(found, self.truth, strict=False)]
        return round(float(np.mean([np.isin(true, rows).mean() for rows, true in pairs])), 4)


def search(
    faces: Annotated[int, typer.Option(min=1, help="Size of the gallery.")] = 1_000_000,
    dimension: Annotated[int, typer.Option(min=2, max=512, help="Numbers in a vector.")] = 128,
    check: Annotated[int, typer.Option(min=1, help="Searches whose answers are held against brute force.")] = 200,
    graphs: Annotated[
        int, typer.Option(min=0, help="Faces that other engines' graphs are built of, which is slow; 0 builds none.")
    ] = 30_000,
    spread: Annotated[
        Path | None,
        typer.Option("--statistics", help="An .npz file of mu, Sb and Sw: the spread of real embeddings to imitate."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="How long to search with each engine, twice.")] = 2,
    as_json: output.JsonOption = False,
) -> None:
    """Measure searches: time, share of what memory allows, exactness, and other engines beside ours."""
    known = Statistics.read(spread) if spread else Statistics.assumed(dimension)
    crowd = draw(known, faces, check)
    truth = brute.nearest(crowd.halves, crowd.vectors, _LIMIT, -1.0)
    persons = crowd.person(np.arange(faces))
    trial = _Trial(crowd.halves, persons, crowd.vectors, crowd.people, truth, seconds)
    cores = os.cpu_count() or 1
    speeds = {threads: measuring.bandwidth(threads) for threads in sorted({1, cores})}
    least_ms = faces * (crowd.halves.shape[1] + 4) / max(speeds.values()) * 1000
    started = time.perf_counter()
    rows = quantise(np.arange(faces, dtype=np.int64), crowd.halves)
    quantised = time.perf_counter() - started
    rungs = kernels.available()
    result = {
        "machine": measuring.machine(),
        "gallery": f"{faces:,} faces of {persons[-1] + 1:,} synthetic people, {crowd.halves.shape[1]} numbers each",
        "figures": {
            "a stranger's cosine, mean and standard deviation": _cosines(trial, same=False),
            "a person's own, mean and standard deviation": _cosines(trial, same=True),
            **{f"memory read, threads: {threads}, GB/s": round(speed / 1e9, 1) for threads, speed in speeds.items()},
            "least ms to read codes and scales": round(least_ms, 2),
            "faces quantised a second, one thread": round(faces / quantised),
        },
        "kernels": [
            _kernel(kernel, rows, trial if kernel is rungs[0] else trial.asking(_TIMED), cores, least_ms)
            for kernel in rungs
        ],
        "store": bench_store.measure(crowd.halves, crowd.vectors[:_TIMED], _LIMIT, seconds),
        "others": list(_others(trial.asking(_TIMED), graphs, rungs[0], cores)),
    }
    output.show(result, lambda: _print(result), as_json=as_json)


def _cosines(trial: _Trial, *, same: bool) -> str:
    """Of each probe with a picture of its own person, or with one half a gallery away."""
    rows = np.searchsorted(trial.persons, trial.people)
    if not same:
        rows = (rows + len(trial.halves) // 2) % len(trial.halves)
    cosines = (unit(trial.halves[rows]) * trial.vectors).sum(axis=1)
    return f"{cosines.mean():.3f}, {cosines.std():.3f}"


# --- ours ---


def _kernel(kernel: Kernel, rows: Rows, trial: _Trial, cores: int, least_ms: float) -> dict[str, Any]:
    """One kernel's figures, of whole certified searches."""
    parts = _parts(rows)
    scanner = Scanner(kernel, cores)
    timed = trial.asking(_TIMED)
    probes = [Probe.of(vector, _LIMIT, -1.0) for vector in timed.vectors]
    answers = scanner.search(parts, probes[:1])
    answers.clear()  # the first search may make ready what later ones use

    def ask(probe: Probe) -> None:
        answers.extend(scanner.search(parts, [probe]))

    spent = measuring.spans((partial(ask, probe) for probe in probes), trial.seconds)
    batch = list(itertools.islice(itertools.cycle(probes), _TOGETHER))
    batches = measuring.spans(itertools.repeat(lambda: scanner.search(parts, batch)), trial.seconds)
    differences, scanned = _differences(scanner, parts, trial)
    scanner.close()
    p50 = float(np.percentile(spent, 50)) * 1000
    return {
        "engine": kernel.name,
        "p50_ms": round(p50, 2),
        "p99_ms": round(float(np.percentile(spent, 99)) * 1000, 2),
        "times_least": round(p50 / least_ms, 2),
        "searches_per_second": round(_TOGETHER * len(batches) / sum(batches), 1),
        "rescored": int(np.median([answer.rescored for answer in answers])),
        **timed.marks([answer.sequences for answer in answers]),
        "checked": len(trial.vectors),
        "differences": differences,
        "without_proof": scanned,
    }


def _parts(rows: Rows) -> list[Part]:
    return [Part(part) for part in rows.parts(PART)]


def _differences(scanner: Scanner, parts: Sequence[Part], trial: _Trial) -> tuple[int, int]:
    """How many answers are not those of brute force, row for row, and how many needed a scan of all vectors."""
    floors = itertools.cycle((-1.0, _FLOOR))
    probes = [Probe.of(vector, _LIMIT, floor) for vector, floor in zip(trial.vectors, floors, strict=False)]
    answers: list[Answer] = []
    for start in range(0, len(probes), _TOGETHER):
        answers += scanner.search(parts, probes[start : start + _TOGETHER])
    pairs = zip(answers, probes, trial.truth, strict=True)
    wrong = sum(not _equal(answer, probe.floor, true) for answer, probe, true in pairs)
    return wrong, sum(answer.scanned for answer in answers)


def _equal(answer: Answer, floor: float, true: Nearest) -> bool:
    """Row numbers are this gallery's sequences."""
    reach = true.cosines >= floor
    same = np.array_equal(answer.sequences, true.rows[reach])
    return same and np.allclose(answer.cosines, true.cosines[reach], rtol=0, atol=1e-9)


# --- others ---


def _others(trial: _Trial, graphs: int, kernel: Kernel, cores: int) -> Iterator[dict[str, Any]]:
    """Figures of each engine that is installed, with the same gallery or, where it says so, a smaller one."""
    yield from _beside(peers.EXACT, trial.among(_FLAT_MOST))
    if not graphs:
        yield from ({"engine": name, "not_measured": "graphs were not asked for"} for name in peers.GRAPHS)
        return
    smaller = trial.among(graphs)
    yield from _beside(peers.GRAPHS, smaller)
    scanner = Scanner(kernel, cores)
    started = time.perf_counter()
    rows = quantise(np.arange(len(smaller.halves), dtype=np.int64), smaller.halves)
    parts = _parts(rows)

    def find(vectors: Floats, limit: int) -> npt.NDArray[np.int64]:
        answers = scanner.search(parts, [Probe.of(vector, limit, -1.0) for vector in vectors])
        return np.stack([answer.sequences[:limit] for answer in answers])

    bytes_per_face = (rows.codes.nbytes + rows.scales.nbytes + rows.halves.nbytes) / len(rows)
    ours = Peer(f"overt, {kernel.name}", find, bytes_per_face)
    yield _peer(ours, smaller, time.perf_counter() - started)
    scanner.close()


def _beside(makers: dict[str, Maker], trial: _Trial) -> Iterator[dict[str, Any]]:
    for name, make in makers.items():
        started = time.perf_counter()
        try:
            for peer in make(unit(trial.halves)):
                yield _peer(peer, trial, time.perf_counter() - started)
        except ImportError:
            yield {"engine": name, "not_measured": "not installed"}


def _peer(peer: Peer, trial: _Trial, built: float) -> dict[str, Any]:
    limit = min(_SHORT, len(trial.halves))
    found: list[Numbers] = []

    def ask(vector: Floats) -> None:
        found.extend(peer.find(vector[np.newaxis], limit))

    spent = measuring.spans((partial(ask, vector) for vector in trial.vectors), trial.seconds)
    batch = np.resize(trial.vectors, (_TOGETHER, trial.vectors.shape[1]))
    batches = measuring.spans(itertools.repeat(lambda: peer.find(batch, limit)), trial.seconds)
    return {
        "engine": peer.name,
        "faces": len(trial.halves),
        "p50_ms": round(float(np.percentile(spent, 50)) * 1000, 2),
        "p99_ms": round(float(np.percentile(spent, 99)) * 1000, 2),
        "searches_per_second": round(_TOGETHER * len(batches) / sum(batches), 1),
        **trial.marks(found),
        "bytes_per_face": round(peer.bytes_per_face, 1),
        "ready_after_s": round(built, 2),
    }


# --- for people ---

_OURS = {
    "engine": "kernel",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "times_least": "times the least",
    "searches_per_second": f"searches/s, {_TOGETHER} at once",
    "rescored": "rescored",
    "recall@1": "recall@1",
    f"recall@{_SHORT}": f"recall@{_SHORT}",
    "rank1": "rank-1",
    "rank1_exact": "rank-1 of brute force",
    "checked": "checked",
    "differences": "differences",
    "without_proof": "without proof",
}
_THEIRS = {
    "engine": "engine",
    "faces": "faces",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "searches_per_second": f"searches/s, {_TOGETHER} at once",
    "recall@1": "recall@1",
    f"recall@{_SHORT}": f"recall@{_SHORT}",
    "rank1": "rank-1",
    "rank1_exact": "rank-1 of brute force",
    "bytes_per_face": "bytes a face",
    "ready_after_s": "ready after, s",
}


def _print(result: dict[str, Any]) -> None:
    output.line(f"{result['machine']}; {result['gallery']}\n")
    output.table(("", ""), result["figures"].items())
    output.line(f"\nCertified searches for the {_LIMIT} nearest")
    output.table(list(_OURS.values()), [[row[key] for key in _OURS] for row in result["kernels"]])
    output.line("\nThe same gallery in a store, searched with the first of these kernels")
    output.table(("", ""), result["store"].items())
    output.line(f"\nSearches for the {_SHORT} nearest, as other engines do them")
    measured = [row for row in result["others"] if "not_measured" not in row]
    output.table(list(_THEIRS.values()), [[row[key] for key in _THEIRS] for row in measured])
    for row in result["others"]:
        if "not_measured" in row:
            output.line(f"{row['engine']}: {row['not_measured']}")
