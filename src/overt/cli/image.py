# SPDX-License-Identifier: Apache-2.0
"""`overt image`: everything that can be told of one picture, in words and drawn into it.

Asks through the operations that a server offers; knows no models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import drawing, output
from overt.cli.drawing import Ink, Mark
from overt.cli.home import engine
from overt.engine import Engine
from overt.errors import WireError
from overt.models.tasks.equipment import KINDS
from overt.ops.images import unsupported_attributes
from overt.wire import local

BUCKET = "image"


@dataclass(frozen=True, slots=True)
class Analysis:
    """One thing to ask of a picture. ink: of what it marks."""

    operation: str
    ink: Ink
    params: Mapping[str, Any] = field(default_factory=dict)


ANALYSES: Mapping[str, Analysis] = {
    "labels": Analysis("DetectLabels", drawing.BLUE, {"Features": ["GENERAL_LABELS"]}),
    "text": Analysis("DetectText", drawing.ORANGE),
    "faces": Analysis("DetectFaces", drawing.PURPLE, {"Attributes": ["ALL"]}),
    "moderation": Analysis("DetectModerationLabels", drawing.RED),
    "equipment": Analysis("DetectProtectiveEquipment", drawing.TEAL),
    # Not asked with the labels: a server without models for those can tell colours all the same.
    "colours": Analysis("DetectLabels", drawing.GREY, {"Features": ["IMAGE_PROPERTIES"]}),
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of the analyses, by name.

    found: answers of the wire. refused: why there is none, in words. unsupported: what the installed models cannot
    tell, of those answered.
    """

    found: Mapping[str, dict[str, Any]]
    refused: Mapping[str, str]
    unsupported: Mapping[str, list[str]]

    def items(self, name: str, member: str) -> list[dict[str, Any]]:
        """A list of an answer; empty without one."""
        return list(self.found.get(name, {}).get(member) or ())

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Lines of text, without their words."""
        return [one for one in self.items("text", "TextDetections") if one["Type"] == "LINE"]

    @property
    def colours(self) -> list[dict[str, Any]]:
        """Dominant colours of the whole picture."""
        return list(self.found.get("colours", {}).get("ImageProperties", {}).get("DominantColors") or ())


def image(
    photo: Annotated[Path, typer.Argument(help="JPEG or PNG.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="PNG to draw into [default: PHOTO's name with -overt.png, here].")
    ] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Run every analysis on one picture: labels, text, faces, moderation, protective equipment, colours."""
    photo, target = photo.resolve(), out or Path(f"{photo.stem}-overt.png")
    if not photo.is_file():
        raise output.CommandError(f"there is no file {photo}")
    if not target.parent.is_dir():
        raise output.CommandError(f"there is no folder {target.parent} to draw into")
    with engine(home, {BUCKET: photo.parent}) as opened:
        pixels = opened.media.decode(photo.read_bytes()).pixels
        answers = _ask(opened, photo.name)
    if answers.found:
        notes = list(_notes(answers))
        drawing.annotated(pixels, list(_marks(answers)), notes, list(_swatches(answers))).save(target, "PNG")
    height, width = pixels.shape[:2]
    result = {
        "picture": str(photo),
        "width": width,
        "height": height,
        "drawn": str(target) if answers.found else None,
        "answers": answers.found,
        "refused": answers.refused,
        "unsupported": answers.unsupported,
    }

    def people() -> None:
        output.line(f"{photo.name}: {width} x {height} pixels")
        _print(answers)
        if answers.found:
            output.line(f"\ndrawn in {target}")

    output.show(result, people, as_json=as_json)
    if not answers.found:
        raise output.CommandError("every analysis was refused")


def _ask(opened: Engine, name: str) -> Answers:
    found, refused, unsupported = {}, {}, {}
    picture = {"S3Object": {"Bucket": BUCKET, "Name": name}}
    for title, analysis in ANALYSES.items():
        try:
            found[title] = local.call(opened, analysis.operation, Image=picture, **analysis.params)
        except WireError as error:
            refused[title] = " ".join(filter(None, [error.text, error.detail]))
            continue
        if title in _UNSUPPORTED:
            unsupported[title] = _UNSUPPORTED[title](opened)
    return Answers(found, refused, unsupported)


_UNSUPPORTED: Mapping[str, Callable[[Engine], list[str]]] = {
    "faces": lambda opened: sorted(unsupported_attributes(opened)),
    "moderation": lambda opened: list(opened.models.moderation.unsupported),
    "equipment": lambda opened: sorted(KINDS - opened.models.equipment.supported),
}


# --- drawn ---


def _marks(answers: Answers) -> Iterable[Mark]:
    ink = {name: analysis.ink for name, analysis in ANALYSES.items()}
    for person in answers.items("equipment", "Persons"):
        worn = [one["Type"] for part in person["BodyParts"] for one in part["EquipmentDetections"]]
        caption = f"person {person['Id']}: {', '.join(map(_plain, worn)) or _parts(person)}"
        yield Mark.of_box(person["BoundingBox"], caption, ink["equipment"], brackets=True)
        for part in person["BodyParts"]:
            for one in part["EquipmentDetections"]:
                yield Mark.of_box(one["BoundingBox"], "", ink["equipment"])
    for label in answers.items("labels", "Labels"):
        for one in label["Instances"]:
            yield Mark.of_box(one["BoundingBox"], f"{label['Name']} {one['Confidence']:.0f}", ink["labels"])
    for face in answers.items("faces", "FaceDetails"):
        yield Mark.of_box(face["BoundingBox"], apparent(face), ink["faces"])
    for line in answers.lines:
        corners = tuple((point["X"], point["Y"]) for point in line["Geometry"]["Polygon"])
        yield Mark(corners, line["DetectedText"], ink["text"])


