# SPDX-License-Identifier: Apache-2.0
"""The figures are of cameras that were watched by a server, and of alerts that came."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from overt.cli import bench_cameras


def test_cameras_are_watched_and_measured(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench_cameras.cameras(count=1, rate=4, seconds=8, warm=8, portraits=photos, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["cameras"], told["sources"]) == (1, "one clip, generated, 720p at 25")
    (row,) = told["streams"]
    assert (row["status"], row["looks/s"] > 1, row["MB"] > 10) == ("RUNNING", True, True)
    assert told["alerts"] > 0
    assert 0 < told["alert_ms_p50"] <= told["alert_ms_p95"] <= told["alert_ms_most"]
    assert told["cores_busy"] > 0
