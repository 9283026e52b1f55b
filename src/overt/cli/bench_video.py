# SPDX-License-Identifier: Apache-2.0
"""`overt bench video`: how fast stored videos are looked at, what of it costs what, and how much memory it takes.

Each kind is measured alone, as a job does it, in this process; a server of its own then does the same jobs, and its
memory is read meanwhile.
"""

from __future__ import annotations

import cProfile
import itertools
import pstats
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import av
import numpy as np
import typer
from PIL import Image as Pictures

from overt.cli import clips, measuring, output, photos
from overt.cli.home import engine, own_store
from overt.cli.people import Statistics, draw
from overt.engine import Engine, tools
from overt.jobs import analysis
from overt.jobs.task import Task
from overt.stores.base import Checkpoint, Roll
from overt.types import Box, Face, Image, Pixels, Stored
from overt.wire import local

AIMS: Mapping[str, float] = {"search": 6.0, "labels": 4.0}
"""Times real time on two cores that are aimed at: at 5 looks a second for search, 2 for labels."""
GALLERY = 10_000
_COLLECTION = "bench"
_WIDTH, _HEIGHT, _RATE, _SECONDS = 1280, 720, 25, 20
_FACE = 300  # pixels of the generated clip's portraits
_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi"})
_POLL = 0.05  # seconds between two questions whether a job is over
_BOX = Box(0.1, 0.1, 0.5, 0.5)
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "search": {"CollectionId": _COLLECTION},
    "labels": {},
    "people": {},
    "text": {},
    "segments": {"SegmentTypes": ["SHOT", "TECHNICAL_CUE"]},
}


def video(
    folder: Annotated[
        Path | None, typer.Option("--clips", help="Folder of videos [default: one is generated, 720p at 25].")
    ] = None,
    portraits: Annotated[
        Path | None, typer.Option("--photos", help="Folder of the sample photos [default: OVERT_PHOTOS, or .photos].")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="Seconds of video to look at for each kind; clips are looped.")
    ] = 60,
    served: Annotated[bool, typer.Option(help="Also let a server do the jobs, and tell its memory.")] = True,
    as_json: output.JsonOption = False,
) -> None:
    """Measure stored video: face search in 10,000 faces, labels, people, text, segments."""
    with tempfile.TemporaryDirectory() as home:
        bucket = Path(home) / "buckets" / clips.BUCKET
        bucket.mkdir(parents=True)
        names = _gather(folder, portraits, bucket)
        with engine(Path(home), store=own_store(Path(home))) as opened:
            enrol(opened)
            rows = {kind: _measured(opened, bucket, names, kind, seconds) for kind in _KINDS}
        server = _served(Path(home), names) if served else {}
    result = {
        "machine": measuring.machine(),
        "clips": names if folder else f"one, generated: {_SECONDS} s of 720p at {_RATE}",
        "gallery": f"{GALLERY} drawn faces of nobody",
        "seconds": seconds,
        "kinds": rows,
        "server": server,
    }
    output.show(result, lambda: _print(result), as_json=as_json)


def _print(result: dict[str, Any]) -> None:
    made = result["clips"] if isinstance(result["clips"], str) else ", ".join(result["clips"])
    output.line(f"{result['machine']}; clips: {made}; {result['gallery']}\n")
    headings = ("kind", "looks a second", "times real time", "aim", "CPU ms a look", "worker's", "worker's peak MB")
    keys = ("looks_per_second", "times_real_time", "aim", "cpu_ms_per_look", "worker_cpu_ms_per_look", "worker_peak_mb")
    rows = [(kind, *("-" if row[key] is None else row[key] for key in keys)) for kind, row in result["kinds"].items()]
    output.table(headings, rows)
    for kind, row in result["kinds"].items():
        output.line(f"\n{kind}: CPU ms a look")
        output.table(("stage", ""), row["stages_cpu_ms_per_look"].items())
    if result["server"]:
        output.line()
        output.table(("server", ""), result["server"].items())


# --- what is looked at ---


