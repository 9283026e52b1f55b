# SPDX-License-Identifier: Apache-2.0
"""`overt video`: everything that can be told of one video, in words, as JSON, and drawn into a copy of it.

What it says is what a job on a server would say of the same file; knows no models.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import annotating, clips, output, progress
from overt.cli.clips import Seen
from overt.cli.home import engine
from overt.engine import tools
from overt.jobs.task import FRAMES, MATCHES, SPANS
from overt.media.video import VideoError
from overt.ops import entries, show
from overt.types import Finding, Footage
from overt.wire import services, shapes

Answers = Mapping[str, Mapping[str, list[dict[str, Any]]]]
"""By kind and by the name of the list: what a job's Get operation would answer."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to look for. collection: to search, "" = none."""

    names: tuple[str, ...]
    collection: str
    threshold: float
    confidence: float

    def params(self) -> dict[str, dict[str, Any]]:
        """Further parameters of each kind's operation."""
        surely = {"MinConfidence": self.confidence}
        given: Mapping[str, dict[str, Any]] = {
            "labels": surely,
            "moderation": surely,
            "faces": {"FaceAttributes": "ALL"},
            "search": {"CollectionId": self.collection, "FaceMatchThreshold": self.threshold},
            "segments": {"SegmentTypes": ["SHOT", "TECHNICAL_CUE"]},
        }
        return {name: given.get(name, {}) for name in self.names}


