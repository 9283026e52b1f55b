# SPDX-License-Identifier: Apache-2.0
"""Bytes come from the request, a local bucket, or a real S3-speaking server; every failure has Rekognition's name."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from overt.errors import ImageTooLargeException, InvalidParameterException, InvalidS3ObjectException
from overt.media.fetch import INLINE_BYTES, OBJECT_BYTES, Fetcher


def stored(bucket: str, name: str, **more: str) -> dict[str, object]:
    return {"S3Object": {"Bucket": bucket, "Name": name, **more}}


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    folder = tmp_path / "buckets"
    (folder / "photos" / "2024").mkdir(parents=True)
    (folder / "photos" / "a.jpg").write_bytes(b"alpha")
    (folder / "photos" / "2024" / "b c.jpg").write_bytes(b"beta")
    (tmp_path / "secret").write_bytes(b"secret")
    return folder


def test_inline() -> None:
    fetcher = Fetcher()
    assert fetcher.fetch({"Bytes": b"x" * INLINE_BYTES}) == b"x" * INLINE_BYTES
    with pytest.raises(ImageTooLargeException):
        fetcher.fetch({"Bytes": b"x" * (INLINE_BYTES + 1)})


@pytest.mark.parametrize("image", [{}, {"Bytes": b"x", **stored("photos", "a.jpg")}, stored("photos", "")])
def test_exactly_one_source(image: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterException):
        Fetcher().fetch(image)


def test_local(buckets: Path) -> None:
    fetcher = Fetcher(buckets)
    assert fetcher.fetch(stored("photos", "a.jpg")) == b"alpha"
    assert fetcher.fetch(stored("photos", "2024/b c.jpg")) == b"beta"
    with pytest.raises(InvalidS3ObjectException) as caught:
        fetcher.fetch(stored("photos", "a.jpg", Version="1"))
    assert "versions" in caught.value.detail


@pytest.mark.parametrize(
    ("bucket", "name"),
    [
        ("photos", "none.jpg"), ("nobody", "a.jpg"), ("photos", "../../secret"), ("photos", "2024/../../../secret"),
        ("photos", "/etc/hostname"), ("photos", "2024"), ("photos", "./a.jpg"), ("photos", "2024//b c.jpg"),
        ("..", "secret"), ("...", "secret"), (".photos", "a.jpg"), ("photos/2024", "b c.jpg"), ("photos", "a\0b"),
        ("photos", "x" * 5000),
    ],
)  # fmt: skip
def test_nothing_outside_can_be_named(buckets: Path, bucket: str, name: str) -> None:
    with pytest.raises(InvalidS3ObjectException) as caught:
        Fetcher(buckets).fetch(stored(bucket, name))
    assert caught.value.detail


def test_links_and_pipes_are_not_followed(buckets: Path, tmp_path: Path) -> None:
    (buckets / "photos" / "link.jpg").symlink_to(tmp_path / "secret")
    (buckets / "photos" / "out").symlink_to(tmp_path)
    (buckets / "linked").symlink_to(tmp_path)
    os.mkfifo(buckets / "photos" / "pipe")
    for bucket, name in (("photos", "link.jpg"), ("photos", "out/secret"), ("linked", "secret"), ("photos", "pipe")):
        with pytest.raises(InvalidS3ObjectException):
            Fetcher(buckets).fetch(stored(bucket, name))


def test_local_size(buckets: Path) -> None:
    with (buckets / "photos" / "large").open("wb") as file:
        file.truncate(OBJECT_BYTES + 1)
    with pytest.raises(ImageTooLargeException):
        Fetcher(buckets).fetch(stored("photos", "large"))


# A folder mounted under a name, wherever it lies, as commands do with the folder they are given.


@pytest.fixture
def mounted(buckets: Path, tmp_path: Path) -> Fetcher:
    """A fetcher of the local buckets with another folder beside them."""
    folder = tmp_path / "elsewhere" / "deep"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"mounted")
    (folder / "sub" / "b.jpg").write_bytes(b"below")
    (tmp_path / "elsewhere" / "near.jpg").write_bytes(b"secret")
    return Fetcher(buckets, mounts={"import": folder})


def test_a_mounted_folder_is_a_bucket_beside_the_local_ones(mounted: Fetcher) -> None:
    assert mounted.fetch(stored("import", "a.jpg")) == b"mounted"
    assert mounted.fetch(stored("import", "sub/b.jpg")) == b"below"
    assert mounted.fetch(stored("photos", "a.jpg")) == b"alpha"


def test_a_mounted_folder_needs_no_folder_of_buckets(buckets: Path) -> None:
    assert Fetcher(mounts={"import": buckets / "photos"}).fetch(stored("import", "a.jpg")) == b"alpha"


def test_a_mount_comes_before_a_local_bucket_of_its_name(buckets: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"mine")
    fetcher = Fetcher(buckets, mounts={"photos": tmp_path})
    assert fetcher.fetch(stored("photos", "a.jpg")) == b"mine"
    with pytest.raises(InvalidS3ObjectException):  # what lies in the other one does not shine through
        fetcher.fetch(stored("photos", "2024/b c.jpg"))


def test_a_mount_may_be_reached_through_a_link(buckets: Path, tmp_path: Path) -> None:
    """The operator has named it, so where it lies is the operator's business."""
    (tmp_path / "link").symlink_to(buckets / "photos")
    assert Fetcher(mounts={"import": tmp_path / "link"}).fetch(stored("import", "a.jpg")) == b"alpha"


