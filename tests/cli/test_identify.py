# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.cli import identify
from overt.cli.people import Statistics, draw
from overt.cli.sample import Sample
from overt.engine import Engine
from overt.govern.identification import Labelled


def crowd(people: int, dimension: int = 128) -> Sample:
    drawn = draw(Statistics.assumed(dimension), people * 2, 0, per_person=2)
    vectors = drawn.halves.astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labelled = Labelled(vectors, np.ones(2 * people, bool), [[2 * one, 2 * one + 1] for one in range(people)])
    return Sample(tuple(Path(f"{row}.jpg") for row in range(2 * people)), labelled, {})


def test_more_enrolled_find_more_strangers_and_ranks_rise(engine: Engine) -> None:
    calibration = engine.models.faces.calibration
    result = identify.measure(crowd(400), calibration, [10, 100, 300], 5, seed=1)
    assert result == identify.measure(crowd(400), calibration, [10, 100, 300], 5, seed=1)
    at_80 = [one["thresholds"][0]["fpir"]["value"] for one in result["sizes"]]
    assert at_80 == sorted(at_80)
    assert at_80[2] > 3 * at_80[0]
    for one in result["sizes"]:
        hits = [each["value"] for each in one["cmc"]]
        assert hits == sorted(hits)
        assert len(hits) == min(50, one["size"])
        fpirs = [point[1] for point in one["det"]]
        assert fpirs == sorted(fpirs, reverse=True)
    (point,) = [point for point in result["sizes"][1]["operating_points"] if point["fpir"] == 0.01]
    assert point["observed"]["value"] <= 0.01
    assert "INSUFFICIENT (n=" in result["sizes"][2]["operating_points"][0]["insufficient"]


def test_pictures_of_people_are_searched_and_told(
    told: Callable[..., Any], overt: Callable[..., Any], photos: Path, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text(
        "".join(
            f"{file},{person}\n"
            for file, person in [
                ("file", "person"),
                (photos / "obama.jpg", "<b>Obama</b>"),
                (photos / "obama2.jpg", "<b>Obama</b>"),
                (photos / "biden.jpg", "Biden"),
                (photos / "astronaut.png", "Collins"),
                (photos / "coffee.png", "Nobody"),
            ]
        )
    )
    html, record = tmp_path / "report.html", tmp_path / "run.json"
    document = told(
        "eval", "identify", tmp_path / "people.csv", "--size", "3", "--html", html, "--record", record, "--repeats", "9"
    )
    assert json.loads(record.read_text()) == document
    result = document["results"]
    assert (result["people"], result["people_with_two_pictures"], result["without_a_face"]) == (4, 1, 1)
    assert result["failure_to_enrol"]["count"] == 1
    (one,) = result["sizes"]
    assert one["thresholds"][-1]["fpir"]["value"] == 0
    assert one["cmc"][0]["value"] == 1
    assert html.read_text().count("<svg") == 2
    assert "Obama" not in html.read_text() + record.read_text()
    done = overt("eval", "identify", tmp_path / "people.csv", "--home", home)
    assert "INSUFFICIENT" in done.stdout
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("size", ["0", "4"])
def test_a_size_that_leaves_nobody_is_refused(overt: Callable[..., Any], home: Path, tmp_path: Path, size: str) -> None:
    (tmp_path / "people.csv").write_text("file,person\na,A\nb,B\nc,C\nd,D\n")
    done = overt("eval", "identify", tmp_path / "people.csv", "--size", size, "--home", home)
    assert done.returncode == 1
    assert "1 to 3" in done.stderr
