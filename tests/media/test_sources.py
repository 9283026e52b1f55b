# SPDX-License-Identifier: Apache-2.0
"""Every source of live pictures keeps the contract; what each does beside it; what none of them does."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
import web_server
from films import film, number
from matroska import fragments
from rtsp_server import Camera as Server
from web_server import Web, given

from overt.media.live import Camera, State
from overt.media.sources import catalogue
from overt.media.sources.base import Feed, Services, Source, SourceError, redacted, scrubbed, secrets_of
from overt.media.sources.catalogue import find, schemes
from overt.media.sources.device import DeviceSource
from overt.media.sources.file import FileSource
from overt.media.sources.kinesis import KinesisSource
from overt.media.sources.rtsp import RtspSource
from overt.media.sources.web import WebSource
from overt.testing.sources import PATIENCE, SourceContract, until

SERVICES = Services(silence=3.0)
ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/door/1700000000000"


@pytest.fixture
def nowhere() -> Iterator[str]:
    """A host and port where nothing listens, for as long as the test lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web({}) as made:
        yield made


class TestFile(SourceContract):
    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        (tmp_path / "a film.mp4").write_bytes(film(count=25))
        return FileSource(f"file://{tmp_path}/a%20film.mp4?loop=1", SERVICES)

    @pytest.fixture
    def absent(self, tmp_path: Path) -> Source:
        return FileSource(f"file://{tmp_path}/none.mp4", SERVICES)

    def test_what_is_no_file_is_refused(self, tmp_path: Path) -> None:
        for url in ("file://elsewhere/film.mp4", "file:film.mp4"):
            with pytest.raises(SourceError, match="names no file"):
                find(url)
        with pytest.raises(SourceError, match="is not a file"):
            find(f"file://{tmp_path}").connect()
        with pytest.raises(SourceError, match="cannot be opened: that is no name"):
            find("file:///a%00b").connect()

    def test_a_file_of_another_kind_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
        with Camera(f"file://{tmp_path}/list.m3u8") as camera:
            assert until(lambda: camera.health.reason), camera.health
            assert camera.health.decoded == 0


class TestRtsp(SourceContract):
    @pytest.fixture
    def server(self) -> Iterator[Server]:
        with Server(film(count=25), user=("joe", "s3cret/word")) as made:
            yield made

    @pytest.fixture
    def source(self, server: Server) -> Source:
        return RtspSource(server.url.replace("//", "//joe:s3cret%2Fword@"), SERVICES)

    @pytest.fixture
    def absent(self, nowhere: str) -> Source:
        return RtspSource(f"rtsp://joe:s3cret@{nowhere}/cam?token=abcdef", SERVICES)

    def test_names_are_resolved_here(self, server: Server) -> None:
        source = RtspSource(f"rtsp://u:p%40@localhost:{server.port}/cam?x=1", SERVICES)
        with contextlib.closing(source.connect()) as feed:
            assert feed.plan.name in (f"rtsp://u:p%40@{host}:{server.port}/cam?x=1" for host in ("127.0.0.1", "[::1]"))
        with pytest.raises(SourceError, match=r"the name localhost\.\.none cannot be resolved"):
            RtspSource("rtsp://localhost..none/cam", SERVICES).connect()

    def test_what_is_no_address_is_refused(self) -> None:
        for url in ("rtsp:///cam", "rtsp://joe:s3cret@host:port/cam", "rtsp://[::1/cam"):
            with pytest.raises(SourceError) as refused:
                RtspSource(url, SERVICES)
            assert "s3cret" not in str(refused.value)


