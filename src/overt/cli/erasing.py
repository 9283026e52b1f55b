# SPDX-License-Identifier: Apache-2.0
"""`overt faces erase`: take faces out of every place where their vectors are, and say so in a receipt."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.collections import find
from overt.cli.home import engine
from overt.cli.record import recorded

NOT_COVERED = (
    "exports and backups made before: restoring deletes again what --deletions noted or the data replaced tells",
    "search shards on nodes of a cluster that are away, until a server starts after their return",
    "results of streams that their targets have taken, and pictures of alerts that named nobody",
    "memory of other processes, until they search the collection again or end",
    "what the file system or the disk keeps of blocks that were overwritten",
)


def erase(
    collection: Annotated[str, typer.Option("--collection", help="The collection that they are in.")],
    face_ids: Annotated[list[str] | None, typer.Argument(metavar="[FACE_ID]...", help="Faces to erase.")] = None,
    note: Annotated[
        Path | None,
        typer.Option("--deletions", help="File to append what was erased to, as `overt restore --deletions` reads it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Erase faces from the database and its log, from search files and from memory; prints a receipt.

    Faces of users go too, and the users' vectors are made anew without them. So do alerts that name one of the faces,
    with their pictures, and results of streams that were not taken yet. Without a FACE_ID: erase what search files
    still hold of faces deleted earlier, which otherwise goes in the background.
    """
    wanted = list(dict.fromkeys(face_ids or []))
    with engine(home) as opened:
        account, gallery = opened.settings.account, find(opened, collection)
        if wanted and not yes and not typer.confirm(f"Erase {len(wanted)} faces of {collection} for good?", err=True):
            raise output.CommandError("nothing was erased")
        with recorded(opened, "EraseFaces", repr((collection, wanted))):
            erasure = opened.stores.erase(gallery, wanted)
            if note is not None:
                lines = [{"account": account, "collection": collection, "face_id": each} for each in wanted]
                with note.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(line) + "\n" for line in lines)
    receipt: dict[str, Any] = {
        "Receipt": str(uuid.uuid4()),
        "Time": dt.datetime.now(dt.UTC).isoformat(),
        "Account": account,
        "CollectionId": collection,
        "ErasedFaces": list(erasure.faces),
        "FacesNotFound": list(erasure.missing),
        "UsersRenewed": list(erasure.users),
        "Places": list(erasure.places),
        "NotCovered": list(NOT_COVERED),
    }

    def people() -> None:
        output.line(f"receipt {receipt['Receipt']} of {receipt['Time']}, collection {collection}")
        for words, ids in (
            ("erased", erasure.faces),
            ("not found", erasure.missing),
            ("users renewed", erasure.users),
        ):
            output.line(f"{words}: {', '.join(ids) or 'none'}")
        for place in erasure.places:
            output.line(f"  {place}")
        for place in NOT_COVERED:
            output.line(f"  not covered: {place}")

    output.show(receipt, people, as_json=as_json)
