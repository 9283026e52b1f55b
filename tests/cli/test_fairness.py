# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.cli import fairness
from overt.cli.output import CommandError
from overt.engine import Engine
from overt.govern.identification import Labelled


def people(groups: list[str], pictures: int = 1) -> fairness.People:
    names = [f"p{number}" for number in range(len(groups))]
    files = {name: [Path(f"{name}-{one}.jpg") for one in range(pictures)] for name in names}
    return fairness.People(("group",), files, dict(zip(names, ((group,) for group in groups), strict=True)), named=True)


def vectors(groups: list[str], closeness: dict[str, float], seed: int = 0) -> np.ndarray:
    """Unit rows; how much everybody in a group has in common is its closeness."""
    random = np.random.default_rng(seed)
    centres = {group: random.standard_normal(128) for group in sorted(closeness)}
    rows = np.array([random.standard_normal(128) + closeness[group] * centres[group] for group in groups])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_group_of_people_alike_is_found_and_named(engine: Engine) -> None:
    groups = ["a", "b"] * 250
    rows = vectors(groups, {"a": 0.3, "b": 0.42})
    labelled = Labelled(rows, np.ones(500, bool), [[row] for row in range(500)])
    result = fairness.measure(labelled, people(groups), engine.models.faces.calibration, [60.0], 1.25, 0)
    told = result["views"][0]["false_matches"]
    assert told["worst"] == "b"
    verdicts = {one["group"]: one["verdict"] for one in told["groups"]}
    assert verdicts == {"a": "WITHIN", "b": "EXCEEDS"}
    assert told["chance"] < 0.01
    assert result["views"][0]["false_non_matches"] is None
    assert result["genuine_pairs"] == 0
    close = rows @ rows.T >= result["views"][0]["cosine"]
    assert told["all"]["count"] == (close.sum() - 500) / 2


def test_second_pictures_give_misses_by_group(engine: Engine) -> None:
    groups = ["a", "b"] * 50
    random = np.random.default_rng(1)
    first = vectors(groups, {"a": 0, "b": 0})
    blur = np.where(np.array(groups) == "b", 0.2, 0.02)[:, np.newaxis]
    second = first + blur * random.standard_normal(first.shape).astype(np.float32)
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    rows = np.stack([first, second], axis=1).reshape(200, -1).astype(np.float32)
    present = np.ones(200, bool)
    present[0] = False
    labelled = Labelled(rows, present, [[2 * one, 2 * one + 1] for one in range(100)])
    result = fairness.measure(labelled, people(groups, 2), engine.models.faces.calibration, [99.0], 1.25, 0)
    told = result["views"][0]["false_non_matches"]
    assert told["worst"] == "b"
    assert result["genuine_pairs"] == 99
    assert [one["n"] for one in told["groups"]] == [49, 50]


def test_the_report_never_says_that_there_is_no_bias(
    told: Callable[..., Any], overt: Callable[..., Any], photos: Path, home: Path, tmp_path: Path
) -> None:
    for name in ("obama.jpg", "biden.jpg", "astronaut.png"):
        shutil.copy(photos / name, tmp_path / name)
    (tmp_path / "groups.csv").write_text("file,sex,age\nobama.jpg,m,50\nbiden.jpg,m,70\nastronaut.png,f,50\n")
    arguments = ("report", "fairness", tmp_path, "--groups", tmp_path / "groups.csv", "--by", "sex", "--by", "age")
    html, record = tmp_path / "report.html", tmp_path / "run.json"
    document = told(*arguments, "--html", html, "--record", record)
    assert json.loads(record.read_text()) == document
    views = document["results"]["views"]
    assert [view["by"] for view in views] == ["sex", "age", "sex x age"]
    assert {one["verdict"] for view in views for one in view["false_matches"]["groups"]} == {"INSUFFICIENT"}
    done = overt(*arguments, "--home", home)
    assert done.returncode == 0, done.stderr
    for text in (done.stdout, html.read_text()):
        assert "INSUFFICIENT (n=" in text
        assert "is unknown" in text
        claims = text.replace("Nothing here shows that there is no bias", "")
        assert not re.search(r"no bias|unbiased|\bfair\b|\bPASS", claims, re.IGNORECASE)
        assert "obama" not in text


def test_a_list_must_say_one_thing_of_everybody(tmp_path: Path) -> None:
    file = tmp_path / "groups.csv"
    for text, reason in {
        "file,person,group\na,A,x\nb,A,y\n": "two groups",
        "file,group\na,x\na,x\n": "twice",
        "file,group\n": "no picture",
        "file,kind\na,x\n": "column group",
    }.items():
        file.write_text(text)
        with pytest.raises(CommandError, match=reason):
            fairness.read(tmp_path, file, ("group",))
    file.write_text("file,person,group\na,A,x\nb,A,x\nc,,x\n")
    known = fairness.read(tmp_path, file, ("group",))
    assert [len(files) for files in known.pictures.values()] == [2, 1]
    assert known.named


def test_real_adults_are_compared_and_misses_stay_unknown(
    told: Callable[..., Any], shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "fairface_adults_700"
    lines = (source / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join(lines[:41]) + "\n")
    document = told("report", "fairness", source / "images", "--groups", tmp_path / "labels.csv", "--by", "gender")
    (view,) = document["results"]["views"]
    assert view["false_non_matches"] is None
    assert view["false_matches"]["all"]["n"] == 40 * 39 / 2
