# SPDX-License-Identifier: Apache-2.0
"""`overt watch`: who of a collection is in front of a camera, told as it happens."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import typer

from overt.cli import cameras, output
from overt.cli.collections import find
from overt.cli.home import engine
from overt.cli.output import CommandError
from overt.cli.record import recorded
from overt.media.live import Camera, State
from overt.media.sources.base import SourceError
from overt.streams.scene import Scene, frames
from overt.streams.visits import Stage, Visit, Visits, person
from overt.streams.watch import Watch, WatchList


def watch(
    source: Annotated[
        str,
        typer.Argument(
            help="Name of a registered camera, or a URL: rtsp://, http(s)://, file:///path, v4l2:///dev/video0."
        ),
    ],
    collection: Annotated[str, typer.Option(help="The collection to look for.")],
    threshold: Annotated[float, typer.Option(min=0, max=100, help="Least similarity.")] = 80,
    rate: Annotated[float, typer.Option(min=0.1, max=60, help="Frames looked at, a second.")] = 5,
    quiet: Annotated[float, typer.Option(min=0.5, help="Seconds out of sight that end a visit.")] = 10,
    unknown: Annotated[bool, typer.Option("--unknown", help="Tell of faces that match nobody, too.")] = False,
    home: output.HomeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
) -> None:
    """Print a line when somebody of a collection comes into sight, and one when they have left; Ctrl-C ends it.

    Nothing is kept but the row that every use leaves. A file is played at its own pace, once (`?loop=1`: for ever).
    """
    with engine(home) as opened, recorded(opened, "WatchCamera", f"{collection}:{source}"):
        gallery = find(opened, collection)
        models = opened.models.faces
        if gallery.model != models.model:
            msg = (
                f"the faces of {collection} are of model {gallery.model}; `overt collections reindex` embeds them anew"
            )
            raise CommandError(msg)
        url, keyframes_only = cameras.source(opened, source)
        _check_file(url)
        models.load()  # a second that the first face would not wait for
        sought = Watch(models, opened.stores, WatchList(gallery.account, gallery.id, threshold / 100))
        try:
            camera = Camera(url, rate, keyframes_only=keyframes_only)
        except SourceError as error:
            raise CommandError(str(error)) from error
        with camera:
            try:
                _tell(camera, Scene(sought, Visits(quiet, tells_unknown=unknown)), as_json=as_json)
            except KeyboardInterrupt:
                typer.echo("ended", err=True)


def _check_file(source: str) -> None:
    """A camera may come back; a file that is not there will not. Raises: CommandError."""
    parts = urlsplit(source)
    if parts.scheme == "file" and not Path(unquote(parts.path)).is_file():
        msg = f"{unquote(parts.path)} is no file"
        raise CommandError(msg)


def _tell(camera: Camera, scene: Scene, *, as_json: bool) -> None:
    state: tuple[State, str] | None = None
    for frame in frames(camera):
        health = camera.health
        if (health.state, health.reason) != state and not as_json:
            state = health.state, health.reason
            typer.echo(f"{health.state.value}: {camera.label} {health.reason}".rstrip(), err=True)
        _show(scene.see(frame).visits, frame.wall if frame else dt.datetime.now(dt.UTC), as_json=as_json)
    _show(scene.finish().visits, dt.datetime.now(dt.UTC), as_json=as_json)


def _show(visits: Iterable[Visit], wall: dt.datetime, *, as_json: bool) -> None:
    for visit in visits:
        if visit.stage is not Stage.BETTER:
            told = _told(visit, wall)
            output.line(json.dumps(told) if as_json else _words(told))
            sys.stdout.flush()


def _told(visit: Visit, wall: dt.datetime) -> dict[str, Any]:
    match = visit.match
    face = None if match is None else match.subject
    return {
        "visit": visit.number,
        "state": visit.stage.value,
        "time": wall.isoformat(timespec="milliseconds"),
        "seconds": round(visit.end - visit.start, 2),
        "person": "unknown" if face is None else person(face),
        "face_id": None if face is None else face.id,
        "similarity": None if match is None else round(match.similarity * 100, 2),
        "box": [round(each, 4) for each in (visit.box.left, visit.box.top, visit.box.width, visit.box.height)],
    }


def _words(told: dict[str, Any]) -> str:
    who = told["person"] if told["similarity"] is None else f"{told['person']} {told['similarity']:.2f}"
    if told["state"] == "over":
        return f"{told['time']}  left   {who}  after {told['seconds']:g} s"
    return f"{told['time']}  seen   {who}"
