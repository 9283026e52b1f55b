# SPDX-License-Identifier: Apache-2.0
"""`overt bench`: how fast is it on this machine? Prints figures; judges nothing."""

from __future__ import annotations

import configparser
import io
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image as Pillow
from PIL import ImageOps

from overt.cli import output, photos
from overt.cli.home import engine
from overt.engine import Engine
from overt.models.tasks.embed import chip
from overt.types import Face, Floats, Image

app = typer.Typer(help="Benchmarks.", no_args_is_help=True)

SIDE = 640  # pixels of the longer side of every test picture
_NOTHING: frozenset[str] = frozenset()


@app.callback()
def _group() -> None:
    """Benchmarks print figures of this machine; compare only figures of one run."""


@app.command("faces")
def faces(
    folder: Annotated[
        Path | None, typer.Option("--photos", help="Folder of the sample photos [default: OVERT_PHOTOS, or .photos].")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Passes over the pictures for the stages.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long to call the server.")] = 10,
    clients: Annotated[int, typer.Option(min=1, help="boto3 clients calling at once.")] = 4,
    as_json: output.JsonOption = False,
) -> None:
    """Measure face work: CPU per stage, calls through HTTP, memory, and the face_recognition package beside it."""
    pictures = [_at_side(photos.folder(folder) / name) for name in photos.PORTRAITS]
    with tempfile.TemporaryDirectory() as home:
        with engine(Path(home)) as opened:
            stages = _stages(opened, pictures, rounds)
        served = _served(Path(home) / "served", pictures, seconds, clients)
        peer = _peer(pictures, rounds)
    own = stages["detect"] + stages["align"] + stages["embed"]
    if "detect" in peer:
        peer["times_slower"] = round((peer["detect"] + peer["embed"]) / own, 2)
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "pictures": f"{len(pictures)} portraits, {SIDE} px",
        "cpu_ms_per_picture": {**stages, "detect+align+embed": round(own, 2)},
        "http": served,
        "face_recognition": peer,
    }
    output.show(result, lambda: _print(result), as_json=as_json)


def _print(result: dict[str, Any]) -> None:
    output.line(f"{result['machine']}; {result['pictures']}\n")
    output.table(("stage, one thread", "CPU ms a picture"), result["cpu_ms_per_picture"].items())
    output.line()
    output.table(("server", ""), result["http"].items())
    output.line()
    output.table(("face_recognition (dlib), same pictures", ""), result["face_recognition"].items())


def _at_side(path: Path) -> bytes:
    """A photo as a JPEG whose longer side has SIDE pixels."""
    with Pillow.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    ratio = SIDE / max(picture.size)
    picture = picture.resize((round(picture.width * ratio), round(picture.height * ratio)), Pillow.Resampling.LANCZOS)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


# --- stages, in this process ---


def _stages(opened: Engine, pictures: list[bytes], rounds: int) -> dict[str, float]:
    """CPU ms of each stage for one picture: the median over rounds of the mean over pictures."""
    opened.start()
    models, workers = opened.models.faces, opened.media.sandbox.pids
    images: list[Image] = [opened.media.decode(raw) for raw in pictures]
    found = [models.detect(image)[0] for image in images]
    pairs = list(zip(images, found, strict=True))

    def both() -> float:
        return time.thread_time() + sum(_cpu_seconds(pid) for pid in workers)

    work: dict[str, tuple[Callable[[], float], Callable[[], Any]]] = {
        "decode": (both, lambda: [opened.media.decode(raw) for raw in pictures]),
        "detect": (time.thread_time, lambda: [models.detect(image) for image in images]),
        "describe": (time.thread_time, lambda: [models.describe(image, face, _NOTHING) for image, face in pairs]),
        "align": (time.thread_time, lambda: [chip(image.pixels, _points(image, face)) for image, face in pairs]),
        "embed": (time.thread_time, lambda: [models.embed(image, face) for image, face in pairs]),
    }
    spent = {name: _median_ms(clock, act, rounds, len(pictures)) for name, (clock, act) in work.items()}
    spent["embed"] = round(spent["embed"] - spent["align"], 2)  # embedding a face begins with aligning it
    return spent


def _points(image: Image, face: Face) -> Floats:
    """A face's five points in pixels."""
    return np.asarray(face.points * np.array([image.width, image.height], np.float32), np.float32)