def video(
    file: Annotated[Path, typer.Argument(help="MP4, MOV, MKV, WebM or AVI.")],
    labels: Annotated[bool, typer.Option("--labels", help="Name what is seen.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Read what is written.")] = False,
    faces: Annotated[bool, typer.Option("--faces", help="Find and describe faces.")] = False,
    search: Annotated[str, typer.Option("--search", help="Collection to look for the faces in.")] = "",
    people: Annotated[bool, typer.Option("--people", help="Follow people by their bodies.")] = False,
    moderation: Annotated[bool, typer.Option("--moderation", help="Look for unsafe content.")] = False,
    segments: Annotated[bool, typer.Option("--segments", help="Find shots, black frames, bars, credits.")] = False,
    threshold: Annotated[
        float, typer.Option(min=0, max=100, help="Least similarity of --search; 80 = one false match in 1,000.")
    ] = 80,
    confidence: Annotated[
        float, typer.Option(min=0, max=100, help="Least confidence of --labels and --moderation.")
    ] = 50,
    annotated: Annotated[Path | None, typer.Option("--annotated", help="MP4 to draw a copy into.")] = None,
    jsonl: Annotated[Path | None, typer.Option("--jsonl", help="File for what was found, a line each.")] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Look at one video: for what is chosen, or else for all that needs no collection."""
    flags = {
        "labels": labels,
        "text": text,
        "faces": faces,
        "search": bool(search),
        "people": people,
        "moderation": moderation,
        "segments": segments,
    }
    names = tuple(name for name, is_chosen in flags.items() if is_chosen)
    everything = tuple(name for name in flags if name != "search")
    file = file.resolve()
    _check(file, annotated, jsonl)
    quiet = as_json or not sys.stderr.isatty()
    with engine(home, {clips.BUCKET: file.parent}) as opened:
        try:
            opening = clips.opened_clip(opened, file)
        except VideoError as error:
            raise output.CommandError(str(error)) from None
        with opening as clip:
            wanted = Chosen(names or everything, search, threshold, confidence).params()
            tasks, refused = clips.allowed(opened, file, wanted)
            if not tasks or (names and refused):
                raise output.CommandError("; ".join(f"{name}: {why}" for name, why in refused.items()))
            passes = len(clips.groups(tasks))
            with progress.steps("looking", round(clip.footage.duration * passes * 1000), quiet=quiet) as advance:
                seen = clips.look(
                    clip,
                    tasks,
                    tools(opened.settings, opened.models, opened.stores),
                    lambda more: advance(round(more * 1000)),
                )
            footage = clip.footage
            silence = ""
            if annotated:
                with progress.steps("drawing", round(footage.duration * 1000), quiet=quiet) as advance:
                    silence = annotating.annotate(clip, file, annotated, seen, lambda more: advance(round(more * 1000)))
    answers = {name: _answers(name, each, footage) for name, each in seen.items()}
    if jsonl:
        jsonl.write_text("".join(f"{line}\n" for line in _lines(answers)), encoding="utf-8")
    result = {
        "video": str(file),
        "footage": {**show.footage(footage), "AudioMetadata": [show.sound(sound) for sound in footage.sounds]},
        "looked": {name: len(each.times) for name, each in seen.items()},
        "answers": answers,
        "refused": refused,
        "drawn": str(annotated) if annotated else None,
        "sound_left_out": silence or None,
    }

    def words() -> None:
        output.line(
            f"{file.name}: {footage.duration:.1f} s of {footage.codec} in {footage.container}, "
            f"{footage.width} x {footage.height}, {footage.frame_rate:.4g} frames a second"
        )
        for name in wanted:
            output.line()
            if name in refused:
                output.line(f"{name}: refused: {refused[name]}")
            else:
                _WORDS[name](answers[name])
        if annotated:
            output.line(f"\ndrawn in {annotated}" + (f", without sound: {silence}" if silence else ""))

    output.show(result, words, as_json=as_json)


def _check(file: Path, annotated: Path | None, jsonl: Path | None) -> None:
    if not file.is_file():
        raise output.CommandError(f"there is no file {file}")
    for target in (annotated, jsonl):
        if target and not target.resolve().parent.is_dir():
            raise output.CommandError(f"there is no folder {target.parent} to write into")
        if target and target.resolve() == file:
            raise output.CommandError(f"{target} is the video itself; choose another file to write")
    if annotated and annotated.suffix.lower() != ".mp4":
        raise output.CommandError(f"{annotated} must end in .mp4")


# --- as the wire says it ---


def _answers(name: str, seen: Seen, footage: Footage) -> dict[str, list[dict[str, Any]]]:
    frames = [finding for finding in seen.findings if finding.view == FRAMES]
    spans = sorted((finding for finding in seen.findings if finding.view == SPANS), key=_when)
    known = entries.matches(finding for finding in seen.findings if finding.view == MATCHES)
    answered: Mapping[str, tuple[str, Callable[[Finding], dict[str, Any]]]] = {
        "labels": ("Labels", entries.label),
        "moderation": ("ModerationLabels", entries.unsafe),
        "text": ("TextDetections", entries.text),
        "faces": ("Faces", entries.face),
        "people": ("Persons", entries.person),
        "search": ("Persons", lambda one: {**entries.person(one), "FaceMatches": known.get(one.name, [])}),
        "segments": ("Segments", lambda one: entries.segment(one, footage.frame_rate)),
    }
    member, entry = answered[name]
    operation = services.rekognition().operations[clips.KINDS[name].operation.replace("Start", "Get", 1)]

    def rendered(findings: list[Finding]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = shapes.render(operation.output_shape, {member: [entry(one) for one in findings]})[
            member
        ]
        return items

    is_spanned = name in ("labels", "moderation")
    return {member: rendered(frames), **({"Spans": rendered(spans)} if is_spanned else {})}


def _when(finding: Finding) -> tuple[int, str]:
    return finding.time, finding.name


def _lines(answers: Answers) -> Iterator[str]:
    for kind, lists in answers.items():
        for member, items in lists.items():
            for item in items:
                yield json.dumps({"Kind": kind, "List": member, **item}, ensure_ascii=False)


# --- in words ---


def _clock(milliseconds: float) -> str:
    minutes, rest = divmod(round(milliseconds), 60_000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest / 1000:04.1f}"


def _section(what: str, rows: list[tuple[Any, ...]], columns: tuple[str, ...], nothing: str) -> None:
    if rows:
        output.table((what, *columns), rows)
    else:
        output.line(f"{what}: {nothing}")


def _print_labels(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    _section("label", _spans(lists, "Label"), ("confidence", "seen"), "none")


def _print_moderation(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    rows = _spans(lists, "ModerationLabel")
    _section("moderation label", rows, ("confidence", "seen"), "nothing found of what can be told")


def _spans(lists: Mapping[str, list[dict[str, Any]]], noun: str) -> list[tuple[Any, ...]]:
    """A row for each name: how surely at best, and when."""
    spans: dict[str, list[dict[str, Any]]] = {}
    for span in lists["Spans"]:
        spans.setdefault(span[noun]["Name"], []).append(span)
    return [
        (
            name,
            f"{max(span[noun]['Confidence'] for span in some):.1f}",
            _stretches([(span["StartTimestampMillis"], span["EndTimestampMillis"]) for span in some]),
        )
        for name, some in spans.items()
    ]


def _stretches(spans: list[tuple[float, float]]) -> str:
    shown = [f"{_clock(start)} - {_clock(end)}" for start, end in spans[:_MOST]]
    return ", ".join(shown) + (f" and {len(spans) - _MOST} more" if len(spans) > _MOST else "")


_MOST = 4
"""Stretches of time that a row tells of."""


def _print_text(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    lines: dict[str, list[dict[str, Any]]] = {}
    for each in lists["TextDetections"]:
        if each["TextDetection"]["Type"] == "LINE":
            lines.setdefault(each["TextDetection"]["DetectedText"], []).append(each)
    rows = [
        (
            words,
            f"{max(one['TextDetection']['Confidence'] for one in some):.1f}",
            f"{_clock(some[0]['Timestamp'])} - {_clock(some[-1]['Timestamp'])}",
            len(some),
        )
        for words, some in lines.items()
    ]
    _section("line of text", rows, ("confidence", "from first to last seen", "frames"), "none")


def _print_faces(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    counted = Counter(each["Timestamp"] for each in lists["Faces"])
    if not counted:
        output.line("faces: none")
        return
    frames = "frame" if len(counted) == 1 else "frames"
    output.line(
        f"faces: {counted.total()} in {len(counted)} {frames}, at most {max(counted.values())} at once, "
        f"from {_clock(min(counted))} to {_clock(max(counted))}"
    )


def _print_search(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    rows = []
    for index, some in _persons(lists).items():
        matches = some[0]["FaceMatches"]
        told = ", ".join(f"{annotating.known(match)} {match['Similarity']:.1f}" for match in matches[:_MOST])
        rows.append((index, *_path(some), told or "no match"))
    _section("person", rows, ("seen", "frames", "looks like"), "no face that could be followed")


def _print_people(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    rows = [
        (index, *_path(some), sum("Face" in one["Person"] for one in some)) for index, some in _persons(lists).items()
    ]
    _section("person", rows, ("seen", "frames", "with a face"), "nobody")


def _persons(lists: Mapping[str, list[dict[str, Any]]]) -> dict[int, list[dict[str, Any]]]:
    persons: dict[int, list[dict[str, Any]]] = {}
    for each in lists["Persons"]:
        persons.setdefault(each["Person"]["Index"], []).append(each)
    return dict(sorted(persons.items()))


def _path(some: list[dict[str, Any]]) -> tuple[str, int]:
    return f"{_clock(some[0]['Timestamp'])} - {_clock(some[-1]['Timestamp'])}", len(some)


def _print_segments(lists: Mapping[str, list[dict[str, Any]]]) -> None:
    rows = []
    for one in lists["Segments"]:
        shot, cue = one.get("ShotSegment"), one.get("TechnicalCueSegment")
        confidence = (shot or cue or {}).get("Confidence", 0.0)
        told = f"shot {shot['Index'] + 1}" if shot else (cue or {}).get("Type", "")
        codes = one["StartTimecodeSMPTE"], one["EndTimecodeSMPTE"], one["DurationSMPTE"]
        rows.append((told, *codes, f"{confidence:.1f}"))
    _section("segment", rows, ("from", "to", "lasts", "confidence"), "none")


_WORDS: Mapping[str, Callable[[Mapping[str, list[dict[str, Any]]]], None]] = {
    "labels": _print_labels,
    "text": _print_text,
    "faces": _print_faces,
    "search": _print_search,
    "people": _print_people,
    "moderation": _print_moderation,
    "segments": _print_segments,
}
