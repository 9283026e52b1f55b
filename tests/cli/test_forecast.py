# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import forecast
from overt.cli.output import CommandError
from overt.engine import Engine

NPL = ("--faces", "100000", "--listed", "5", "--list-size", "10000", "--tpir", "0.89")


def test_published_rates_come_out_as_published(told: Callable[..., Any]) -> None:
    for rates in (("--fpir", "1/6000"), ("--fpir", "1:60000", "--measured-at", "1000")):
        result = told("report", "base-rate", *NPL, *rates)
        assert result["false_alerts"] == pytest.approx(16.7, abs=0.05)
        assert result["ppv"] == pytest.approx(0.21, abs=0.005)


def test_counts_of_a_trial_come_out_with_their_interval(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = overt("report", "base-rate", "--false-alerts", "102", "--true-alerts", "2", "--html", page, "--home", home)
    assert done.stdout == (
        "102 false and 2 true alerts: 1.9% of alerts were right (exact 95 % interval 0.2% .. 6.8%).\n"
    )
    assert "102 false" in page.read_text()


def test_the_models_own_rates_count_where_none_are_given(told: Callable[..., Any], engine: Engine) -> None:
    result = told("report", "base-rate", "--faces", "1000", "--list-size", "5000", "--similarity", "95")
    calibration = engine.models.faces.calibration
    assert result["fpir"] == pytest.approx(calibration.false_positive_rate(0.95, 5000))
    assert result["tpir"] == pytest.approx(0.9810)
    assert "on site expect less" in result["tpir_from"]
    high = told("report", "base-rate", "--faces", "1000", "--similarity", "99.9")
    assert "or less, as nothing smaller was measured" in high["fpir_from"]
    assert forecast.found(calibration, 10**-3.5) == pytest.approx((0.9976 + 0.9942) / 2)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--faces"),
        (("--faces", "10", "--listed", "11"), "on the list"),
        (("--faces", "10", "--fpir", "0.1"), "--tpir"),
        (("--true-alerts", "1"), "belong together"),
        (("--true-alerts", "0", "--false-alerts", "0"), "without an alert"),
    ],
)
def test_what_cannot_be_worked_out_is_told(
    overt: Callable[..., Any], home: Path, arguments: tuple[str, ...], reason: str
) -> None:
    done = overt("report", "base-rate", *arguments, "--home", home)
    assert done.returncode == 1
    assert reason in done.stderr


@pytest.mark.parametrize("text", ["x", "2", "1/0", "-1", "nan"])
def test_what_is_no_share_is_told(text: str) -> None:
    with pytest.raises(CommandError, match="no share"):
        forecast.share(text)
