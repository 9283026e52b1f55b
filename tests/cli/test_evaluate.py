# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import runs
from overt.cli.evaluate import Pair, read_pairs
from overt.cli.output import CommandError


def test_pairs_of_lfw_are_read_fold_by_fold(tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text("2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nBob\t1\t2\nBob\t4\tAnn\t1\n")
    assert read_pairs(file) == [
        Pair("Ann/Ann_0001", "Ann/Ann_0002", same=True, fold=0),
        Pair("Ann/Ann_0001", "Bob/Bob_0003", same=False, fold=0),
        Pair("Bob/Bob_0001", "Bob/Bob_0002", same=True, fold=1),
        Pair("Bob/Bob_0004", "Ann/Ann_0001", same=False, fold=1),
    ]


def test_without_a_first_line_all_pairs_are_one_fold(tmp_path: Path) -> None:
    file = tmp_path / "pairs.txt"
    file.write_text("Ann 1 2\nAnn 1 Bob 3\n")
    assert [pair.fold for pair in read_pairs(file)] == [0, 0]


@pytest.mark.parametrize("text", ["Ann 1\n\n", "Ann one two\n", "a b c d e\n", ""])
def test_a_line_that_is_no_pair_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(CommandError, match="pair"):
        read_pairs(tmp_path / "pairs.txt")


def test_real_people_are_told_apart(told: Callable[..., Any], shared_data: Path, tmp_path: Path) -> None:
    """A pairs file of all pairs of the labelled photos, in the layout of LFW."""
    source, images = shared_data / "azure_faces", tmp_path / "images"
    with (source / "labels.csv").open() as file:
        labels = [(row["file"], row["person"]) for row in csv.DictReader(file) if "+" not in row["person"]]
    numbered: dict[str, list[int]] = {}
    for name, person in labels:
        if person.startswith("other") or "(" in person:
            continue
        number = len(numbered.setdefault(person, [])) + 1
        numbered[person].append(number)
        target = images / person / f"{person}_{number:04d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "images" / name, target)
    shown = [(person, number) for person, numbers in numbered.items() for number in numbers]
    lines = [f"{a} {i} {j}" if a == b else f"{a} {i} {b} {j}" for (a, i), (b, j) in itertools.combinations(shown, 2)]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    result = told("eval", "verify", "--pairs", tmp_path / "pairs.txt", "--images", images)
    assert (result["genuine_pairs"], result["impostor_pairs"], result["pairs_without_a_face"]) == (10, 68, 0)
    assert result["genuine_least"] > 0.6
    assert result["impostor_most"] < 0.35
    points = {point["fmr"]: point for point in result["operating_points"]}
    assert "insufficient" in points[1e-3]
    assert "insufficient" in points[1e-2]


def test_folds_give_an_accuracy(told: Callable[..., Any], photos: Path, tmp_path: Path) -> None:
    for person, names in {"o": ["obama.jpg", "obama2.jpg", "obama3.jpg"], "b": ["biden.jpg"]}.items():
        (tmp_path / person).mkdir()
        for number, name in enumerate(names, 1):
            shutil.copy(photos / name, tmp_path / person / f"{person}_{number:04d}.jpg")
    (tmp_path / "pairs.txt").write_text("2 1\no 1 2\no 1 b 1\no 2 3\no 3 b 1\n")
    record = tmp_path / "run.json"
    result = told("eval", "verify", "--pairs", tmp_path / "pairs.txt", "--images", tmp_path, "--record", record)
    kept = runs.read(record)
    assert kept["results"] == result
    assert (kept["data"]["pictures"], kept["data"]["people"]) == (4, 2)
    assert (result["folds"], result["accuracy"], result["accuracy_standard_error"]) == (2, 1.0, 0.0)


def test_a_missing_picture_is_told(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("a 1 2\n")
    done = overt("eval", "verify", "--pairs", tmp_path / "pairs.txt", "--images", tmp_path, "--home", home)
    assert done.returncode == 1
    assert "a_0001.jpg" in done.stderr