@pytest.mark.parametrize(
    ("bucket", "name"),
    [
        ("import", "../near.jpg"), ("import", "../../secret"), ("import", "sub/../../near.jpg"), ("import", "sub"),
        ("import", "/etc/hostname"), ("import", "./a.jpg"), ("import", "none.jpg"), ("import", "a.jpg/x"),
        ("import", "out.jpg"), ("import", "out/near.jpg"), ("import/sub", "b.jpg"), ("elsewhere", "near.jpg"),
        ("imports", "a.jpg"), ("IMPORT", "a.jpg"),
    ],
)  # fmt: skip
def test_nothing_outside_a_mount_can_be_named(mounted: Fetcher, tmp_path: Path, bucket: str, name: str) -> None:
    deep = tmp_path / "elsewhere" / "deep"
    (deep / "out.jpg").symlink_to(tmp_path / "elsewhere" / "near.jpg")
    (deep / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidS3ObjectException) as caught:
        mounted.fetch(stored(bucket, name))
    assert caught.value.detail
    assert str(tmp_path) not in caught.value.detail


def test_a_mount_keeps_no_versions_and_the_size_limit(mounted: Fetcher, tmp_path: Path) -> None:
    with pytest.raises(InvalidS3ObjectException) as caught:
        mounted.fetch(stored("import", "a.jpg", Version="1"))
    assert "versions" in caught.value.detail
    with (tmp_path / "elsewhere" / "deep" / "large").open("wb") as file:
        file.truncate(OBJECT_BYTES + 1)
    with pytest.raises(ImageTooLargeException):
        mounted.fetch(stored("import", "large"))


def test_a_mount_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidS3ObjectException) as caught:
        Fetcher(mounts={"import": tmp_path / "gone"}).fetch(stored("import", "a.jpg"))
    assert "import/a.jpg: No such file" in caught.value.detail


class Shelf(http.server.BaseHTTPRequestHandler):
    """GET and HEAD of objects in the S3 protocol, path style."""

    objects: ClassVar[dict[tuple[str, str | None], bytes]] = {
        ("/cloud/a b.jpg", None): b"newest",
        ("/cloud/a b.jpg", "v1"): b"oldest",
        ("/photos-2/x.jpg", None): b"x",
    }
    sent = 0
    signed = ""

    def do_GET(self) -> None:
        Shelf.signed = self.headers.get("Authorization", "")
        url = urlsplit(self.path)
        version = parse_qs(url.query).get("versionId", [None])[0]
        if url.path == "/cloud/large":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 33))
            self.end_headers()
            try:
                for _ in range(1 << 13):
                    self.wfile.write(bytes(1 << 20))
                    Shelf.sent += 1 << 20
            except OSError:
                self.close_connection = True
            return
        data = self.objects.get((unquote(url.path), version))
        if data is None:
            body = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>No such key</Message></Error>"
            self.send_response(404)
        else:
            body = data
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_s3(endpoint: str, buckets: Path) -> None:
    fetcher = Fetcher(buckets, s3_endpoint=endpoint)
    assert fetcher.fetch(stored("cloud", "a b.jpg")) == b"newest"
    assert Shelf.signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert fetcher.fetch(stored("cloud", "a b.jpg", Version="v1")) == b"oldest"
    assert fetcher.fetch(stored("photos", "a.jpg")) == b"alpha"  # a local folder comes first


def test_a_mount_is_never_asked_of_s3(endpoint: str, tmp_path: Path) -> None:
    """Not even for what it lacks: the names in an operator's folder are nobody else's business."""
    fetcher = Fetcher(mounts={"cloud": tmp_path}, s3_endpoint=endpoint)
    Shelf.signed = ""
    with pytest.raises(InvalidS3ObjectException):
        fetcher.fetch(stored("cloud", "a b.jpg"))
    assert Shelf.signed == ""
    assert fetcher.fetch(stored("photos-2", "x.jpg")) == b"x"


def test_s3_refusals(endpoint: str) -> None:
    fetcher = Fetcher(s3_endpoint=endpoint)
    with pytest.raises(InvalidS3ObjectException) as caught:
        fetcher.fetch(stored("cloud", "none.jpg"))
    assert "NoSuchKey" in caught.value.detail
    with pytest.raises(ImageTooLargeException):
        fetcher.fetch(stored("cloud", "large"))
    assert Shelf.sent < 64 << 20


def test_s3_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with pytest.raises(InvalidS3ObjectException):
        Fetcher(s3_endpoint="http://127.0.0.1:1").fetch(stored("cloud", "a.jpg"))


def test_s3_off(buckets: Path) -> None:
    with pytest.raises(InvalidS3ObjectException) as caught:
        Fetcher(buckets).fetch(stored("cloud", "a.jpg"))
    assert "switched on" in caught.value.detail