class TestMotionJpeg(SourceContract):
    @pytest.fixture
    def source(self, web: Web) -> Source:
        parts = web.stream("multipart/x-mixed-replace; boundary=part", lambda: web.paced(web_server.pictures()))
        wanted = "Basic " + base64.b64encode(b"joe:s3cret").decode()

        def answer(request: Any) -> None:
            if request.headers.get("Authorization") == wanted:
                parts(request)
            else:
                given("text/plain", b"no", 401, WWW_Authenticate='Basic realm="cam"')(request)

        web.paths["/live"] = answer
        return WebSource(web.url.replace("//", "//joe:s3cret@") + "/live", SERVICES)

    @pytest.fixture
    def absent(self, nowhere: str) -> Source:
        return WebSource(f"http://joe:s3cret@{nowhere}/live?key=abcdef", SERVICES)

    def test_a_wrong_password_is_told_and_not_shown(self, source: Source, web: Web) -> None:
        with pytest.raises(SourceError, match=r"refused the name or the password \(401\)"):
            WebSource(web.url.replace("//", "//joe:wr0ng@") + "/live", SERVICES).connect()

    def test_other_answers_are_told(self, web: Web) -> None:
        with pytest.raises(SourceError, match="it answered 404"):
            WebSource(f"{web.url}/none", SERVICES).connect()

    def test_silence_is_told(self, web: Web) -> None:
        web.paths["/live"] = web.stream("video/mp2t", lambda: iter([b"", *[b""] * web.ending.wait(PATIENCE)]))
        with contextlib.closing(WebSource(f"{web.url}/live", Services(silence=0.3)).connect()) as feed:
            with pytest.raises(SourceError, match=r"stalled: nothing came for 0\.3 s"):
                feed.read(0, 0, 10)
            web.ending.set()

    def test_redirections_lead_to_the_web_only(self, web: Web) -> None:
        web.paths["/file"] = given("text/plain", b"", 302, Location="file:///etc/passwd")
        web.paths["/ftp"] = given("text/plain", b"", 302, Location="ftp://127.0.0.1/film")
        for path in ("/file", "/ftp"):
            with pytest.raises(SourceError):
                WebSource(web.url + path, SERVICES).connect()


class TestTransportStream(SourceContract):
    @pytest.fixture
    def source(self, web: Web) -> Source:
        web.paths["/live.ts"] = web.stream("video/mp2t", lambda: web.paced(web_server.transport(500)))
        return WebSource(f"{web.url}/live.ts", SERVICES)

    @pytest.fixture
    def absent(self, web: Web) -> Source:
        return WebSource(f"{web.url}/none?key=abcdef", SERVICES)


class TestPlaylist(SourceContract):
    @pytest.fixture
    def playlist(self, web: Web) -> str:
        """A live one: of three pieces a second each, of which the first goes and another comes every second."""
        pieces = web_server.segments(40)
        began = time.monotonic()

        def listed() -> bytes:
            first = int(time.monotonic() - began)
            lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
            for at in range(first, first + 3):
                lines += ["#EXTINF:1.0,", f"piece{at % 40}.ts"]
            return ("\n".join(lines) + "\n").encode()

        web.paths["/hls/live.m3u8"] = given("application/vnd.apple.mpegurl", listed)
        web.paths |= {f"/hls/piece{at}.ts": given("video/mp2t", piece) for at, piece in enumerate(pieces)}
        return f"{web.url}/hls/live.m3u8"

    @pytest.fixture
    def source(self, playlist: str) -> Source:
        return WebSource(playlist, SERVICES)

    @pytest.fixture
    def absent(self, web: Web) -> Source:
        body = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nfile:///etc/passwd\n"
        web.paths["/bad.m3u8"] = given("application/vnd.apple.mpegurl", body)
        return WebSource(f"{web.url}/bad.m3u8", SERVICES)

    def test_it_goes_on_from_piece_to_piece(self, source: Source) -> None:
        with Camera(source) as camera:
            shown = [number(frame.image.pixels) for _ in range(15) if (frame := camera.newest(PATIENCE)) is not None]
            assert camera.health.reconnects == 0, camera.health
        assert len(shown) == 15
        assert shown == sorted(shown)
        assert shown[-1] - shown[0] > 50

    def test_files_that_a_playlist_names_stay_closed(self, web: Web) -> None:
        for name in (
            "file:///etc/passwd",
            "concat:/etc/passwd|/etc/hosts",
            "/etc/passwd",
            "subfile,,start,0,:/etc/hosts",
        ):
            lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\n{name}\n#EXT-X-ENDLIST\n"
            web.paths["/bad.m3u8"] = given("application/vnd.apple.mpegurl", lines.encode())
            with Camera(f"{web.url}/bad.m3u8", services=SERVICES) as camera:
                assert until(lambda: camera.health.reason), name
                assert camera.health.decoded == 0
                assert camera.health.state is not State.LIVE

    def test_a_public_playlist_does_not_lead_into_a_private_network(self, web: Web) -> None:
        web.paths["/secret"] = given("video/mp2t", b"x")
        with contextlib.closing(WebSource(f"{web.url}/secret", SERVICES).connect()) as feed:
            assert feed.follow(f"{web.url}/secret") == 1
            feed._is_public = True  # as it would be had the playlist come from outside
            with pytest.raises(SourceError, match="private network"):
                feed.follow(f"{web.url}/secret")


