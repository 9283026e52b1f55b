# SPDX-License-Identifier: Apache-2.0
"""`overt collections export` and `import`: one collection as one file, from one home folder to another."""

from __future__ import annotations

import datetime as dt
import re
import socket
import uuid
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from overt.cli import output, progress
from overt.cli.home import alone, engine
from overt.cli.record import recorded
from overt.engine import Engine
from overt.models.pack import PackError
from overt.ops import show
from overt.stores import arrivals, files, portable
from overt.stores.archive import ArchiveError
from overt.stores.arrivals import Destination
from overt.stores.base import ExistsError, NotFoundError
from overt.types import Collection

_NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")  # as the wire has it


def export(
    collection: str,
    file: Annotated[Path, typer.Argument(help="File to write, which is not there yet.")],
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Write a collection with its faces, vectors, users and tags to one file. It holds biometric data: guard it."""
    try:
        with (
            engine(home) as opened,
            files.new(file) as path,
            recorded(opened, "ExportCollection", collection),
            opened.stores.read() as unit,
        ):
            found = unit.collections.get(opened.settings.account, collection)
            tags = unit.tags.of(show.resource(found))
            with progress.steps("exporting", 2 * found.face_count, quiet=as_json) as advance:
                contents = portable.write(unit, found, tags, path, advance)
    except NotFoundError:
        raise output.CommandError(f"there is no collection {collection}; see `overt collections list`") from None
    except FileExistsError:
        raise output.CommandError(f"there is a file {file} already; choose another name") from None
    size = file.stat().st_size
    output.show(
        {"file": str(file), "bytes": size, **asdict(contents)},
        lambda: output.line(
            f"{contents.faces} faces and {contents.users} users of {collection} are in {file}, {size / 1e6:.1f} MB"
        ),
        as_json=as_json,
    )


def import_collection(
    file: Annotated[Path, typer.Argument(help="File that `overt collections export` wrote.")],
    name: Annotated[str | None, typer.Option("--as", help="Id for the collection [default: the one it had].")] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Make a collection from a file, whole or not at all."""
    if name is not None and not _NAME.fullmatch(name):
        raise output.CommandError(f"{name!r} is no id for a collection: letters, digits and _ . - make one")
    with engine(home) as opened, alone(opened.settings, "import.lock", "an import"):
        start = opened.digest("arrivals", f"{socket.gethostname()}:{opened.settings.home.resolve()}".encode())[:16]
        arrivals.clear(opened.stores, start)
        try:
            with recorded(opened, "ImportCollection", name or file.name):
                made = _arrive(opened, file, name, f"{start}.{uuid.uuid4()}", as_json=as_json)
        except ArchiveError as error:
            raise output.CommandError(f"nothing was imported: {error}") from None
        except ExistsError as error:
            raise output.CommandError(f"{error}; import it --as another, or delete that one first") from None
        note = _note(opened, made.model)
        arn = show.arn(opened.settings.region, made)
    result = {
        "CollectionId": made.id,
        "CollectionArn": arn,
        "FaceCount": made.face_count,
        "UserCount": made.user_count,
        "FaceModelVersion": made.model,
        "Searchable": not note,
    }

    def people() -> None:
        output.line(f"made {arn}: {made.face_count} faces, {made.user_count} users")
        if note:
            output.line(note)

    output.show(result, people, as_json=as_json)


def _arrive(opened: Engine, file: Path, name: str | None, place: str, *, as_json: bool) -> Collection:
    most = opened.settings.faces_per_collection
    with ExitStack() as stack:
        with progress.steps("checking", file.stat().st_size, quiet=as_json) as advance:
            parcel = stack.enter_context(portable.Parcel.open(file, advance))
        contents = parcel.contents
        if contents.faces > most:
            raise output.CommandError(
                f"{contents.faces} faces are more than the {most} that faces_per_collection allows"
            )
        account, wanted = opened.settings.account, name or contents.name
        resource = show.resource(Collection(account, wanted, contents.model, dt.datetime.now(dt.UTC), 0, 0))
        with progress.steps("importing", contents.faces, quiet=as_json) as advance:
            return arrivals.arrive(opened.stores, parcel, Destination(account, wanted, resource, place), advance)


def _note(opened: Engine, model: str) -> str:
    """What is to be said when the faces are of another model than the one installed, or of none."""
    try:
        installed = opened.models.faces.model
    except PackError:
        installed = "none"
    if model == installed:
        return ""
    return f"its faces are of model {model}, installed is {installed}: searches and enrolments in it are refused"
