# SPDX-License-Identifier: Apache-2.0
"""`overt demo`: the main job in a minute, on real photos, in a throw-away home folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image

from overt.cli import drawing, output, photos
from overt.cli.home import engine, own_store
from overt.engine import Engine
from overt.wire import local

COLLECTION = "demo"
ENROLLED = {"Obama": "obama.jpg", "Biden": "biden.jpg"}
PROBES = ("obama2.jpg", "obama3.jpg", "astronaut.png")  # the last shows somebody who is not enrolled


def demo(
    folder: Annotated[
        Path | None, typer.Option("--photos", help="Folder of the sample photos [default: OVERT_PHOTOS, or .photos].")
    ] = None,
    picture: Annotated[Path, typer.Option("--output", help="PNG to draw the matches into.")] = Path("overt-demo.png"),
    as_json: output.JsonOption = False,
) -> None:
    """Enrol two people, search with three photos, and draw what was found."""
    samples = photos.folder(folder)
    with tempfile.TemporaryDirectory() as home, engine(Path(home), store=own_store(Path(home))) as opened:
        local.call(opened, "CreateCollection", CollectionId=COLLECTION)
        boxes = {name: _enrol(opened, name, samples / file) for name, file in ENROLLED.items()}
        found = {probe: _search(opened, samples / probe) for probe in PROBES}
    rows = [_row(samples, probe, answer, boxes) for probe, answer in found.items()]
    drawing.sheet(rows).save(picture)
    results: list[dict[str, Any]] = [
        {
            "probe": probe,
            "matches": [
                {"person": match["Face"]["ExternalImageId"], "similarity": match["Similarity"]}
                for match in answer["FaceMatches"]
            ],
        }
        for probe, answer in found.items()
    ]

    def people() -> None:
        output.line(f"enrolled: {', '.join(f'{name} ({file})' for name, file in ENROLLED.items())}")
        for item in results:
            told = ", ".join(f"{match['person']} {match['similarity']:.2f}" for match in item["matches"])
            output.line(f"{item['probe']}: {told or 'nobody enrolled'}")
        output.line(f"drawn in {picture}")

    output.show({"enrolled": ENROLLED, "searches": results, "picture": str(picture)}, people, as_json=as_json)


def _enrol(opened: Engine, name: str, photo: Path) -> dict[str, Any]:
    indexed = local.call(
        opened,
        "IndexFaces",
        CollectionId=COLLECTION,
        Image={"Bytes": photo.read_bytes()},
        ExternalImageId=name,
        MaxFaces=1,
    )
    box: dict[str, Any] = indexed["FaceRecords"][0]["Face"]["BoundingBox"]
    return box


def _search(opened: Engine, photo: Path) -> dict[str, Any]:
    return local.call(opened, "SearchFacesByImage", CollectionId=COLLECTION, Image={"Bytes": photo.read_bytes()})


def _row(
    samples: Path, probe: str, answer: dict[str, Any], boxes: dict[str, dict[str, Any]]
) -> tuple[list[Image.Image], list[tuple[str, Any]]]:
    matches = answer["FaceMatches"]
    colour = drawing.GREEN if matches else drawing.GREY
    shown = [drawing.framed(samples / probe, answer["SearchedFaceBoundingBox"], colour)]
    words = [(f"searched: {probe}", drawing.INK)]
    if matches:
        name = matches[0]["Face"]["ExternalImageId"]
        shown.append(drawing.framed(samples / ENROLLED[name], boxes[name], drawing.GREEN))
        words += [(f"found: {name}", drawing.GREEN), (f"similarity {matches[0]['Similarity']:.2f}", drawing.GREEN)]
    else:
        words.append(("nobody enrolled looks like this", drawing.GREY))
    return shown, words
