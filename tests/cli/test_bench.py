# SPDX-License-Identifier: Apache-2.0
"""`overt bench` prints the figures it promises. Nothing here says how large they must be: machines differ."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import bench, pictures
from overt.cli.home import engine

PEER = importlib.util.find_spec("face_recognition") is not None
QUICK = ("bench", "faces", "--rounds", "1", "--seconds", "1", "--clients", "1")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Home, and the folder of temporary files, of the user who measures."""
    return {name: str(tmp_path_factory.mktemp(name.lower())) for name in ("HOME", "TMPDIR")}


@pytest.fixture(scope="module")
def measured(overt: Callable[..., Any], photos: Path, places: dict[str, str]) -> dict[str, Any]:
    done = overt(*QUICK, "--photos", photos, "--json", **places)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_says_what_was_measured_and_where(measured: dict[str, Any]) -> None:
    assert measured.keys() == {"machine", "pictures", "cpu_ms_per_picture", "http", "face_recognition"}
    assert "cores" in measured["machine"]
    assert measured["pictures"] == "5 portraits, 640 px"


def test_every_stage_has_its_time(measured: dict[str, Any]) -> None:
    stages = measured["cpu_ms_per_picture"]
    assert stages.keys() == {"decode", "detect", "describe", "align", "embed", "detect+align+embed"}
    assert all(0 < value < 10_000 for value in stages.values())
    total = stages["detect"] + stages["align"] + stages["embed"]
    assert stages["detect+align+embed"] == pytest.approx(total, abs=0.02)


def test_the_server_has_its_figures(measured: dict[str, Any]) -> None:
    figures = measured["http"]
    assert figures.keys() == {
        "ready after, s",
        "memory when idle, MB (workers included)",
        "DetectFaces per second (1 boto3 clients on the same cores)",
        "p50, ms",
        "p95, ms",
    }
    assert all(value > 0 for value in figures.values())
    assert figures["p50, ms"] <= figures["p95, ms"]
    assert 50 < figures["memory when idle, MB (workers included)"] < 100_000


@pytest.mark.skipif(PEER, reason="face_recognition is installed")
def test_without_face_recognition_it_says_so_and_compares_nothing(measured: dict[str, Any]) -> None:
    assert measured["face_recognition"].keys() == {"not measured"}
    assert "pip install face_recognition" in measured["face_recognition"]["not measured"]


@pytest.mark.skipif(not PEER, reason="face_recognition is not installed")
def test_with_face_recognition_it_is_measured_on_the_same_pictures(measured: dict[str, Any]) -> None:
    peer = measured["face_recognition"]
    assert all(peer[name] > 0 for name in ("detect", "embed", "times_slower"))
    assert peer["pictures with a face found"].endswith(" of 5")


def test_people_see_the_same_figures(measured: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    bench._print_faces(measured)
    shown = " ".join(capsys.readouterr().out.split())
    for table in ("cpu_ms_per_picture", "http", "face_recognition"):
        for name, value in measured[table].items():
            assert f"{name} {value}" in shown


def test_nothing_is_left_behind(measured: dict[str, Any], places: dict[str, str]) -> None:
    """Neither in the user's home, whose data it does not touch, nor among temporary files."""
    assert [list(Path(folder).iterdir()) for folder in places.values()] == [[], []]


def test_keys_of_another_service_do_not_matter(overt: Callable[..., Any], photos: Path) -> None:
    """Who measures may have AWS credentials about; the server it starts has its own."""
    others = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "other", "AWS_PROFILE": "none"}
    done = overt(*QUICK, "--photos", photos, "--json", **others)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["http"]["p50, ms"] > 0


def test_more_clients_than_the_time_has_room_for_are_no_error(overt: Callable[..., Any], photos: Path) -> None:
    """Making them takes a while; what is measured begins when they are there."""
    done = overt(*QUICK[:-1], "16", "--photos", photos, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["http"]
    assert figures["DetectFaces per second (16 boto3 clients on the same cores)"] > 0


# --- bench pictures ---


@pytest.fixture(scope="module")
def seen(overt: Callable[..., Any], photos: Path, places: dict[str, str]) -> dict[str, Any]:
    done = overt("bench", "pictures", *QUICK[2:], "--photos", photos, "--json", **places)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_picture_operation_has_its_figures(seen: dict[str, Any]) -> None:
    assert seen["pictures"] == "6 photos, 640 px, and a sign of 500 px"
    assert seen["clients"] == "1 boto3 clients on the same cores"
    assert seen["not_measured"] == {}
    assert list(seen["operations"]) == [
        "DetectLabels",
        "DetectModerationLabels",
        "DetectText, sign of 6 lines",
        "DetectText, no text",
        "IMAGE_PROPERTIES",
        "DetectProtectiveEquipment",
    ]
    for figures in seen["operations"].values():
        assert figures.keys() == {"cpu_ms_per_picture", "pictures_per_second", "p50_ms", "p95_ms"}
        assert all(value > 0 for value in figures.values())
        assert figures["p50_ms"] <= figures["p95_ms"]


def test_the_server_of_pictures_has_its_figures(seen: dict[str, Any]) -> None:
    ready, before, loaded, after = seen["server"].values()
    assert ready > 0
    assert 50 < before < loaded <= after * 1.2
    assert after < 100_000


def test_people_see_the_figures_of_pictures(seen: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    bench._print_pictures(seen | {"not_measured": {"DetectNothing": "no model"}})
    shown = " ".join(capsys.readouterr().out.split())
    for name, figures in seen["operations"].items():
        assert " ".join(map(str, (name, *figures.values()))) in shown
    for name, value in seen["server"].items():
        assert f"{name} {value}" in shown
    assert "DetectNothing: not measured: no model" in shown


def test_an_operation_without_its_model_is_named_and_not_measured(tmp_path: Path) -> None:
    (tmp_path / "models" / "text_detect").mkdir(parents=True)
    picture = (pictures.sign(),)
    plan = {
        "reading": bench.Work("DetectText", "detect_text", picture),
        "colours": bench.Work("DetectLabels", "detect_labels", picture, {"Features": ["IMAGE_PROPERTIES"]}),
    }
    with engine(tmp_path) as opened:
        spent, refused = bench._spent(opened, plan, 1)
    assert spent.keys() == {"colours"}
    assert refused.keys() == {"reading"}
    assert "text_detect" in refused["reading"]


@pytest.mark.parametrize("arguments", [("--rounds", "0"), ("--seconds", "0"), ("--clients", "0"), ("--rounds", "many")])
def test_numbers_that_measure_nothing_are_refused(overt: Callable[..., Any], arguments: tuple[str, str]) -> None:
    done = overt("bench", "faces", *arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
