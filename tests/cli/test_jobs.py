# SPDX-License-Identifier: Apache-2.0
"""Whoever runs the server sees its jobs, ends them and begins them again."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli.home import engine
from overt.types import Job, Stored

IDS = ("ab" * 32, "ac" * 32)


def add(home: Path, *, store: str | None = None) -> None:
    """A job of this account, and one of another."""
    with engine(home, **({"store": store} if store else {})) as opened, opened.stores.write() as unit:
        for job_id, account in zip(IDS, (opened.settings.account, "000000000042"), strict=True):
            video = Stored("films", "one.mp4")
            unit.jobs.add(Job(job_id, account, "key", "StartFaceSearch", video, "{}", dt.datetime.now(dt.UTC)))


def test_jobs_of_all_accounts_or_of_one_are_listed(told: Callable[..., Any], home: Path) -> None:
    assert told("jobs", "list") == {"jobs": []}
    add(home)
    newest, oldest = told("jobs", "list")["jobs"]
    assert (newest["id"], oldest["id"]) == (IDS[1], IDS[0])
    assert (oldest["status"], oldest["progress"], oldest["name"]) == ("QUEUED", 0, "one.mp4")
    (only,) = told("jobs", "list", "--account", "000000000042")["jobs"]
    assert only["id"] == IDS[1]


def test_people_read_what_becomes_of_jobs(overt: Callable[..., Any], home: Path) -> None:
    add(home)
    shown = overt("jobs", "list", "--home", home)
    for words in ("abababababab", "FaceSearch", "films/one.mp4", "QUEUED", "0 %", "s ago"):
        assert words in shown.stdout, shown.stderr
    assert "StartFaceSearch" in overt("jobs", "show", "ab", "--home", home).stdout


def test_a_job_is_cancelled_and_retried_and_both_are_recorded(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    add(home)
    refused = overt("jobs", "retry", "ab", "--home", home)
    assert refused.returncode == 1
    assert "did not fail" in refused.stderr
    assert overt("jobs", "cancel", "ab", "--home", home).returncode == 1  # nobody answers the question
    done = told("jobs", "cancel", "ab", "--yes")
    assert (done["id"], done["status"], done["message"]) == (IDS[0], "FAILED", "cancelled by the operator")
    assert "is over already" in overt("jobs", "cancel", "ab", "--yes", "--home", home).stderr
    again = told("jobs", "retry", "ab")
    assert (again["status"], again["message"]) == ("QUEUED", None)
    with sqlite3.connect(home / "overt.db") as database:
        rows = database.execute("select operation, outcome from records").fetchall()
    database.close()
    assert rows == [("RetryJob", "StoreError"), ("CancelJob", "ok"), ("CancelJob", "StoreError"), ("RetryJob", "ok")]


def test_an_id_must_mean_one_job(overt: Callable[..., Any], home: Path) -> None:
    add(home)
    assert "2 jobs begin with a" in overt("jobs", "show", "a", "--home", home).stderr
    assert "there is no job ff" in overt("jobs", "show", "ff", "--home", home).stderr


@pytest.mark.usefixtures("postgresql")
def test_jobs_of_a_shared_database_are_listed(
    told: Callable[..., Any], home: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERT_STORE", postgresql_url)
    add(home)
    assert [job["id"] for job in told("jobs", "list")["jobs"]] == [IDS[1], IDS[0]]
    assert told("jobs", "cancel", "ab", "--yes")["status"] == "FAILED"
