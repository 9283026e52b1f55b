# SPDX-License-Identifier: Apache-2.0
"""What waits and what was given up is shown without what it says, sent again or dropped, and that is recorded."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from overt.cli.home import engine
from overt.types import FaceSearch, Parcel, Stream, Wanted

Overt = Callable[..., CompletedProcess[str]]
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
TARGET = "https://desk.example.org/hook/secret-path"


@pytest.fixture
def run(overt: Overt, tmp_path: Path) -> Callable[..., Any]:
    """Two letters of the stream `gate` are dead, one waits."""
    with engine(tmp_path) as opened, opened.stores.write() as unit:
        wanted = Wanted("arn", search=FaceSearch("people", 0.8))
        unit.streams.add(Stream("key", opened.settings.account, "gate", wanted, NOW, NOW))
        body = b'{"Person":"smith"}'
        unit.parcels.put([Parcel("key", TARGET, "alert", "smith is there", body, NOW) for _ in range(3)], 10_000)
        ((lane, _),) = unit.parcels.due("one")
        turn = unit.parcels.claim(lane, "one", 60)
        assert turn is not None
        for number, _parcel in unit.parcels.front(turn, 2):
            unit.parcels.bury(turn, number, "it was refused", 60)
        unit.parcels.release(turn)

    def act(*arguments: str, fails: str = "") -> Any:
        done = overt("deliveries", *arguments, "--json", "--home", tmp_path)
        assert (done.returncode != 0) == bool(fails), done.stderr
        if fails:
            assert fails in done.stderr
            return None
        assert "smith" not in done.stdout
        assert "secret-path" not in done.stdout
        return json.loads(done.stdout)

    return act


def test_what_waits_is_shown_by_stream_and_target(run: Callable[..., Any]) -> None:
    (lane,) = run("list")["deliveries"]
    assert (lane["stream"], lane["target"]) == ("gate", "https://desk.example.org")
    assert (lane["waiting"], lane["dead"], lane["error"]) == (1, 2, "it was refused")
    assert run("list", "--stream", "gate")["deliveries"] == [{**lane, "age": pytest.approx(lane["age"], abs=60)}]
    run("list", "--stream", "nothing", fails="there is no stream nothing")


def test_dead_letters_are_sent_again_or_dropped(run: Callable[..., Any]) -> None:
    first, second = run("dead", "--stream", "gate")["dead"]
    assert (first["kind"], first["why"]) == ("alert", "it was refused")
    assert run("resend", str(first["number"]))["resent"] == 1
    assert [each["number"] for each in run("dead")["dead"]] == [second["number"]]
    assert run("discard", "--all")["discarded"] == 1
    assert run("dead")["dead"] == []
    (lane,) = run("list")["deliveries"]
    assert (lane["waiting"], lane["dead"]) == (2, 0)
    run("resend", fails="say which ones")


def test_nothing_is_said_in_words(overt: Overt, tmp_path: Path) -> None:
    assert "no stream has told anything yet" in overt("deliveries", "list", "--home", tmp_path).stdout
    assert "no dead letters" in overt("deliveries", "dead", "--home", tmp_path).stdout
