# SPDX-License-Identifier: Apache-2.0
"""Faces get ends from the command line, moments are unmistakable, and each change leaves a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli.home import engine
from overt.testing.stores import NOON, make_faces, make_vectors

IDS = ("face-00000", "face-00001", "face-00002")


@pytest.fixture
def enrolled(home: Path) -> Path:
    with engine(home) as opened, opened.stores.write() as unit:
        people = unit.collections.create(opened.settings.account, "people", "model-1", NOON)
        unit.faces.add(people, "image", "ann", make_faces(make_vectors(3, seed=1)))
    return home


def ends(told: Callable[..., Any]) -> dict[str, str]:
    return {face["FaceId"]: face["Expires"] for face in told("faces", "expiries", "people")["Faces"]}


@pytest.mark.usefixtures("enrolled")
def test_ends_are_given_shown_and_taken_away(told: Callable[..., Any]) -> None:
    done = told("faces", "expire", "people", *IDS[:2], "--on", "2099-01-31T18:00+01:00")
    assert done == {
        "CollectionId": "people",
        "Expires": "2099-01-31T17:00:00+00:00",
        "Faces": list(IDS[:2]),
        "FacesNotFound": [],
    }
    told("faces", "expire", "people", IDS[2], "--days", "1.5")
    (third, moment), *others = ends(told).items()
    assert third == IDS[2]
    left = dt.datetime.fromisoformat(moment) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=1.4) < left < dt.timedelta(days=1.5)
    assert dict(others) == dict.fromkeys(IDS[:2], "2099-01-31T17:00:00+00:00")
    assert told("faces", "expire", "people", IDS[2], "--never")["Expires"] is None
    assert set(ends(told)) == set(IDS[:2])


def test_faces_that_are_not_there_are_told(overt: Callable[..., Any], enrolled: Path) -> None:
    done = overt("faces", "expire", "people", IDS[0], "nobody", "--days", "1", "--home", enrolled)
    assert (done.returncode, "not found: nobody" in done.stdout, "1 faces of people end" in done.stdout) == (
        1,
        True,
        True,
    )
    assert IDS[0] in overt("faces", "expiries", "people", "--home", enrolled).stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "one of"),
        (["--days", "1", "--never"], "one of"),
        (["--on", "2099-01-31T18:00"], "has no zone; write it like 2099-01-31T18:00+00:00"),
        (["--on", "tomorrow"], "no moment"),
        (["--on", "2020-01-31T18:00Z"], "has passed"),
        (["--days", "1e9"], "beyond the calendar"),
    ],
)
def test_moments_are_unmistakable(overt: Callable[..., Any], enrolled: Path, options: list[str], words: str) -> None:
    refused = overt("faces", "expire", "people", IDS[0], *options, "--home", enrolled)
    assert (refused.returncode, words in refused.stderr) == (1, True), refused.stderr
    assert "no face of people has an end" in overt("faces", "expiries", "people", "--home", enrolled).stdout


def test_changes_leave_a_row(told: Callable[..., Any], enrolled: Path) -> None:
    told("faces", "expire", "people", IDS[0], "--days", "1")
    told("faces", "expiries", "people")
    with engine(enrolled) as opened, opened.stores.read() as unit:
        assert [event.operation for event in unit.records.tail(10)] == ["ListExpiries", "ExpireFaces"]
