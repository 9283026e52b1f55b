# SPDX-License-Identifier: Apache-2.0
"""The sound of one file beside the pictures of another."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from overt.media.splicing import SpliceError, splice


def film(path: Path, *, sound: str | None, seconds: float = 2.0) -> Path:
    """A film of grey with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", 25, options={"threads": "1"})
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        heard = container.add_stream(sound, 48000, layout="mono") if sound else None
        for _ in range(round(seconds * 25)):
            container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(video.encode(None))
        if heard is not None:
            tone = np.sin(np.arange(round(seconds * 48000)) / 20)[None]
            kind = heard.codec_context.format.name
            block = heard.codec_context.frame_size or 1024
            for start in range(0, tone.shape[1] - block, block):
                part = tone[:, start : start + block]
                whole = np.asarray(part * 20000, np.int16) if kind.startswith("s16") else np.asarray(part, np.float32)
                frame = av.AudioFrame.from_ndarray(whole, kind, "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                container.mux(heard.encode(frame))
            container.mux(heard.encode(None))
    return path


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_sound_is_copied_packet_by_packet_and_the_index_comes_first(tmp_path: Path) -> None:
    heard, seen = film(tmp_path / "a.mp4", sound="aac"), film(tmp_path / "b.mp4", sound=None)
    target = tmp_path / "c.mp4"
    splice(heard, seen, target)
    ours, theirs = packets(target), packets(heard)
    assert len(ours) > 50
    assert ours == theirs[-len(ours) :]  # but for what lies before the first picture
    with av.open(str(target)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert sum(1 for _ in container.decode(video=0)) == 50
    raw = target.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat")


def test_sound_that_mp4_cannot_hold_is_refused_in_words(tmp_path: Path) -> None:
    heard, seen = film(tmp_path / "a.mkv", sound="pcm_s16le"), film(tmp_path / "b.mp4", sound=None)
    with pytest.raises(SpliceError, match="MP4 can hold none of its sound"):
        splice(heard, seen, tmp_path / "c.mp4")


def test_a_file_that_is_no_film_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no film" * 100)
    with pytest.raises(SpliceError, match="Invalid data"):
        splice(tmp_path / "a.mp4", film(tmp_path / "b.mp4", sound=None), tmp_path / "c.mp4")
