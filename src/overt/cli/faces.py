# SPDX-License-Identifier: Apache-2.0
"""`overt faces`: enrol a folder of pictures, search for a face."""

from __future__ import annotations

import csv
import re
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import erasing, expiring, output, progress
from overt.cli.albums import MOUNT, SUFFIXES
from overt.cli.collections import ensured, give
from overt.cli.home import engine
from overt.cli.journal import Journal
from overt.engine import Engine
from overt.errors import WireError
from overt.wire import local

app = typer.Typer(help="Faces: enrol, search, give an end, erase.", no_args_is_help=True)
app.command("erase")(erasing.erase)
app.command("expire")(expiring.expire)
app.command("expiries")(expiring.expiries)


@dataclass(frozen=True, slots=True)
class Picture:
    """A file to enrol. name: path below the folder, with slashes. person: ExternalImageId, "" = none."""

    name: str
    person: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one picture. face_ids: enrolled; reasons: why it, or faces of it, were turned away."""

    picture: Picture
    face_ids: list[str]
    reasons: list[str]


@app.command("import")
def import_faces(
    source: Annotated[Path, typer.Argument(help="Folder (a subfolder per person), or CSV with columns file, person.")],
    collection: Annotated[str, typer.Option("--collection", help="Collection to enrol in; made when it is not there.")],
    max_faces: Annotated[int, typer.Option(min=1, max=100, help="Faces to enrol of each picture, largest first.")] = 1,
    quality: Annotated[str, typer.Option(help="NONE, AUTO, LOW, MEDIUM or HIGH.")] = "AUTO",
    users: Annotated[
        bool, typer.Option("--users", help="Also make a user of each person and give it its faces.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also do pictures that an earlier import has done.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Enrol a folder of pictures. Interrupted, it goes on where it stopped when run again."""
    folder, pictures = _pictures(source)
    with engine(home, {MOUNT: folder}) as opened:
        created = float(ensured(opened, collection)["CreationTimestamp"])
        journal = Journal.open(opened, folder, f"{collection} of {created}", fresh=again)
        todo = [picture for picture in pictures if not journal.has(picture.name)]
        with progress.bars(quiet=as_json) as bar, ThreadPoolExecutor(opened.settings.workers) as threads:
            task = bar.add_task("enrolling", total=len(pictures), completed=len(pictures) - len(todo))
            work = [
                threads.submit(_enrol, opened, picture, collection, max_faces, quality, users=users) for picture in todo
            ]
            try:
                outcomes = []
                for done in as_completed(work):
                    outcomes.append(done.result())
                    journal.note(outcomes[-1].picture.name)
                    bar.advance(task)
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
    _report(collection, len(pictures), outcomes, as_json=as_json)


def _report(collection: str, total: int, outcomes: list[Outcome], *, as_json: bool) -> None:
    rejected = sorted(
        ({"file": item.picture.name, "reasons": item.reasons} for item in outcomes if not item.face_ids),
        key=lambda item: str(item["file"]),
    )
    result = {
        "collection": collection,
        "pictures": total,
        "done_before": total - len(outcomes),
        "enrolled_faces": sum(len(item.face_ids) for item in outcomes),
        "rejected": rejected,
    }

    def people() -> None:
        output.line(
            f"{total} pictures, {result['done_before']} done before, "
            f"{result['enrolled_faces']} faces enrolled in {collection}, {len(rejected)} pictures rejected"
        )
        for item in rejected:
            output.line(f"  {item['file']}: {', '.join(item['reasons'])}")

    output.show(result, people, as_json=as_json)


def _pictures(source: Path) -> tuple[Path, list[Picture]]:
    """The folder that holds the pictures, and the pictures in a stable order."""
    source = source.resolve()
    if source.is_dir():
        found = [
            Picture(path.relative_to(source).as_posix(), "" if path.parent == source else path.parent.name)
            for path in sorted(source.rglob("*"))
            if path.suffix.lower() in SUFFIXES and path.is_file()
        ]
        folder = source
    elif source.is_file():
        with source.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if "file" not in (rows.fieldnames or ()):
                raise output.CommandError(f"{source} has no column named file; the columns are: file, person")
            found = [Picture(row["file"], row.get("person") or "") for row in rows if row["file"]]
        folder = source.parent
    else:
        raise output.CommandError(f"{source} is neither a folder nor a CSV file")
    if not found:
        raise output.CommandError(f"there are no pictures ({', '.join(sorted(SUFFIXES))}) in {source}")
    return folder, found


def _enrol(opened: Engine, picture: Picture, collection: str, max_faces: int, quality: str, *, users: bool) -> Outcome:
    external = re.sub(r"[^a-zA-Z0-9_.\-:]", "_", picture.person)[:255]  # what an ExternalImageId may hold
    params: dict[str, Any] = {"ExternalImageId": external} if external else {}
    try:
        indexed = local.call(
            opened,
            "IndexFaces",
            CollectionId=collection,
            Image={"S3Object": {"Bucket": MOUNT, "Name": picture.name}},
            MaxFaces=max_faces,
            QualityFilter=quality,
            **params,
        )
        face_ids = [record["Face"]["FaceId"] for record in indexed["FaceRecords"]]
        reasons = sorted({reason for face in indexed["UnindexedFaces"] for reason in face["Reasons"]})
        if users and external and face_ids:
            reasons += give(opened, collection, external[:128], face_ids)
    except WireError as error:
        return Outcome(picture, [], [error.detail or error.text])
    return Outcome(picture, face_ids, reasons or ([] if face_ids else ["no face was found"]))


@app.command("search")
def search(
    photo: Annotated[Path, typer.Argument(help="JPEG or PNG; its largest face is searched for.")],
    collection: Annotated[str, typer.Option("--collection", help="Collection to search.")],
    threshold: Annotated[
        float, typer.Option(min=0, max=100, help="Least similarity; 80 = one false match in 1,000.")
    ] = 80,
    most: Annotated[int, typer.Option("--max", min=1, max=4096, help="Most matches to show.")] = 10,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Search a collection for the largest face in a photo."""
    photo = photo.resolve()
    with engine(home, {MOUNT: photo.parent}) as opened:
        found = local.call(
            opened,
            "SearchFacesByImage",
            CollectionId=collection,
            Image={"S3Object": {"Bucket": MOUNT, "Name": photo.name}},
            FaceMatchThreshold=threshold,
            MaxFaces=most,
        )
    cells = [
        (f"{match['Similarity']:.2f}", match["Face"].get("ExternalImageId", ""), match["Face"]["FaceId"])
        for match in found["FaceMatches"]
    ]

    def people() -> None:
        if cells:
            output.table(("similarity", "person", "face"), cells)
        else:
            output.line(f"no face in {collection} is similar by {threshold:g} or more")

    output.show(found, people, as_json=as_json)
