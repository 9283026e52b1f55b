# SPDX-License-Identifier: Apache-2.0
"""Objects are read at any offset and never whole; what changes, breaks or is not there ends in words."""

from __future__ import annotations

import http.server
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from films import film, number
from moto.server import ThreadedMotoServer

from overt.errors import InvalidS3ObjectException, VideoTooLargeException
from overt.media.fetch import Fetcher
from overt.media.objects import BLOCK, LocalObject, StoredObject
from overt.media.pictures import Media
from overt.media.video import VideoError
from overt.types import Stored

DATA = random.Random(0).randbytes(3 * BLOCK + 12345)


def stored(bucket: str, name: str, version: str | None = None) -> Stored:
    return Stored(bucket, name, version)


def reads_as(found: StoredObject, data: bytes) -> bool:
    spots = [
        (0, 10),
        (BLOCK - 5, 10),
        (BLOCK * 2 - 1, BLOCK + 2),
        (len(data) - 3, 10),
        (len(data), 5),
        (7, 0),
        (100, 50),
    ]
    return found.size == len(data) and all(found.read(at, length) == data[at : at + length] for at, length in spots)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.bin").write_bytes(DATA)
    (tmp_path / "empty").touch()
    return tmp_path


def test_a_local_file_is_read_at_any_offset(folder: Path) -> None:
    found = LocalObject(folder, "films", "sub/a.bin")
    assert reads_as(found, DATA)
    found.close()
    found.close()
    empty = LocalObject(folder, "films", "empty")
    assert (empty.size, empty.read(0, 100)) == (0, b"")
    empty.close()


def test_a_local_file_that_changes_is_told(folder: Path) -> None:
    found = LocalObject(folder, "films", "sub/a.bin")
    assert found.read(0, 10) == DATA[:10]
    with (folder / "sub" / "a.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(InvalidS3ObjectException) as caught:
        found.read(0, 10)
    assert caught.value.detail == "films/sub/a.bin was changed while it was being read"
    found.close()


@pytest.mark.parametrize("name", ["../x", "sub", "none", "sub/../sub/a.bin", "link", "out/a.bin", "pipe", "a\0b"])
def test_nothing_else_can_be_named(folder: Path, name: str) -> None:
    (folder / "link").symlink_to(folder / "sub" / "a.bin")
    (folder / "out").symlink_to(folder / "sub")
    os.mkfifo(folder / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(InvalidS3ObjectException):
        LocalObject(folder, "films", name)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_too_large_is_said_in_the_services_words(folder: Path) -> None:
    fetcher = Fetcher(mounts={"films": folder})
    with pytest.raises(VideoTooLargeException) as caught:
        fetcher.open(stored("films", "sub/a.bin"), most=1000)
    assert caught.value.text == f"Video size in bytes: {len(DATA)} is more than the maximum limit of: 1000 bytes."
    with pytest.raises(InvalidS3ObjectException):
        fetcher.open(stored("films", "sub/a.bin", "1"))
    with pytest.raises(InvalidS3ObjectException):
        fetcher.open(stored("cloud", "a.bin"))


# A real S3-speaking server.


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "example")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def bucket(s3: str, keys: None) -> Iterator[Any]:
    """boto3's client of it, with an empty bucket named films that keeps versions."""
    import boto3

    client = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket="films")
    client.put_bucket_versioning(Bucket="films", VersioningConfiguration={"Status": "Enabled"})
    yield client
    kept = client.list_object_versions(Bucket="films")
    for version in (*kept.get("Versions", []), *kept.get("DeleteMarkers", [])):
        client.delete_object(Bucket="films", Key=version["Key"], VersionId=version["VersionId"])
    client.delete_bucket(Bucket="films")
    client.close()