def _notes(answers: Answers) -> Iterable[tuple[str, Ink]]:
    """What has no place in the picture, and what the colours of the outlines mean."""
    labels = [f"{label['Name']} {label['Confidence']:.0f}" for label in answers.items("labels", "Labels")]
    unsafe = [f"{label['Name']} {label['Confidence']:.0f}" for label in answers.items("moderation", "ModerationLabels")]
    counted = {"text": len(answers.lines), "faces": len(answers.items("faces", "FaceDetails"))}
    persons = len(answers.items("equipment", "Persons"))
    told = {
        "labels": ", ".join(labels) or "none",
        "text": _count(counted["text"], "line"),
        "faces": _count(counted["faces"], "face"),
        "moderation": ", ".join(unsafe) or "nothing found of what can be told",
        "equipment": _count(persons, "person"),
    }
    for name, analysis in ANALYSES.items():
        if name in answers.refused:
            yield f"{name}: refused", analysis.ink
        elif name in told:
            yield f"{name}: {told[name]}", analysis.ink


def _swatches(answers: Answers) -> Iterable[tuple[Ink, float]]:
    for colour in answers.colours:
        yield (colour["Red"], colour["Green"], colour["Blue"]), colour["PixelPercent"] / 100


# --- in words ---


def _print(answers: Answers) -> None:
    sections: Mapping[str, Callable[[Answers], None]] = {
        "labels": _print_labels,
        "text": _print_text,
        "faces": _print_faces,
        "moderation": _print_moderation,
        "equipment": _print_equipment,
        "colours": _print_colours,
    }
    for name, section in sections.items():
        output.line()
        if name in answers.refused:
            output.line(f"{name}: refused: {answers.refused[name]}")
            continue
        section(answers)
        if answers.unsupported.get(name):
            output.line(f"no installed model can tell: {', '.join(answers.unsupported[name])}")


def _print_labels(answers: Answers) -> None:
    rows = [
        (
            label["Name"],
            f"{label['Confidence']:.1f}",
            len(label["Instances"]) or "",
            ", ".join(parent["Name"] for parent in label["Parents"]),
        )
        for label in answers.items("labels", "Labels")
    ]
    _section("label", rows, ("confidence", "boxes", "kind of"), "labels: none")


def _print_text(answers: Answers) -> None:
    rows = [(line["DetectedText"], f"{line['Confidence']:.1f}") for line in answers.lines]
    _section("line of text", rows, ("confidence",), "text: none")


def _print_faces(answers: Answers) -> None:
    rows = [
        (
            number,
            f"{face['Confidence']:.1f}",
            apparent(face) or "-",
            ", ".join(_claims(face)) or "-",
        )
        for number, face in enumerate(answers.items("faces", "FaceDetails"))
    ]
    _section("face", rows, ("confidence", "apparent", "seems"), "faces: none")


def _print_moderation(answers: Answers) -> None:
    rows = [
        (f"{'  ' * (label.get('TaxonomyLevel', 1))}{label['Name']}".removeprefix("  "), f"{label['Confidence']:.1f}")
        for label in answers.items("moderation", "ModerationLabels")
    ]
    _section("moderation label", rows, ("confidence",), "moderation: nothing found of what can be told")


def _print_equipment(answers: Answers) -> None:
    rows = [
        (
            person["Id"],
            f"{person['Confidence']:.1f}",
            _parts(person) or "-",
            ", ".join(_plain(one["Type"]) for part in person["BodyParts"] for one in part["EquipmentDetections"])
            or "-",
        )
        for person in answers.items("equipment", "Persons")
    ]
    _section("person", rows, ("confidence", "parts seen", "wears"), "equipment: no person")


def _print_colours(answers: Answers) -> None:
    rows = [(colour["CSSColor"], colour["HexCode"], f"{colour['PixelPercent']:.1f}") for colour in answers.colours]
    _section("colour", rows, ("hex", "% of pixels"), "colours: none")
    quality = answers.found["colours"]["ImageProperties"]["Quality"]
    output.line(", ".join(f"{name.lower()} {value:.1f}" for name, value in quality.items()))


def _section(what: str, rows: list[tuple[Any, ...]], columns: tuple[str, ...], nothing: str) -> None:
    if rows:
        output.table((what, *columns), rows)
    else:
        output.line(nothing)


def apparent(face: Mapping[str, Any]) -> str:
    """A face's apparent attributes, briefly; those that there are."""
    age, gender = face.get("AgeRange"), face.get("Gender")
    emotions = face.get("Emotions") or ()
    told = [f"{age['Low']}-{age['High']}" if age else "", gender["Value"] if gender else ""]
    told += [max(emotions, key=lambda one: one["Confidence"])["Type"].lower()] if emotions else []
    return " ".join(filter(None, told))


def _claims(face: Mapping[str, Any]) -> list[str]:
    claims = {"Smile": "smiling", "EyesOpen": "eyes open", "MouthOpen": "mouth open"}
    return [words for name, words in claims.items() if (face.get(name) or {}).get("Value")]


def _parts(person: Mapping[str, Any]) -> str:
    return ", ".join(_plain(part["Name"]) for part in person["BodyParts"])


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
