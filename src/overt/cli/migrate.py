# SPDX-License-Identifier: Apache-2.0
"""`overt migrate`: move a collection here from a service whose vectors cannot be taken along, by its pictures."""

from __future__ import annotations

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import linking, moving, naming, output, planning, progress, source
from overt.cli.albums import Place
from overt.cli.collections import ensured, give
from overt.cli.home import engine
from overt.cli.ledger import Ledger
from overt.cli.linking import Group
from overt.cli.moving import Mover
from overt.cli.naming import Rule
from overt.cli.planning import Plan
from overt.cli.source import Source, SourceFace
from overt.engine import Engine
from overt.errors import WireError

app = typer.Typer(help="Move here from another service.", no_args_is_help=True)

AUTO = "auto"
_SHOWN = 20  # examples of each kind that are listed; the mapping has all
_COLUMNS = ("face_id", "new_face_id", "external_image_id", "user_id", "key", "overlap", "status")


@app.callback()
def migrate() -> None:
    """Move here from another service."""


@dataclass(slots=True)
class Result:
    """What was done. rows: as in the mapping file. faces: new FaceIds by user."""

    done_before: int = 0
    pictures: int = 0
    again: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    faces: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    refused: dict[str, list[str]] = field(default_factory=dict)


@app.command("rekognition")
def rekognition(
    collection: Annotated[str, typer.Option("--collection", help="The collection to move.")],
    pictures: Annotated[str, typer.Option("--from", help="Its pictures: s3://bucket/prefix, or a folder.")],
    name: Annotated[str | None, typer.Option("--as", help="Name of the collection here [default: the same].")] = None,
    rule: Annotated[
        str,
        typer.Option(
            "--external-image-id",
            help=f"How ExternalImageIds were made of keys: {', '.join(naming.PARTS)}, or auto: what explains most.",
        ),
    ] = AUTO,
    replacement: Annotated[
        str | None, typer.Option("--replace", help="What stands for characters that they may not hold [default: _].")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV with the columns key, external_image_id, user_id, face_id, instead.")
    ] = None,
    no_source: Annotated[
        bool, typer.Option("--no-source", help="Ask no source: enrol every picture under its ExternalImageId.")
    ] = False,
    faces: Annotated[
        Path | None, typer.Option(help="What `aws rekognition list-faces` printed, instead of asking the source.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--source-endpoint", help="URL of the source [default: AWS's of the region].")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="AWS profile for the source and S3.")] = None,
    region: Annotated[str | None, typer.Option(help="AWS region of the source.")] = None,
    overlap: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Least overlap of a face's boxes there and here.")
    ] = linking.OVERLAP,
    max_faces: Annotated[int, typer.Option(min=1, max=100, help="Without a source: faces of each picture.")] = 100,
    quality: Annotated[str, typer.Option(help="Without a source: NONE, AUTO, LOW, MEDIUM or HIGH.")] = "AUTO",
    mapping: Annotated[
        Path | None, typer.Option(help="File for the table of old and new FaceIds [default: NAME.mapping.csv].")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also do what an earlier run has done.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Enrol the pictures of a Rekognition collection with its ExternalImageIds and users.

    Interrupted, it goes on where it stopped when run again. It changes nothing at the source.
    """
    if no_source and faces:
        raise output.CommandError("--no-source and --faces exclude each other")
    if rule != AUTO and rule not in naming.PARTS:
        raise output.CommandError(f"--external-image-id is auto, {', '.join(naming.PARTS)}; not {rule}")
    source.use_profile(profile, region)
    place, target = Place.parse(pictures), name or collection
    wanted = None if rule == AUTO else Rule(rule, "_" if replacement is None else replacement)
    with engine(home, place.mounts, **place.changes) as opened:
        found = place.pictures(opened.settings)
        left = None if no_source else _source(collection, faces, endpoint, quiet=as_json)
        plan = planning.plan(place, found, left, wanted, naming.read_list(manifest, place.bucket) if manifest else None)
        if dry_run:
            _tell_plan(plan, len(found), as_json=as_json)
            return
        created = _target(opened, target)
        ledger = Ledger.open(opened, f"migrate {place.written} {target} of {created} by {overlap}", fresh=again)
        mover = Mover(opened, place, target, overlap, max_faces, quality)
        result = _move(mover, plan, ledger, quiet=as_json)
        _give_users(opened, target, plan, result, ledger, quiet=as_json)
    file = mapping or Path(f"{target}.mapping.csv")
    _write(file, result.rows)
    _tell(plan, result, target, file, as_json=as_json)
    if result.again or result.refused:
        raise typer.Exit(1)


# --- planning ---


def _source(collection: str, faces: Path | None, endpoint: str | None, *, quiet: bool) -> Source:
    if faces:
        return source.read_file(faces)
    with progress.bars(quiet=quiet) as bar:
        task = bar.add_task("reading the source", total=None)
        return source.read(collection, endpoint, lambda count: bar.update(task, completed=count))


def _target(opened: Engine, name: str) -> float:
    """When the collection was made, now if it is not there. Raises: CommandError when it is of another model."""
    shown, model = ensured(opened, name), opened.models.faces.model
    if shown["FaceModelVersion"] != model:
        raise output.CommandError(
            f"the collection {name} is there, with faces of model {shown['FaceModelVersion']}; the installed one is "
            f"{model}. Choose another name with --as"
        )
    return float(shown["CreationTimestamp"])


# --- doing ---


def _move(mover: Mover, plan: Plan, ledger: Ledger, *, quiet: bool) -> Result:
    faces = {face.id: face for face in plan.source.faces}
    result = Result(pictures=sum(len(group.pictures) for group in plan.groups))
    with progress.bars(quiet=quiet) as bar:
        task = bar.add_task("enrolling", total=result.pictures)
        act = mover.follow if plan.has_source else mover.take
        for group, outcome, before in moving.each(plan.groups, act, mover.engine, ledger):
            bar.advance(task, len(group.pictures))
            result.done_before += len(group.pictures) if before else 0
            result.again += 0 if outcome.settled else len(outcome.problems)
            result.problems |= {group.pictures[number].key: told for number, told in outcome.problems.items()}
            for row, picture, user in _users(group, outcome, faces, plan.given):
                if user and row.face:
                    result.faces[user][row.face] = None
                failed = row.picture in outcome.problems
                result.rows.append(_mapped(row, picture, group.external, user, failed=failed))
    result.rows += [_orphan(face) for face in plan.links.orphans]
    result.rows.sort(key=lambda row: (row["key"], row["face_id"], row["new_face_id"]))
    return result


def _users(
    group: Group, outcome: moving.Outcome, faces: Mapping[str, SourceFace], given: Mapping[str, str]
) -> Iterator[tuple[moving.Row, str, str]]:
    """Each row with its picture's key and its user: the source's, the list's for the face, or that for the picture.

    A picture's user gets its only face of the source; without a source its largest, which comes first.
    """
    several = Counter(row.picture for row in outcome.rows)
    met: set[int | None] = set()
    for row in outcome.rows:
        key = "" if row.picture is None else group.pictures[row.picture].key
        if row.source:
            user = faces[row.source].user or given.get(row.source, "")
            only = several[row.picture] == 1
        else:
            user, only = "", row.picture not in met
        met.add(row.picture)
        yield row, key, user or (given.get(key, "") if only else "")


def _mapped(row: moving.Row, key: str, external: str, user: str, *, failed: bool) -> dict[str, Any]:
    if row.face:
        status = "found" if row.clear else "doubtful"
    elif failed:
        status = "picture failed"
    else:
        status = "no picture" if row.picture is None else "not found"
    overlap = f"{row.overlap:.2f}" if row.source and row.face else ""
    return dict(zip(_COLUMNS, (row.source, row.face, external, user, key, overlap, status), strict=True))


def _orphan(face: SourceFace) -> dict[str, Any]:
    return dict(zip(_COLUMNS, (face.id, "", face.external, face.user, "", "", "no picture"), strict=True))


def _give_users(opened: Engine, collection: str, plan: Plan, result: Result, ledger: Ledger, *, quiet: bool) -> None:
    """Make the users anew, with the faces that were found of them."""
    users = dict.fromkeys(plan.source.users) | dict.fromkeys(result.faces)
    with progress.bars(quiet=quiet) as bar:
        for user in bar.track(list(users), description="users"):
            faces = sorted(result.faces.get(user, ()))
            told = repr(("user", user, faces))
            if ledger.get(told) is not None:
                continue
            try:
                refused = give(opened, collection, user, faces, UserMatchThreshold=0)  # however unlike
            except WireError as error:
                refused = [error.detail or error.text]
            if refused:
                result.refused[user] = sorted(set(refused))
            else:
                ledger.note(told, len(faces))


def _write(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The mapping as CSV, for its owner's eyes; whole or not at all."""
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="") as stream:
        table = csv.DictWriter(stream, _COLUMNS)
        table.writeheader()
        table.writerows(rows)
    partial.replace(file)


