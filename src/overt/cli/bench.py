# SPDX-License-Identifier: Apache-2.0
"""`overt bench`: how fast is it on this machine? Prints figures; judges nothing."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import bench_cameras, bench_search, bench_video, measuring, output, photos, pictures
from overt.cli.home import engine, own_store
from overt.cli.measuring import Act
from overt.cli.pictures import SIDE
from overt.engine import Engine
from overt.errors import WireError
from overt.govern.gate import OWNER
from overt.models.tasks.embed import chip
from overt.ops import registry
from overt.types import Call, Caller, Face, Floats, Image

app = typer.Typer(help="Benchmarks.", no_args_is_help=True)
app.command("search")(bench_search.search)
app.command("video")(bench_video.video)
app.command("cameras")(bench_cameras.cameras)

PhotosOption = Annotated[
    Path | None, typer.Option("--photos", help="Folder of the sample photos [default: OVERT_PHOTOS, or .photos].")
]
_NOTHING: frozenset[str] = frozenset()


@app.callback()
def _group() -> None:
    """Benchmarks print figures of this machine; compare only figures of one run."""


# --- faces ---


@app.command("faces")
def faces(
    folder: PhotosOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="Passes over the pictures for the stages.")] = 10,
    seconds: Annotated[float, typer.Option(min=1, help="How long to call the server.")] = 10,
    clients: Annotated[int, typer.Option(min=1, help="boto3 clients calling at once.")] = 4,
    as_json: output.JsonOption = False,
) -> None:
    """Measure face work: CPU per stage, calls through HTTP, memory, and the face_recognition package beside it."""
    portraits = [pictures.at_side(photos.folder(folder) / name) for name in photos.PORTRAITS]
    with tempfile.TemporaryDirectory() as home:
        with engine(Path(home), store=own_store(Path(home))) as opened:
            stages = _stages(opened, portraits, rounds)
        served = _faces_served(Path(home) / "served", portraits, seconds, clients)
        peer = _peer(portraits, rounds)
    own = stages["detect"] + stages["align"] + stages["embed"]
    if "detect" in peer:
        peer["times_slower"] = round((peer["detect"] + peer["embed"]) / own, 2)
    result = {
        "machine": measuring.machine(),
        "pictures": f"{len(portraits)} portraits, {SIDE} px",
        "cpu_ms_per_picture": {**stages, "detect+align+embed": round(own, 2)},
        "http": served,
        "face_recognition": peer,
    }
    output.show(result, lambda: _print_faces(result), as_json=as_json)


def _print_faces(result: dict[str, Any]) -> None:
    output.line(f"{result['machine']}; {result['pictures']}\n")
    output.table(("stage, one thread", "CPU ms a picture"), result["cpu_ms_per_picture"].items())
    output.line()
    output.table(("server", ""), result["http"].items())
    output.line()
    output.table(("face_recognition (dlib), same pictures", ""), result["face_recognition"].items())


def _stages(opened: Engine, portraits: list[bytes], rounds: int) -> dict[str, float]:
    """CPU ms of each stage for one picture: the median over rounds of the mean over pictures."""
    opened.start()
    models = opened.models.faces
    images: list[Image] = [opened.media.decode(raw) for raw in portraits]
    found = [models.detect(image)[0] for image in images]
    pairs = list(zip(images, found, strict=True))
    own, both = measuring.cpu(), measuring.cpu(opened.media.sandbox.pids)
    work: dict[str, tuple[Callable[[], float], Act]] = {
        "decode": (both, lambda: [opened.media.decode(raw) for raw in portraits]),
        "detect": (own, lambda: [models.detect(image) for image in images]),
        "describe": (own, lambda: [models.describe(image, face, _NOTHING) for image, face in pairs]),
        "align": (own, lambda: [chip(image.pixels, _points(image, face)) for image, face in pairs]),
        "embed": (own, lambda: [models.embed(image, face) for image, face in pairs]),
    }
    spent = {name: measuring.median_ms(clock, act, rounds, len(portraits)) for name, (clock, act) in work.items()}
    spent["embed"] = round(spent["embed"] - spent["align"], 2)  # embedding a face begins with aligning it
    return spent


def _points(image: Image, face: Face) -> Floats:
    """A face's five points in pixels."""
    return np.asarray(face.points * np.array([image.width, image.height], np.float32), np.float32)


def _faces_served(home: Path, portraits: list[bytes], seconds: float, clients: int) -> dict[str, Any]:
    def ask(client: Any, raw: bytes) -> None:
        client.detect_faces(Image={"Bytes": raw})

    with measuring.serving(home) as server:
        memory = server.memory_mb()
        done = measuring.load(server, ask, portraits, seconds, clients)
    return {
        "ready after, s": round(server.ready_seconds, 2),
        "memory when idle, MB (workers included)": memory,
        f"DetectFaces per second ({clients} boto3 clients on the same cores)": round(done.per_second, 1),
        "p50, ms": round(done.p50 * 1000, 1),
        "p95, ms": round(done.p95 * 1000, 1),
    }


def _peer(portraits: list[bytes], rounds: int) -> dict[str, Any]:
    """The same work by face_recognition: HOG detector without upsampling, so at the pictures' own SIDE pixels."""
    try:
        import face_recognition
    except (ImportError, SystemExit):  # without its weights it prints advice and exits
        return {"not measured": "pip install face_recognition to compare (it brings weights under other terms)"}
    loaded = [face_recognition.load_image_file(io.BytesIO(raw)) for raw in portraits]

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
        "detect": measuring.median_ms(time.thread_time, detect, few, len(portraits)),
        "embed": measuring.median_ms(time.thread_time, embed, few, max(faces_found, 1)),
        "pictures with a face found": f"{faces_found} of {len(portraits)}",
    }


