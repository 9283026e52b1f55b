# SPDX-License-Identifier: Apache-2.0
"""The figures are of videos that were looked at, and tell what of it costs what."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest
from filming import film, passing

from overt.cli import bench_video
from overt.cli.output import CommandError


def test_clips_of_a_folder_are_measured(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.mp4").write_bytes(film(passing(photos / "obama.jpg", 1)))
    bench_video.video(tmp_path, photos, 1.0, served=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["clips"] == ["one.mp4"]
    assert told["kinds"].keys() == {"search", "labels", "people", "text", "segments"}
    for row in told["kinds"].values():
        assert row["times_real_time"] > 0
        assert row["cpu_ms_per_look"] > 0
        assert row["worker_peak_mb"] > 10
    assert told["kinds"]["search"]["aim"] == 6
    assert {"detect faces", "embed faces", "search the collection", "track"} <= set(
        told["kinds"]["search"]["stages_cpu_ms_per_look"]
    )
    assert told["server"]["memory at most, without workers, MB"] > 50


def test_a_clip_is_generated_with_faces_and_cuts(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_video, "_SECONDS", 1)
    bench_video.generate(photos, tmp_path / "made.mp4")
    with av.open(str(tmp_path / "made.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (1280, 720, 25)
        assert sum(1 for _ in container.decode(stream)) == 25


def test_a_folder_without_videos_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there are no videos"):
        bench_video.video(tmp_path)
