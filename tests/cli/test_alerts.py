# SPDX-License-Identifier: Apache-2.0
"""Whoever runs the server sees who was seen, decides on it, and each look leaves a row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli.home import engine
from overt.types import Alert, Box, Match, StoredFace

JPEG = b"\xff\xd8 a face \xff\xd9"
START = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


@pytest.fixture
def seen(home: Path) -> Path:
    """A home of three alerts: of ann at the gate, to be reviewed; of nobody known; and another account's."""
    face = StoredFace("face-1", "image", "ann", Box(0, 0, 1, 1), 0.99, "model-1", "user-ann", 7)
    with engine(home) as opened, opened.stores.write() as unit:
        for number, (account, stream, match, review) in enumerate(
            [
                (opened.settings.account, "gate", Match(face, 0.9712, 0.6, 1), "pending"),
                (opened.settings.account, "door", None, "none"),
                ("999999999999", "gate", Match(face, 0.9, 0.6, 1), "none"),
            ]
        ):
            unit.alerts.add(
                Alert(
                    id=f"alert-{number}",
                    account=account,
                    stream="key",
                    stream_name=stream,
                    source="arn:camera",
                    session="session-1",
                    start=START,
                    end=START + dt.timedelta(seconds=4),
                    time=12.5,
                    box=Box(0.5, 0.25, 0.125, 0.2),
                    match=match,
                    collection="people",
                    list_size=40,
                    threshold=0.9,
                    model="model-1",
                    picture=JPEG if match else None,
                    review=review,
                )
            )
    return home


def rows(home: Path) -> list[tuple[str, str]]:
    with engine(home) as opened, opened.stores.read() as unit:
        return [(event.operation, event.outcome) for event in reversed(unit.records.tail(100))]


def test_alerts_of_the_account_are_listed_and_that_is_recorded(told: Callable[..., Any], seen: Path) -> None:
    assert [alert["id"] for alert in told("alerts", "list")["alerts"]] == ["alert-1", "alert-0"]
    (only,) = told("alerts", "list", "--stream", "gate")["alerts"]
    assert only["person"] == "ann"
    assert [alert["id"] for alert in told("alerts", "list", "--limit", "1")["alerts"]] == ["alert-1"]
    assert rows(seen) == [("ListAlerts", "ok")] * 3


def test_all_evidence_is_shown_and_that_is_recorded(told: Callable[..., Any], seen: Path, tmp_path: Path) -> None:
    shown = told("alerts", "show", "alert-0", "--picture", tmp_path / "seen.jpg")
    assert shown == {
        "id": "alert-0",
        "stream": "gate",
        "camera": "arn:camera",
        "session": "session-1",
        "start": "2026-03-04T05:06:07+00:00",
        "end": "2026-03-04T05:06:11+00:00",
        "time": 12.5,
        "box": {"left": 0.5, "top": 0.25, "width": 0.125, "height": 0.2},
        "collection": "people",
        "list_size": 40,
        "model": "model-1",
        "threshold": 90.0,
        "similarity": 97.12,
        "person": "ann",
        "user": "user-ann",
        "face": "face-1",
        "review": "pending",
        "reviewer": None,
        "reviewed": None,
        "picture_bytes": len(JPEG),
        "picture": str(tmp_path / "seen.jpg"),
    }
    assert (tmp_path / "seen.jpg").read_bytes() == JPEG
    assert (tmp_path / "seen.jpg").stat().st_mode & 0o077 == 0
    assert rows(seen) == [("ShowAlert", "ok")]


def test_people_read_alerts(overt: Callable[..., Any], seen: Path) -> None:
    listed = overt("alerts", "list", "--home", seen).stdout
    for words in ("alert-0", "gate", "ann", "97.12", "pending", "2026-03-04 05:06:07"):
        assert words in listed
    shown = overt("alerts", "show", "alert-1", "--home", seen).stdout
    assert "door" in shown
    assert "person" not in shown


def test_what_is_not_there_is_told(overt: Callable[..., Any], seen: Path, tmp_path: Path) -> None:
    assert "no alert alert-2" in overt("alerts", "show", "alert-2", "--home", seen).stderr
    assert "no alert alert-9" in overt("alerts", "confirm", "alert-9", "--home", seen).stderr
    refused = overt("alerts", "show", "alert-1", "--picture", tmp_path / "seen.jpg", "--home", seen)
    assert (refused.returncode, "has no picture" in refused.stderr) == (1, True)
    (tmp_path / "there").write_text("mine")
    refused = overt("alerts", "show", "alert-0", "--picture", tmp_path / "there", "--home", seen)
    assert (refused.returncode, (tmp_path / "there").read_text()) == (1, "mine")
    assert [outcome for _, outcome in rows(seen)] == ["CommandError"] * 4


def test_an_alert_is_decided_once_and_by_whom(told: Callable[..., Any], overt: Callable[..., Any], seen: Path) -> None:
    done = told("alerts", "confirm", "alert-0", "--by", "officer 7")
    assert (done["review"], done["reviewer"]) == ("confirmed", "officer 7")
    assert told("alerts", "reject", "alert-1")["reviewer"] == "local"
    again = overt("alerts", "reject", "alert-0", "--home", seen)
    assert (again.returncode, "decided already: confirmed by officer 7" in again.stderr) == (1, True)
    expected = [("ConfirmAlert", "ok"), ("RejectAlert", "ok"), ("RejectAlert", "StoreError")]
    assert rows(seen) == expected


def test_without_alerts_there_are_none(overt: Callable[..., Any], home: Path) -> None:
    assert overt("alerts", "list", "--home", home).stdout == "no alerts\n"