# --- telling ---


def _tell_plan(plan: Plan, pictures: int, *, as_json: bool) -> None:
    linked = sum(len(group.faces) for group in plan.groups)
    result = {
        **_heading(plan),
        "pictures": pictures,
        "to_enrol": sum(len(group.pictures) for group in plan.groups),
        "source_faces": len(plan.source.faces),
        "users": len(plan.source.users),
        "pictures_without_source_face": len(plan.links.strays),
        "source_faces_without_picture": len(plan.links.orphans),
        "to_tell_apart": sum(len(group.pictures) for group in plan.groups if len(group.pictures) > 1),
    }

    def people() -> None:
        for words in _words(plan):
            output.line(words)
        output.line(f"{result['to_enrol']} of {pictures} pictures would be enrolled")
        if plan.has_source:
            output.line(
                f"{linked} of {len(plan.source.faces)} faces and {result['users']} users of the source have one"
            )
            output.line(f"{result['to_tell_apart']} pictures share their ExternalImageId with others")

    output.show(result, people, as_json=as_json)


def _tell(plan: Plan, result: Result, target: str, file: Path, *, as_json: bool) -> None:
    kinds = Counter(row["status"] for row in result.rows)
    lost = [row for row in result.rows if row["status"] in {"not found", "no picture", "picture failed"}]
    shown = {
        **_heading(plan),
        "collection": target,
        "pictures": result.pictures,
        "done_before": result.done_before,
        "failed": [{"key": key, "reason": told} for key, told in sorted(result.problems.items())],
        "faces": len({row["new_face_id"] for row in result.rows} - {""}),
        "source_faces": {
            "all": len(plan.source.faces),
            "found": kinds["found"] + kinds["doubtful"] if plan.has_source else 0,
            "doubtful": kinds["doubtful"],
            "not_found": kinds["not found"],
            "picture_failed": kinds["picture failed"],
            "without_picture": kinds["no picture"],
        },
        "pictures_without_source_face": len(plan.links.strays),
        "users": len(dict.fromkeys(plan.source.users) | dict.fromkeys(result.faces)),
        "users_refused": result.refused,
        "mapping": str(file),
        "try_again": result.again,
    }

    def people() -> None:
        for words in _words(plan):
            output.line(words)
        output.line(f"{result.pictures} pictures, {result.done_before} done before: {shown['faces']} faces in {target}")
        if plan.has_source:
            output.line(f"{shown['users']} users; faces of the source: {len(plan.source.faces)}, of which")
            for kind, count in sorted(kinds.items()):
                output.line(f"  {count} {kind}")
            output.line(f"{len(plan.links.strays)} pictures without a face of the source were left out")
        for row in lost[:_SHOWN]:
            output.line(f"  {row['status']}: {row['face_id']} {row['external_image_id']} {row['key']}".rstrip())
        for key, told in sorted(result.problems.items())[:_SHOWN]:
            output.line(f"  {key}: {told}")
        for user, reasons in sorted(result.refused.items())[:_SHOWN]:
            output.line(f"  user {user}: {', '.join(reasons)}")
        output.line(f"every face, old and new id: {file}")
        if result.again:
            output.line(f"{result.again} pictures could not be done now: run it again")

    output.show(shown, people, as_json=as_json)


def _heading(plan: Plan) -> dict[str, Any]:
    return {
        "rule": None if plan.rule is None else plan.rule.part,
        "replacement": None if plan.rule is None else plan.rule.replacement,
        "explained": plan.explained,
        "missing": list(plan.missing),
    }


def _words(plan: Plan) -> Iterator[str]:
    if plan.rule:
        yield f"ExternalImageId = {plan.rule}"
        if plan.has_source:
            images = len({face.image for face in plan.source.faces})
            yield f"that explains {plan.explained} of {images} pictures of the source"
    if plan.missing:
        yield f"{len(plan.missing)} pictures of the list are not there, like {plan.missing[0]}"
