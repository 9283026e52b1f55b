# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import replay
from overt.cli.people import Statistics
from overt.engine import Engine
from overt.models.calibration import Calibration


def test_the_replay_at_the_floor_of_the_police_packs_gives_no_lead(engine: Engine) -> None:
    """535 members of Congress against 25,000 mugshots, drawn: 28 were leads in 2018."""
    result = replay.measure(
        Statistics.assumed(128), engine.models.faces.calibration, replay.PROBES, replay.GALLERY, replay.FLOOR, seed=0
    )
    leads = result["leads"]
    assert (leads["count"], leads["n"]) == (0, 535)
    assert leads["high"] == pytest.approx(0.0069, abs=5e-5)
    assert result["predicted_leads"] == pytest.approx(535 * (1 - (1 - 1e-6) ** 25_000), rel=1e-6)


def test_leads_are_as_many_as_rates_of_the_drawn_people_say() -> None:
    """Isotropic directions: the share of strangers at or above a cosine is known in closed form."""
    import numpy as np
    from scipy.stats import beta

    nobody = np.zeros((16, 16), np.float32)
    spread = Statistics(np.zeros(16, np.float32), np.eye(16, dtype=np.float32), nobody)
    straight = Calibration("m", "cosine", "1", "", ((0.0, 0.5), (0.9, 1e-6)), ((-1.0, 0.0), (1.0, 1.0)), ((0.1, 1.0),))
    result = replay.measure(spread, straight, 2000, 100, 85.0, seed=4)
    pair = float(beta.sf((1 + 0.7) / 2, 7.5, 7.5))  # a cosine of 0.7 in 16 dimensions
    assert result["leads"]["low"] <= 1 - (1 - pair) ** 100 <= result["leads"]["high"]
    assert result["leads"]["count"] > 50


def test_the_report_tells_the_interval_and_what_was_predicted(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path, tmp_path: Path
) -> None:
    few = ("report", "replay", "--probes", "50", "--gallery", "500")
    record = told(*few, "--html", tmp_path / "report.html")
    assert record["results"]["leads"]["count"] == 0
    done = overt(*few, "--home", home)
    for text in (done.stdout, (tmp_path / "report.html").read_text()):
        assert "0 leads of 50 people" in text
        assert "0.00% .. 7.11%" in text
        assert "predicts" in text
