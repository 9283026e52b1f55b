# SPDX-License-Identifier: Apache-2.0
"""The front: from a request's Image to pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
from films import film, number

from overt.errors import InvalidS3ObjectException
from overt.media.fetch import Fetcher
from overt.media.pictures import Media
from overt.types import Stored


def test_from_request_to_pixels(photos: Path) -> None:
    media = Media(Fetcher(photos.parent), workers=1)
    inline = media.image({"Bytes": (photos / "obama.jpg").read_bytes()})
    assert (inline.width, inline.height) == (910, 1137)
    assert media.confinement
    media.start()
    media.close()


def test_from_a_local_bucket(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "biden.jpg").write_bytes((photos / "biden.jpg").read_bytes())
    media = Media(Fetcher(tmp_path), workers=1)
    assert media.image({"S3Object": {"Bucket": "faces", "Name": "biden.jpg"}}).height == 2204
    media.close()


def test_a_video_of_a_local_bucket_is_opened(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").write_bytes(film(count=5))
    media = Media(Fetcher(tmp_path), workers=1)
    with media.video(Stored("films", "a.mp4")) as video:
        assert video.footage.codec == "h264"
        assert [number(frame.image.pixels) for frame in video.frames()] == list(range(5))
    media.check_video(Stored("films", "a.mp4"))
    with pytest.raises(InvalidS3ObjectException):
        media.check_video(Stored("films", "b.mp4"))
    media.close()