def test_an_object_of_s3_is_read_at_any_offset(bucket: Any, s3: str) -> None:
    version = bucket.put_object(Bucket="films", Key="a b.bin", Body=DATA)["VersionId"]
    fetcher = Fetcher(s3_endpoint=s3)
    assert reads_as(fetcher.open(stored("films", "a b.bin")), DATA)
    bucket.put_object(Bucket="films", Key="a b.bin", Body=b"short")
    assert reads_as(fetcher.open(stored("films", "a b.bin", version)), DATA)
    assert reads_as(fetcher.open(stored("films", "a b.bin")), b"short")
    bucket.put_object(Bucket="films", Key="exact", Body=DATA[:BLOCK])
    assert reads_as(fetcher.open(stored("films", "exact")), DATA[:BLOCK])
    bucket.put_object(Bucket="films", Key="empty", Body=b"")
    assert fetcher.open(stored("films", "empty")).size == 0
    with pytest.raises(VideoTooLargeException):
        fetcher.open(stored("films", "a b.bin", version), most=100)


def test_an_object_of_s3_that_changes_or_goes_is_told(bucket: Any, s3: str) -> None:
    fetcher = Fetcher(s3_endpoint=s3)
    bucket.put_object(Bucket="films", Key="a.bin", Body=DATA)
    found = fetcher.open(stored("films", "a.bin"))
    bucket.put_object(Bucket="films", Key="a.bin", Body=DATA[::-1])
    with pytest.raises(InvalidS3ObjectException) as caught:
        found.read(BLOCK, 10)
    assert "was changed while it was being read" in caught.value.detail
    found = fetcher.open(stored("films", "a.bin"))
    bucket.delete_object(Bucket="films", Key="a.bin")
    with pytest.raises(InvalidS3ObjectException) as caught:
        found.read(BLOCK, 10)
    assert "NoSuchKey" in caught.value.detail
    with pytest.raises(InvalidS3ObjectException):
        fetcher.open(stored("films", "a.bin"))


def test_a_film_is_played_from_s3(bucket: Any, s3: str) -> None:
    raw = film("mp4", "mpeg4", size=(1280, 720), count=270, gop=1)
    assert len(raw) > 2 * BLOCK
    bucket.put_object(Bucket="films", Key="film", Body=raw)
    media = Media(Fetcher(s3_endpoint=s3), workers=1)
    with media.video(stored("films", "film")) as video:
        assert [number(frame.image.pixels) for frame in video.frames(4.0, 5.0, rate=5)] == [100, 105, 110, 115, 120]
    with media.video(stored("films", "film")) as video:
        bucket.put_object(Bucket="films", Key="film", Body=raw[:-1] + b"x")
        with pytest.raises(VideoError, match="changed"):
            list(video.frames(5.5))
    with media.video(stored("films", "film")) as video:
        bucket.delete_object(Bucket="films", Key="film")
        with pytest.raises(VideoError, match="NoSuchKey"):
            list(video.frames(5.5))
    media.close()


class Odd(http.server.BaseHTTPRequestHandler):
    """A service that breaks off the first bodies it sends, or knows no parts."""

    breaks = 0

    def do_GET(self) -> None:
        first, last = (int(end) for end in self.headers["Range"].removeprefix("bytes=").split("-"))
        body = DATA[first : last + 1]
        parts = "whole" not in self.path
        self.send_response(206 if parts else 200)
        if parts:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(DATA)}")
        self.send_header("ETag", '"x"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if Odd.breaks:
            Odd.breaks -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def odd(keys: None) -> Iterator[Fetcher]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Fetcher(s3_endpoint=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_body_that_breaks_off_is_asked_for_again(odd: Fetcher) -> None:
    Odd.breaks = 2
    assert reads_as(odd.open(stored("films", "a.bin")), DATA)
    assert Odd.breaks == 0
    Odd.breaks = 3
    with pytest.raises(InvalidS3ObjectException):
        odd.open(stored("films", "a.bin"))


def test_a_service_without_parts_is_told(odd: Fetcher) -> None:
    Odd.breaks = 0
    with pytest.raises(InvalidS3ObjectException) as caught:
        odd.open(stored("films", "whole"))
    assert "part of an object" in caught.value.detail