def _gather(folder: Path | None, portraits: Path | None, bucket: Path) -> list[str]:
    """Names of the clips, which are put into the bucket. Raises: CommandError."""
    if folder is None:
        generate(photos.folder(portraits), bucket / "generated.mp4")
        return ["generated.mp4"]
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not found:
        raise output.CommandError(f"there are no videos ({', '.join(sorted(_SUFFIXES))}) in {folder}")
    for path in found:
        shutil.copy(path, bucket)
    return [path.name for path in found]


def generate(portraits: Path, target: Path) -> None:
    """A clip of 720p at 25 frames a second: portraits that pass before the sample photos, a cut every five seconds."""
    people = [_scaled(portraits / name, _FACE) for name in photos.PORTRAITS]
    with av.open(str(target), "w", format="mp4") as container:
        stream = container.add_stream("libx264", _RATE, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for number in range(_SECONDS * _RATE):
            shot, at = divmod(number, 5 * _RATE)
            sheet = _backdrop(shot)
            for place in range(2):
                who = people[(2 * shot + place) % len(people)]
                share = (at / (5 * _RATE) + place / 2) % 1
                left = round(share * (_WIDTH - who.shape[1]))
                top = 100 + place * 280
                sheet[top : top + who.shape[0], left : left + who.shape[1]] = who[: _HEIGHT - top]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(sheet, "rgb24")))
        container.mux(stream.encode(None))


def _scaled(path: Path, height: int) -> Pixels:
    with Pictures.open(path) as opened:
        picture = opened.convert("RGB")
    return np.asarray(picture.resize((round(picture.width * height / picture.height), height)), np.uint8)


def _backdrop(shot: int) -> Pixels:
    """Smooth noise, another in each shot."""
    noise = np.random.default_rng(shot).integers(40, 200, (9, 16, 3), np.uint8)
    return np.array(Pictures.fromarray(noise).resize((_WIDTH, _HEIGHT), Pictures.Resampling.BICUBIC), np.uint8)


def enrol(opened: Engine) -> None:
    """A collection `bench` of that many drawn faces of nobody."""
    local.call(opened, "CreateCollection", CollectionId=_COLLECTION)
    models = opened.models.faces
    nobody = Face(_BOX, 1.0, np.linspace(0.2, 0.8, 10, dtype=np.float32).reshape(5, 2))
    size = models.embed(Image(np.zeros((112, 112, 3), np.uint8), ""), nobody).vector.size
    halves = draw(Statistics.assumed(size), GALLERY, 0).halves
    ids = [str(uuid.uuid4()) for _ in halves]
    boxes = np.tile(np.array([_BOX.left, _BOX.top, _BOX.width, _BOX.height]), (GALLERY, 1))
    nobodies = [None] * GALLERY
    with opened.stores.write() as unit:
        collection = unit.collections.get(opened.settings.account, _COLLECTION)
        roll = Roll(ids, ids, nobodies, boxes, np.ones(GALLERY), nobodies, halves)
        unit.faces.load(collection, models.model, roll)


# --- measured ---


@dataclass(slots=True)
class Spent:
    """What looking took. own, worker: CPU seconds of this process and of the one that decodes. peak: MB of that one."""

    video: float = 0.0
    looks: int = 0
    wall: float = 0.0
    own: float = 0.0
    worker: float = 0.0
    peak: int = 0


def _measured(opened: Engine, bucket: Path, names: Sequence[str], kind: str, seconds: float) -> dict[str, Any]:
    """Figures of one kind. Raises: CommandError when it cannot be done here."""
    sought, refused = clips.allowed(opened, bucket / names[0], {kind: _KINDS[kind]})
    if refused:
        raise output.CommandError(f"{kind}: {refused[kind]}")
    task = sought[kind]
    _look(opened, names[0], task, Spent())  # models load with the first look
    spent, profile = Spent(), cProfile.Profile(time.process_time)
    for name in itertools.cycle(names):
        _look(opened, name, task, spent)
        if spent.video >= seconds:
            break
    counted = Spent()
    profile.enable()
    _look(opened, names[0], task, counted, threads=0)  # a profile sees this thread only
    profile.disable()
    stages = {stage: seconds / counted.looks * 1000 for stage, seconds in _stages(profile).items()}
    return {
        "looks_per_second": task.rate,
        "times_real_time": round(spent.video / spent.wall, 2),
        "aim": AIMS.get(kind),
        "cpu_ms_per_look": round(spent.own / spent.looks * 1000, 2),
        "worker_cpu_ms_per_look": round(spent.worker / spent.looks * 1000, 2),
        "worker_peak_mb": spent.peak,
        "stages_cpu_ms_per_look": {stage: round(value, 2) for stage, value in stages.items()},
    }