# --- everything else in a picture ---


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to measure: an operation on pictures. method: boto3's name of it."""

    operation: str
    method: str
    seen: tuple[bytes, ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def ask(self, client: Any, raw: bytes) -> Any:
        """Call it through boto3."""
        return getattr(client, self.method)(Image={"Bytes": raw}, **self.params)


@app.command("pictures")
def measure_pictures(
    folder: PhotosOption = None,
    rounds: Annotated[int, typer.Option(min=1, help="Passes over the pictures for each operation.")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="How long to call the server, for each operation.")] = 5,
    clients: Annotated[int, typer.Option(min=1, help="boto3 clients calling at once.")] = 4,
    as_json: output.JsonOption = False,
) -> None:
    """Measure labels, text, moderation, colours and protective equipment: CPU, calls through HTTP, memory."""
    where = photos.folder(folder)
    seen = (*(pictures.at_side(where / name) for name in photos.PORTRAITS), pictures.still(where))
    plan = _plan(seen)
    with tempfile.TemporaryDirectory() as home:
        with engine(Path(home), store=own_store(Path(home))) as opened:
            spent, refused = _spent(opened, plan, rounds)
        plan = {name: work for name, work in plan.items() if name in spent}
        rows, server = _served(Path(home) / "served", plan, seen, seconds, clients)
    result = {
        "machine": measuring.machine(),
        "pictures": f"{len(seen)} photos, {SIDE} px, and a sign of {pictures.SIGN_SIDE} px",
        "clients": f"{clients} boto3 clients on the same cores",
        "operations": {name: {"cpu_ms_per_picture": spent[name], **rows[name]} for name in plan},
        "not_measured": refused,
        "server": server,
    }
    output.show(result, lambda: _print_pictures(result), as_json=as_json)


def _plan(seen: tuple[bytes, ...]) -> dict[str, Work]:
    plain = seen[-1:]  # no letter in it
    lines = f"{len(pictures.SIGN)} lines"
    return {
        "DetectLabels": Work("DetectLabels", "detect_labels", seen),
        "DetectModerationLabels": Work("DetectModerationLabels", "detect_moderation_labels", seen),
        f"DetectText, sign of {lines}": Work("DetectText", "detect_text", (pictures.sign(),)),
        "DetectText, no text": Work("DetectText", "detect_text", plain),
        "IMAGE_PROPERTIES": Work("DetectLabels", "detect_labels", seen, {"Features": ["IMAGE_PROPERTIES"]}),
        "DetectProtectiveEquipment": Work("DetectProtectiveEquipment", "detect_protective_equipment", seen),
    }


def _spent(opened: Engine, plan: Mapping[str, Work], rounds: int) -> tuple[dict[str, float], dict[str, str]]:
    """CPU ms of each operation for one picture, decoding included, and why others were not measured."""
    opened.start()
    clock = measuring.cpu(opened.media.sandbox.pids)
    caller = Caller("local", opened.settings.account, OWNER)
    spent, refused = {}, {}
    for name, work in plan.items():
        operation = registry.find(work.operation)
        calls = [
            Call("", work.operation, {"Image": {"Bytes": raw}, **work.params}, caller, opened.settings.region, "")
            for raw in work.seen
        ]

        def act(operation: registry.Operation = operation, calls: list[Call] = calls) -> None:
            for call in calls:
                operation(call, opened)

        try:
            spent[name] = measuring.median_ms(clock, act, rounds, len(calls))
        except WireError as error:
            refused[name] = " ".join(filter(None, [error.text, error.detail]))
    return spent, refused


def _served(
    home: Path, plan: Mapping[str, Work], portraits: tuple[bytes, ...], seconds: float, clients: int
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Figures of each operation through HTTP, and of the server."""
    rows = {}
    with measuring.serving(home) as server:
        before = server.memory_mb()
        first = server.client()
        for work in plan.values():
            work.ask(first, work.seen[0])
        portrait = {"Bytes": portraits[0]}
        first.detect_faces(Image=portrait, Attributes=["ALL"])
        first.compare_faces(SourceImage=portrait, TargetImage=portrait)
        loaded = server.memory_mb()
        for name, work in plan.items():
            done = measuring.load(server, work.ask, work.seen, seconds, clients)
            rows[name] = {
                "pictures_per_second": round(done.per_second, 1),
                "p50_ms": round(done.p50 * 1000, 1),
                "p95_ms": round(done.p95 * 1000, 1),
            }
        after = server.memory_mb()
    return rows, {
        "ready after, s": round(server.ready_seconds, 2),
        "memory before the first call, MB (workers included)": before,
        "memory after all models are loaded, MB": loaded,
        "memory after all calls, MB": after,
    }


def _print_pictures(result: dict[str, Any]) -> None:
    output.line(f"{result['machine']}; {result['pictures']}; {result['clients']}\n")
    output.table(
        ("operation", "CPU ms a picture, one thread", "pictures a second", "p50 ms", "p95 ms"),
        [(name, *row.values()) for name, row in result["operations"].items()],
    )
    for name, reason in result["not_measured"].items():
        output.line(f"{name}: not measured: {reason}")
    output.line()
    output.table(("server", ""), result["server"].items())
