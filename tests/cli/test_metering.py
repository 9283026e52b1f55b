# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt import settings
from overt.cli import metering
from overt.cli.output import CommandError
from overt.engine import Engine
from overt.govern import audit
from overt.types import Event
from overt.wire import local
from overt.wire.services import rekognition


def event(number: int, operation: str, key: str = "K", month: int = 11, outcome: str = "ok") -> Event:
    when = dt.datetime(2026, month, 5, tzinfo=dt.UTC)
    return Event(f"call-{number}", when, operation, key, "000000000001", "d", "allow", outcome, 1.0)


@pytest.fixture
def used(home: Path) -> Path:
    """A home folder with some calls in it."""
    opened = Engine.open(settings.load(home=home))
    try:
        rows = [("DetectFaces", "K", 11), ("DetectFaces", "=K", 11), ("SearchFaces", "K", 11), ("DetectFaces", "K", 10)]
        for number, (operation, key, month) in enumerate(rows):
            audit.record(opened.stores, event(number, operation, key, month))
        audit.record(opened.stores, event(9, "DetectFaces", outcome="ThrottlingException"))
    finally:
        opened.close()
    return home


def test_a_month_is_told_for_people_and_programs_and_spreadsheets(
    told: Callable[..., Any], overt: Callable[..., Any], used: Path, tmp_path: Path
) -> None:
    result = told("report", "usage", "--month", "2026-11", "--csv", tmp_path / "use.csv", "--html", tmp_path / "u.html")
    assert [(row["operation"], row["key"], row["calls"], row["done"]) for row in result["rows"]] == [
        ("DetectFaces", "=K", 1, 1),
        ("DetectFaces", "K", 2, 1),
        ("SearchFaces", "K", 1, 1),
    ]
    assert result["months"] == [{"month": "2026-11", "calls": 4, "done": 3, "images": 3, "price": pytest.approx(0.003)}]
    with (tmp_path / "use.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == ["'=K", "K", "K"]
    assert rows[0]["list_price"] == "0.001000"
    done = overt("report", "usage", "--home", used)
    for text in (done.stdout, (tmp_path / "u.html").read_text()):
        assert "List prices of 2026-11-22" in text
        assert "Unverified: stored video" in text
    assert "2026-10: 1 calls" in done.stdout


def test_calls_made_are_calls_metered(home: Path) -> None:
    opened = Engine.open(settings.load(home=home))
    try:
        for _ in range(3):
            local.call(opened, "ListCollections")
        with opened.stores.read() as unit:
            uses = list(metering.events(unit))
            assert len(uses) == unit.records.count() == 3
    finally:
        opened.close()
    assert {one.operation for one in uses} == {"ListCollections"}


def test_the_prices_that_come_along_name_operations_that_there_are() -> None:
    prices = metering.read_prices(None)
    named = {operation for entry in prices.entries for operation in entry.operations}
    assert named <= set(rekognition().operations)
    assert prices.storage.of(1000) == pytest.approx(0.01)


def test_what_cannot_be_read_is_told(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    assert "no month" in overt("report", "usage", "--month", "11/26", "--home", home).stderr
    (tmp_path / "p.toml").write_text("price = []")
    with pytest.raises(CommandError, match="incumbent is missing"):
        metering.read_prices(tmp_path / "p.toml")
    (tmp_path / "p.toml").write_text("price =")
    with pytest.raises(CommandError, match=r"p\.toml"):
        metering.read_prices(tmp_path / "p.toml")


@pytest.mark.parametrize(("value", "shown"), [("=1+1", "'=1+1"), ("@x", "'@x"), ("22-1", "22-1"), (3, 3)])
def test_no_cell_is_a_formula(value: object, shown: object) -> None:
    assert metering.plain(value) == shown