def _look(opened: Engine, name: str, task: Task, spent: Spent, threads: int | None = None) -> None:
    """Look at a whole clip as a job does, but for keeping what is found."""
    with opened.media.video(Stored(clips.BUCKET, name)) as video:
        pid = video.pid or 0
        together = clips.Together({"": task}, lambda _: None)
        wall, own, worker = time.perf_counter(), time.process_time(), measuring.cpu_seconds(pid)
        with_all = tools(opened.settings, opened.models, opened.stores)
        chosen = with_all if threads is None else replace(with_all, threads=threads)
        for _ in analysis.look(video, together, chosen, Checkpoint(0.0, "")):
            pass
        spent.wall += time.perf_counter() - wall
        spent.own += time.process_time() - own
        spent.worker += measuring.cpu_seconds(pid) - worker
        spent.peak = max(spent.peak, measuring.peak_mb(pid))
        spent.video += video.footage.duration
        spent.looks += len(together.seen[""].times)


_STAGES: Mapping[tuple[str, str], str] = {
    ("media/video.py", "_frame"): "take a frame from the worker",
    ("tasks/faces.py", "detect"): "detect faces",
    ("tasks/faces.py", "describe"): "describe faces",
    ("tasks/faces.py", "embed"): "embed faces",
    ("tracking/tracker.py", "update"): "track",
    ("tracking/looks.py", "looks"): "colours of clothes",
    ("tasks/search.py", "_matches"): "search the collection",
    ("tasks/scenes.py", "objects"): "detect objects",
    ("tasks/scenes.py", "labels_of"): "labels, objects among them",
    ("tasks/text.py", "read"): "read text",
    ("jobs/segments.py", "see"): "cuts and cues",
    ("stores/plain.py", "write"): "write what was found",
}
"""Functions by file and name that are told of, and what they do."""


def _stages(profile: cProfile.Profile) -> dict[str, float]:
    """CPU seconds of this process in each stage, the profiler's own cost in them."""
    found: dict[str, float] = {}
    for (file, _, function), figures in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]  # untyped
        for (end, name), stage in _STAGES.items():
            if file.endswith(end) and function == name:
                found[stage] = found.get(stage, 0.0) + figures[3]
    return dict(sorted(found.items(), key=lambda item: -item[1]))


# --- a server ---


_CALLS: Mapping[str, tuple[str, str]] = {
    "search": ("start_face_search", "get_face_search"),
    "labels": ("start_label_detection", "get_label_detection"),
}


def _served(home: Path, names: Sequence[str]) -> dict[str, Any]:
    """Jobs of a server, one after another: how fast, and the most memory it held."""
    told: dict[str, Any] = {}
    with measuring.serving(home) as server:
        client = server.client()
        told["memory before the first job, MB"] = server.memory_mb()
        for kind, (start, get) in _CALLS.items():
            began, length = time.perf_counter(), 0.0
            for name in names:
                video = {"S3Object": {"Bucket": clips.BUCKET, "Name": name}}
                job = getattr(client, start)(Video=video, **_KINDS[kind])["JobId"]
                while (answer := getattr(client, get)(JobId=job, MaxResults=1))["JobStatus"] == "IN_PROGRESS":
                    time.sleep(_POLL)
                if answer["JobStatus"] != "SUCCEEDED":
                    raise output.CommandError(f"the job on {name} failed: {answer.get('StatusMessage')}")
                length += answer["VideoMetadata"]["DurationMillis"] / 1000
            told[f"{kind} job from call to answer, times real time"] = round(length / (time.perf_counter() - began), 2)
        told["memory at most, without workers, MB"] = measuring.peak_mb(server.pid)
    return told
