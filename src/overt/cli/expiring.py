# SPDX-License-Identifier: Apache-2.0
"""`overt faces expire` and `expiries`: until when faces are on a list that cameras or people search."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from overt.cli import output
from overt.cli.collections import find
from overt.cli.home import engine
from overt.cli.record import recorded

_SHOWN = 20

CollectionArgument = Annotated[str, typer.Argument(metavar="COLLECTION", help="The collection that they are in.")]


def expire(
    collection: CollectionArgument,
    face_ids: Annotated[list[str], typer.Argument(metavar="FACE_ID...", help="Faces to give an end.")],
    on: Annotated[
        str | None, typer.Option("--on", help="The moment, with its zone: 2027-01-31T18:00+01:00, or ending in Z.")
    ] = None,
    days: Annotated[float | None, typer.Option("--days", min=0, help="So many days from now.")] = None,
    never: Annotated[bool, typer.Option("--never", help="No end any more.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Say until when faces stay in a collection: from that moment no search finds them, and the server deletes them.

    Give one of --on, --days and --never. A face that belongs to a user is taken from it then.
    """
    end = _end(on, days, never=never)
    wanted = list(dict.fromkeys(face_ids))
    with engine(home) as opened:
        gallery = find(opened, collection)
        with recorded(opened, "ExpireFaces", repr((collection, wanted, end))), opened.stores.write() as unit:
            done = list(unit.expiries.set(gallery, wanted, end))
    missing = sorted(set(wanted) - set(done))
    told = end.isoformat() if end else None
    result = {"CollectionId": collection, "Expires": told, "Faces": done, "FacesNotFound": missing}

    def people() -> None:
        output.line(f"{len(done)} faces of {collection} " + (f"end at {told}" if told else "have no end"))
        for face_id in missing[:_SHOWN]:
            output.line(f"  not found: {face_id}")

    output.show(result, people, as_json=as_json)
    if missing:
        raise typer.Exit(1)


def expiries(
    collection: CollectionArgument, home: output.HomeOption = None, as_json: output.JsonOption = False
) -> None:
    """Show the faces of a collection that have an end, the next to end first."""
    with engine(home) as opened:
        gallery = find(opened, collection)
        with recorded(opened, "ListExpiries", collection), opened.stores.read() as unit:
            ends = sorted((end, face_id) for face_id, end in unit.expiries.of(gallery).items())
            faces = unit.faces.get(gallery, [face_id for _, face_id in ends])
    rows = [
        {"FaceId": face_id, "ExternalImageId": faces[face_id].external_image_id, "Expires": end.isoformat()}
        for end, face_id in ends
    ]

    def people() -> None:
        if rows:
            output.table(
                ("end", "person", "face"),
                ((row["Expires"], row["ExternalImageId"] or "", row["FaceId"]) for row in rows),
            )
        else:
            output.line(f"no face of {collection} has an end")

    output.show({"CollectionId": collection, "Faces": rows}, people, as_json=as_json)


def _end(on: str | None, days: float | None, *, never: bool) -> dt.datetime | None:
    """The moment, None = never. Raises: CommandError unless just one of the three is given, and is yet to come."""
    if (on is not None) + (days is not None) + never != 1:
        raise output.CommandError("give one of --on, --days and --never")
    now = dt.datetime.now(dt.UTC)
    if days is not None:
        try:
            return now + dt.timedelta(days=days)
        except (OverflowError, ValueError):
            raise output.CommandError(f"{days:g} days are beyond the calendar; use --never") from None
    if on is None:
        return None
    try:
        end = dt.datetime.fromisoformat(on)
    except ValueError:
        raise output.CommandError(f"{on!r} is no moment; write it like 2027-01-31T18:00+01:00") from None
    if end.tzinfo is None:
        raise output.CommandError(f"{on} has no zone; write it like {end.isoformat(timespec='minutes')}+00:00")
    if end <= now:
        raise output.CommandError(f"{on} has passed; to delete faces now use `overt faces erase`")
    return end.astimezone(dt.UTC)
