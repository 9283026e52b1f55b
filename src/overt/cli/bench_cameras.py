# SPDX-License-Identifier: Apache-2.0
"""`overt bench cameras`: how many cameras a server watches for a list, how late it tells, and what a camera takes.

A server of its own watches; alerts are told to a web hook in this process, which notes when they come.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import bench_video, measuring, output, photos
from overt.cli.home import engine, own_store
from overt.engine import Engine
from overt.types import CameraAddress, Options, Stream
from overt.wire import local

_LIST = "bench"
_ROLE = "arn:aws:iam::000000000000:role/bench"
_SAMPLE = 3.0  # seconds between two looks at how the streams go
_STEADY = 1.5
"""Lag of the last third may be that many times the first third's before it is said to grow, and _JITTER more."""
_JITTER = 0.25


def cameras(
    source: Annotated[
        list[str] | None,
        typer.Option(help="URL of a camera, may be given several times [default: a generated clip, 720p at 25]."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Cameras; sources are used in turn.")] = 8,
    rate: Annotated[float, typer.Option(min=0.1, help="Frames looked at, a second.")] = 5,
    keyframes: Annotated[bool, typer.Option("--keyframes", help="Decode key frames alone.")] = False,
    seconds: Annotated[float, typer.Option(min=3, help="How long is measured.")] = 60,
    warm: Annotated[float, typer.Option(min=0, help="Seconds before that, in which cameras connect.")] = 20,
    portraits: Annotated[
        Path | None, typer.Option("--photos", help="Folder of the sample photos [default: OVERT_PHOTOS, or .photos].")
    ] = None,
    as_json: output.JsonOption = False,
) -> None:
    """Measure live cameras: looks a second, lag, seconds from a frame to its alert, memory; a list of 10,000 faces."""
    folder = photos.folder(portraits)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        clip = home / "clip.mp4"
        if not source:
            bench_video.generate(folder, clip)
        urls = source or [f"{clip.as_uri()}?loop=1"]
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        (home / "overt.toml").write_text(f'webhook_secret = "{secret}"\n')
        with _taking() as taker, engine(home, store=own_store(home)) as opened:
            _enrol(opened, folder)
            streams = [
                _stream(opened, number, urls[number % len(urls)], taker.url, rate, keyframes_only=keyframes)
                for number in range(count)
            ]
            with measuring.serving(home) as server:
                result = _watched(opened, server, streams, taker, warm=warm, seconds=seconds)
    result = {
        "machine": measuring.machine(),
        "cameras": count,
        "sources": "one clip, generated, 720p at 25" if not source else [_shown(url) for url in source],
        "list": f"{bench_video.GALLERY} drawn faces of nobody, and the people of the clip",
        "wanted_looks_per_second": rate,
        **result,
    }
    rows = [(name, value) for name, value in result.items() if name != "streams"]

    def people() -> None:
        output.table(("", ""), rows)
        output.line()
        output.table(tuple(result["streams"][0]), [tuple(row.values()) for row in result["streams"]])

    output.show(result, people, as_json=as_json)


@dataclass(slots=True)
class _Taker:
    """Notes how long after the frame that began a visit its alert came."""

    url: str
    delays: list[tuple[float, float]] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        told = json.loads(body)
        if told["type"] == "alert.begun":
            now = dt.datetime.now(dt.UTC)
            begun = dt.datetime.fromisoformat(told["data"]["Begun"])
            self.delays.append((time.monotonic(), (now - begun).total_seconds()))


@contextmanager
def _taking() -> Iterator[_Taker]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taker.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: it would be a line an alert."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        taker = _Taker(f"http://127.0.0.1:{server.server_address[1]}/alerts")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield taker
        finally:
            server.shutdown()
            thread.join()


def _enrol(opened: Engine, folder: Path) -> None:
    bench_video.enrol(opened)
    for name in photos.PORTRAITS:
        image = {"Bytes": (folder / name).read_bytes()}
        external = Path(name).stem
        local.call(opened, "IndexFaces", CollectionId=_LIST, Image=image, ExternalImageId=external, MaxFaces=1)


def _stream(opened: Engine, number: int, url: str, target: str, rate: float, *, keyframes_only: bool) -> Stream:
    """A camera and its stream, started: a server will find it. Visits are short, so that there are many alerts."""
    account, name = opened.settings.account, f"camera-{number}"
    arn = f"arn:aws:kinesisvideo:{opened.settings.region}:{account}:stream/{name}/1"
    with opened.stores.write() as unit:
        unit.cameras.add(CameraAddress(account, name, arn, url, dt.datetime.now(dt.UTC), keyframes_only))
    local.call(
        opened,
        "CreateStreamProcessor",
        Name=name,
        Input={"KinesisVideoStream": {"Arn": arn}},
        Output={},
        RoleArn=_ROLE,
        Settings={"FaceSearch": {"CollectionId": _LIST, "FaceMatchThreshold": 90}},
    )
    with opened.stores.write() as unit:
        wanted = unit.streams.get(account, name).wanted
        options = Options(targets=(target,), rate=rate, quiet=2.0)
        stream = unit.streams.want(account, name, replace(wanted, options=options))
    local.call(opened, "StartStreamProcessor", Name=name)
    return stream


def _watched(
    opened: Engine,
    server: measuring.Server,
    streams: Sequence[Stream],
    taker: _Taker,
    *,
    warm: float,
    seconds: float,
) -> dict[str, Any]:
    time.sleep(warm)
    before = [_now(opened, stream) for stream in streams]
    began, cpu = time.monotonic(), _cpu(server.pid)
    lags: list[float] = []
    while time.monotonic() < began + seconds:
        time.sleep(_SAMPLE)
        lags.append(max(now.pulse.lag for stream in streams if (now := _now(opened, stream)).pulse))
    passed = time.monotonic() - began
    spent = _cpu(server.pid) - cpu
    after = [_now(opened, stream) for stream in streams]
    delays = sorted(delay for at, delay in taker.delays if at >= began)
    third = max(len(lags) // 3, 1)
    first, last = float(np.median(lags[:third])), float(np.median(lags[-third:]))
    rows = [_row(old, new, passed) for old, new in zip(before, after, strict=True)]
    return {
        "seconds": round(passed, 1),
        "looks_per_second_least": min(row["looks/s"] for row in rows),
        "looks_per_second_all": round(sum(row["looks/s"] for row in rows), 1),
        "lag_ms_first_third": round(first * 1000),
        "lag_ms_last_third": round(last * 1000),
        "lag_grows": last > first * _STEADY + _JITTER,
        "alerts": len(delays),
        "alert_ms_p50": _ms(delays, 0.5),
        "alert_ms_p95": _ms(delays, 0.95),
        "alert_ms_most": _ms(delays, 1.0),
        "camera_mb_resident_most": max(row["MB"] for row in rows),
        "camera_mb_with_its_share_most": round(max(map(_share_mb, measuring.children(server.pid)), default=0)),
        "server_mb_without_cameras": measuring.peak_mb(server.pid),
        "cores_busy": round(spent / passed, 2),
        "streams": rows,
    }


def _row(before: Stream, after: Stream, seconds: float) -> dict[str, Any]:
    old, new = before.pulse, after.pulse
    if old is None or new is None:
        raise output.CommandError(f"{after.name} was not watched: {after.status} {after.message}")
    passed = (new.told - old.told).total_seconds() or seconds
    return {
        "stream": after.name,
        "status": after.status,
        "looks/s": round((new.looked - old.looked) / passed, 2),
        "frames/s": new.frame_rate,
        "lag_ms": round(new.lag * 1000),
        "dropped": new.dropped - old.dropped,
        "reconnects": new.reconnects,
        "faces": new.faces,
        "alerts": new.alerts,
        "MB": round(new.resident / 1e6),
    }


def _now(opened: Engine, stream: Stream) -> Stream:
    with opened.stores.read() as unit:
        return unit.streams.get(stream.account, stream.name)


def _ms(delays: Sequence[float], share: float) -> int | None:
    return round(delays[min(int(len(delays) * share), len(delays) - 1)] * 1000) if delays else None


def _cpu(pid: int) -> float:
    """CPU seconds of a process and those it started, by the kernel's ticks."""
    total = 0.0
    for each in (pid, *measuring.children(pid)):
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _share_mb(pid: int) -> float:
    """What a process holds in memory, pages that others hold as well by its share; 0 for one that decodes no camera."""
    try:
        if b"overt.media.watcher" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0.0
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)


def _shown(url: str) -> str:
    from overt.media.sources.base import redacted

    return redacted(url)
