# SPDX-License-Identifier: Apache-2.0
"""`overt bench search` prints the figures it promises, and notices a wrong answer. It says not how fast a search is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.cli import bench_search, brute, peers
from overt.cli.people import Statistics, draw
from overt.stores import kernels
from overt.stores.codes import Probe, Rows, quantise
from overt.stores.kernels.base import Candidates, Hidden
from overt.stores.kernels.numpy import NumpyKernel

SMALL = (
    "bench",
    "search",
    "--faces",
    "3000",
    "--dimension",
    "32",
    "--check",
    "30",
    "--graphs",
    "500",
    "--seconds",
    "0.1",
)


@pytest.fixture(scope="module")
def measured(overt: Callable[..., Any]) -> dict[str, Any]:
    done = overt(*SMALL, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def trial() -> bench_search._Trial:
    crowd = draw(Statistics.assumed(16), 1000, 40)
    truth = brute.nearest(crowd.halves, crowd.vectors, bench_search._LIMIT, -1.0)
    return bench_search._Trial(crowd.halves, crowd.person(np.arange(1000)), crowd.vectors, crowd.people, truth, 0.1)


def test_it_says_what_was_measured_and_where(measured: dict[str, Any]) -> None:
    assert measured.keys() == {"machine", "gallery", "figures", "kernels", "store", "others"}
    assert "cores" in measured["machine"]
    assert measured["gallery"] == "3,000 faces of 1,000 synthetic people, 32 numbers each"
    assert any(name.startswith("memory read, threads: 1,") and value > 0 for name, value in measured["figures"].items())


def test_every_kernel_there_is_has_its_figures_and_no_difference(measured: dict[str, Any]) -> None:
    assert [row["engine"] for row in measured["kernels"]] == [kernel.name for kernel in kernels.available()]
    for row in measured["kernels"]:
        assert row.keys() == bench_search._OURS.keys()
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["searches_per_second"] > 0
        assert row["rescored"] >= bench_search._LIMIT
        assert (row["recall@1"], row["recall@10"]) == (1, 1)
        assert row["rank1"] == row["rank1_exact"]
        assert (row["checked"], row["differences"], row["without_proof"]) == (30, 0, 0)


def test_other_engines_have_theirs_or_are_said_to_be_missing(measured: dict[str, Any]) -> None:
    rows = measured["others"]
    for name in (*peers.EXACT, *peers.GRAPHS):
        assert any(row["engine"].startswith(name) for row in rows)
    for row in rows:
        if "not_measured" in row:
            assert row == {"engine": row["engine"], "not_measured": "not installed"}
            continue
        assert row.keys() == bench_search._THEIRS.keys()
        assert row["faces"] == (3000 if row["engine"] in peers.EXACT else 500)
        assert 0 <= row["recall@10"] <= 1
        assert row["bytes_per_face"] > 0
    assert rows[-1]["engine"].startswith("overt, ")
    assert (rows[-1]["recall@10"], rows[-1]["rank1"]) == (1, rows[-1]["rank1_exact"])


def test_people_see_the_same_figures(measured: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    missing = {"engine": "another", "not_measured": "not installed"}
    bench_search._print({**measured, "others": [*measured["others"], missing]})
    shown = " ".join(capsys.readouterr().out.split())
    for name, value in measured["figures"].items():
        assert f"{name} {value}" in shown
    for row in (*measured["kernels"], *(row for row in measured["others"] if "not_measured" not in row)):
        assert " ".join(map(str, row.values())) in shown
    assert "another: not installed" in shown


@pytest.mark.parametrize("faces", ["1", "2", "100"])
def test_tiny_galleries_can_be_measured(overt: Callable[..., Any], faces: str) -> None:
    done = overt("bench", "search", "--faces", faces, "--check", "3", "--graphs", "0", "--seconds", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert all(row["differences"] == 0 for row in result["kernels"])
    unasked = [row["engine"] for row in result["others"] if row.get("not_measured") == "graphs were not asked for"]
    assert unasked == list(peers.GRAPHS)


def test_statistics_of_a_file_are_used_or_refused(overt: Callable[..., Any], tmp_path: Path) -> None:
    np.savez(tmp_path / "held.npz", mu=np.ones(24), Sb=np.eye(24), Sw=np.eye(24) / 9)
    small = ("bench", "search", "--faces", "50", "--check", "2", "--graphs", "0", "--seconds", "0.1", "--statistics")
    done = overt(*small, tmp_path / "held.npz", "--json")
    assert done.returncode == 0, done.stderr
    assert "24 numbers each" in json.loads(done.stdout)["gallery"]
    refused = overt(*small, tmp_path / "none.npz")
    assert refused.returncode == 1
    assert "mu, Sb and Sw" in refused.stderr


class Lying:
    """Leaves out the best row and says that it could not be any good."""

    name = "lying"

    def scan(self, rows: Rows, probes: Sequence[Probe], hidden: Hidden | None = None) -> list[Candidates]:
        found = NumpyKernel().scan(rows, probes, hidden)
        best = [each.scores < each.scores.max() for each in found]
        return [
            replace(each, rows=each.rows[keep], scores=each.scores[keep])
            for each, keep in zip(found, best, strict=True)
        ]


def test_a_wrong_answer_is_noticed(trial: bench_search._Trial) -> None:
    rows = quantise(np.arange(1000), trial.halves)
    row = bench_search._kernel(Lying(), rows, trial, 1, 1.0)
    assert row["differences"] == row["checked"] == 40
    assert row["recall@1"] < 0.1
    assert 0 < row["recall@10"] < 1
    assert bench_search._kernel(NumpyKernel(), rows, trial, 1, 1.0)["differences"] == 0


def test_a_smaller_gallery_holds_all_people_looked_for(trial: bench_search._Trial) -> None:
    smaller = trial.asking(10).among(200)
    assert len(smaller.halves) == 200
    assert len(smaller.vectors) == 10
    for person in smaller.people:
        assert (smaller.persons == person).sum() == (trial.persons == person).sum()
    cosines = smaller.halves.astype(np.float32) @ smaller.vectors.T
    assert cosines.argmax(axis=0).tolist() == [true.rows[0] for true in smaller.truth]
    assert trial.among(1000) is trial


@pytest.mark.parametrize(
    "arguments", [("--faces", "0"), ("--dimension", "1"), ("--check", "0"), ("--graphs", "-1"), ("--seconds", "0")]
)
def test_numbers_that_measure_nothing_are_refused(overt: Callable[..., Any], arguments: tuple[str, str]) -> None:
    done = overt("bench", "search", *arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