def _median_ms(clock: Callable[[], float], act: Callable[[], Any], rounds: int, pictures: int) -> float:
    act()
    spent = []
    for _ in range(rounds):
        start = clock()
        act()
        spent.append((clock() - start) / pictures * 1000)
    return round(statistics.median(spent), 2)


def _cpu_seconds(pid: int) -> float:
    """CPU time of another process; 0 where the kernel does not tell to the nanosecond."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


# --- the server, through HTTP ---


def _served(home: Path, pictures: list[bytes], seconds: float, clients: int) -> dict[str, Any]:
    with _server(home) as server:
        memory = sum(_resident_mb(pid) for pid in [server.pid, *_children(server.pid)])
        rate, p50, p95 = _load(server, home, pictures, seconds, clients)
    return {
        "ready after, s": round(server.ready_seconds, 2),
        "memory when idle, MB (workers included)": round(memory),
        f"DetectFaces per second ({clients} boto3 clients on the same cores)": round(rate, 1),
        "p50, ms": round(p50 * 1000, 1),
        "p95, ms": round(p95 * 1000, 1),
    }


@dataclass(frozen=True, slots=True)
class _Server:
    pid: int
    url: str
    ready_seconds: float


@contextmanager
def _server(home: Path) -> Iterator[_Server]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "overt", "up", "--port", "0", "--home", str(home), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise output.CommandError("the server did not start; try `overt up`")
            yield _Server(process.pid, json.loads(line)["ready"], time.perf_counter() - started)
        finally:
            process.terminate()


def _load(
    server: _Server, home: Path, pictures: list[bytes], seconds: float, clients: int
) -> tuple[float, float, float]:
    """Calls per second, and the median and 95th percentile of a call's seconds."""
    callers = [_client(server, home) for _ in range(clients)]
    start_line = threading.Barrier(clients)

    def call(client: Any) -> list[float]:
        start_line.wait()
        spent: list[float] = []
        end = time.perf_counter() + seconds
        while not spent or time.perf_counter() < end:
            start = time.perf_counter()
            client.detect_faces(Image={"Bytes": pictures[len(spent) % len(pictures)]})
            spent.append(time.perf_counter() - start)
        return spent

    with ThreadPoolExecutor(clients) as threads:
        started = time.perf_counter()
        spent = sorted(itertools.chain.from_iterable(threads.map(call, callers)))
        elapsed = time.perf_counter() - started
    return len(spent) / elapsed, spent[len(spent) // 2], spent[int(len(spent) * 0.95)]


def _client(server: _Server, home: Path) -> Any:
    """A boto3 client with the owner's keys, whatever other AWS settings this shell has."""
    import boto3

    credentials = configparser.ConfigParser()
    credentials.read(home / "credentials")
    owner = credentials["default"]
    os.environ.pop("AWS_PROFILE", None)  # boto3 stops at a profile it cannot find, although none is needed here
    return boto3.session.Session().client(
        "rekognition",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=owner["aws_access_key_id"],
        aws_secret_access_key=owner["aws_secret_access_key"],
    )


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


def _children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


# --- the peer ---


def _peer(pictures: list[bytes], rounds: int) -> dict[str, Any]:
    """The same work by face_recognition: HOG detector without upsampling, so at the pictures' own SIDE pixels."""
    try:
        import face_recognition
    except (ImportError, SystemExit):  # without its weights it prints advice and exits
        return {"not measured": "pip install face_recognition to compare (it brings weights under other terms)"}
    loaded = [face_recognition.load_image_file(io.BytesIO(raw)) for raw in pictures]

    def detect() -> Any:
        return [face_recognition.face_locations(image, number_of_times_to_upsample=0) for image in loaded]

    found = detect()
    boxes = [locations[:1] for locations in found]

    def embed() -> Any:
        return [
            face_recognition.face_encodings(image, box) if box else [] for image, box in zip(loaded, boxes, strict=True)
        ]

    faces_found = sum(bool(box) for box in boxes)
    few = max(2, rounds // 4)
    return {
        "detect": _median_ms(time.thread_time, detect, few, len(pictures)),
        "embed": _median_ms(time.thread_time, embed, few, max(faces_found, 1)),
        "pictures with a face found": f"{faces_found} of {len(pictures)}",
    }