class TestKinesis(SourceContract):
    @pytest.fixture(autouse=True)
    def credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    @pytest.fixture
    def source(self, web: Web) -> Source:
        def place(request: Any) -> None:
            asked = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
            assert asked == {"StreamARN": ARN, "APIName": "GET_MEDIA"}
            given("application/json", json.dumps({"DataEndpoint": web.url}).encode())(request)

        media = web.stream("video/webm", lambda: web.paced(iter(fragments(20)), 1.0))

        def get(request: Any) -> None:
            asked = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
            assert asked == {"StreamARN": ARN, "StartSelector": {"StartSelectorType": "NOW"}}
            media(request)

        web.paths |= {"/getDataEndpoint": place, "/getMedia": get}
        return KinesisSource(ARN, Services(web.url, 3.0))

    @pytest.fixture
    def absent(self, web: Web) -> Source:
        return KinesisSource(f"kinesisvideo:{ARN}", Services(web.url, 3.0))

    def test_frames_know_their_fragment(self, source: Source) -> None:
        with Camera(source, rate=None) as camera:
            frames = []
            while len({frame.fragment for frame in frames}) < 3:
                frame = camera.newest(PATIENCE)
                assert frame is not None, camera.health
                frames.append(frame)
        for frame in frames:
            assert frame.fragment is not None
            second, offset = divmod(number(frame.image.pixels), 25)
            assert frame.fragment.number == f"9134385233318{second:04d}"
            assert frame.fragment.producer_time == pytest.approx(1_700_000_000.5 + second)
            assert frame.fragment.server_time == pytest.approx(1_700_000_001.25 + second)
            assert frame.offset == pytest.approx(offset / 25, abs=0.002)

    def test_other_arns_are_refused(self) -> None:
        for arn in ("arn:aws:kinesis:eu-west-1:123456789012:stream/door", "arn:aws:kinesisvideo", "kinesisvideo:door"):
            with pytest.raises(SourceError, match="no ARN of a Kinesis video stream"):
                find(arn)


WEBCAM = Path("/dev/video0")


@pytest.mark.skipif(not WEBCAM.is_char_device(), reason="this machine has no webcam")
class TestDevice(SourceContract):
    @pytest.fixture
    def source(self) -> Source:
        return DeviceSource(f"v4l2://{WEBCAM}", SERVICES)

    @pytest.fixture
    def absent(self) -> Source:
        return DeviceSource("v4l2:///dev/video99", SERVICES)


def test_without_a_webcam_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no webcam at /dev/video99"):
        find("v4l2:///dev/video99").connect()
    for url in ("v4l2:///etc/passwd", "v4l2:///dev/../etc/passwd", "v4l2:video0"):
        with pytest.raises(SourceError, match="names no webcam"):
            find(url)


def test_what_is_a_device_but_no_webcam_is_told() -> None:
    with Camera("v4l2:///dev/null") as camera:
        assert until(lambda: camera.health.reason)
        assert camera.health.state is not State.LIVE


def test_addresses_are_shown_without_what_is_secret() -> None:
    assert redacted("rtsp://joe:s3cret@cam:554/live") == "rtsp://***@cam:554/live"
    assert redacted("http://cam/live?user=joe&key=s3cret&raw") == "http://cam/live?user=***&key=***&***"
    assert redacted("rtsp://joe:a@b/c@cam/live") == "rtsp://***@cam/live"
    assert redacted("rtsp://cam/live") == "rtsp://cam/live"
    assert secrets_of("rtsp://joe:p%40ss@cam/x?key=abc")[:3] == ("joe:p%40ss", "joe:p@ss", "p%40ss")
    assert scrubbed("joe:pass: no\npassword for joe", ("joe:pass", "pass", "joe")) == "***: no password for ***"


def test_sources_of_others_are_found_by_their_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = EntryPoints([EntryPoint("tape", f"{__name__}:Tape", catalogue.GROUP)])
    monkeypatch.setattr(EntryPoint, "load", lambda _: Tape)
    monkeypatch.setattr(catalogue, "entry_points", offered.select)
    assert isinstance(find("tape://attic"), Tape)
    assert "tape" in schemes()
    with pytest.raises(SourceError, match=r"no source reads 'gopher' addresses; known are arn, file, .*tape"):
        find("gopher://x")
    with Camera("tape://attic") as camera:
        assert until(lambda: camera.health.reconnects)
        assert camera.health.reason == "the source failed: ZeroDivisionError"


class Tape:
    """A source of others, with a mistake in it."""

    label, secrets = "tape", ()

    def __init__(self, url: str, services: Services) -> None:
        pass

    def connect(self) -> Feed:
        raise ZeroDivisionError
