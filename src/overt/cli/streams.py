# SPDX-License-Identifier: Apache-2.0
"""`overt streams`: cameras that are watched, as the contract's stream processors are, and what only we can set.

The contract's part passes its operations; the rest (targets, visits, sightings) has no place there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.collections import find as find_collection
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.engine import Engine
from overt.outlets.base import shown
from overt.stores.base import NotFoundError, Unit
from overt.streams import postman, telling
from overt.streams.sinks.base import TargetError
from overt.types import Options, Stream
from overt.wire import local

app = typer.Typer(help="Cameras that are watched for people of a collection.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Its name.")]
_PAGE = 1000
_ROLE = "arn:aws:iam::{account}:role/overt"  # the contract wants one; nothing here takes on roles


@app.command("list")
def list_streams(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show every stream of the account, and how it goes."""
    with engine(home) as opened:
        streams = list(all_streams(opened))
    cells = [(each.name, each.status, _aim(each), *_how(each), each.message) for each in streams]

    def people() -> None:
        if cells:
            output.table(("stream", "status", "looks for", "camera", "looks/s", "lag", "faces", "alerts", ""), cells)
        else:
            output.line("no streams; `overt streams create` makes one")

    output.show({"streams": [told(each) for each in streams]}, people, as_json=as_json)


@app.command("show")
def show_stream(name: NameArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show all that is known of one stream; of its targets, no secrets."""
    with engine(home) as opened, opened.stores.read() as unit:
        stream = _find(unit, opened, name)
        lanes = opened.post.health(stream.id)
    result = {**told(stream), "deliveries": [_lane(lane) for lane in lanes]}
    rows = [(key, value) for key, value in result.items() if key != "deliveries" and value not in (None, [], "")]

    def people() -> None:
        output.table(("", ""), rows)
        if lanes:
            output.line()
            output.table(
                ("target", "sent", "waiting", "dead", "last error"),
                [(lane.target, lane.sent, lane.waiting, lane.dead, lane.error) for lane in lanes],
            )

    output.show(result, people, as_json=as_json)


@app.command("create")
def create(
    name: NameArgument,
    camera: Annotated[str, typer.Option(help="Name of a registered camera, or ARN of a Kinesis video stream.")],
    collection: Annotated[str, typer.Option(help="The collection to look for.")],
    threshold: Annotated[float, typer.Option(min=80, max=100, help="Least similarity.")] = 80,
    target: Annotated[list[str] | None, typer.Option(help="URL that alerts go to; may be given several times.")] = None,
    start: Annotated[bool, typer.Option("--start", help="Have it watched at once.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Describe a camera that is to be watched for the people of a collection."""
    with engine(home) as opened:
        options = Options(targets=_checked(opened, target or ()))
        made = local.call(
            opened,
            "CreateStreamProcessor",
            Name=name,
            Input={"KinesisVideoStream": {"Arn": _source(opened, camera)}},
            Output={},
            RoleArn=_ROLE.format(account=opened.settings.account),
            Settings={"FaceSearch": {"CollectionId": collection, "FaceMatchThreshold": threshold}},
        )
        _want(opened, name, options)
        if start:
            local.call(opened, "StartStreamProcessor", Name=name)
    output.show(made, lambda: output.line(f"{'started' if start else 'created'} {name}"), as_json=as_json)


@app.command("set")
def set_options(
    name: NameArgument,
    target: Annotated[list[str] | None, typer.Option(help="URL that alerts go to, in place of those before.")] = None,
    no_targets: Annotated[bool, typer.Option("--no-targets", help="Alerts go to no URL.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.1, max=60, help="Frames looked at, a second.")] = None,
    finest: Annotated[
        int | None, typer.Option(min=160, max=2560, help="Pixels of the side at which faces are looked for.")
    ] = None,
    quiet: Annotated[float | None, typer.Option(min=0.5, help="Seconds out of sight that end a visit.")] = None,
    unknown: Annotated[
        bool | None, typer.Option("--unknown/--no-unknown", help="Alerts for faces of nobody on the list.")
    ] = None,
    reviews: Annotated[
        bool | None, typer.Option("--review/--no-review", help="People confirm an alert before anybody is told.")
    ] = None,
    sightings: Annotated[
        str | None, typer.Option(help="Collection where ALL faces seen are kept, listed or not; see the docs first.")
    ] = None,
    no_sightings: Annotated[bool, typer.Option("--no-sightings", help="Keep no faces.")] = False,
    sighting_days: Annotated[float | None, typer.Option(min=0.001, max=365, help="Days that they are kept.")] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Change how a stream is watched and who is told; a running one is watched anew for that, in a second or so."""
    with engine(home) as opened:
        with opened.stores.read() as unit:
            before = _find(unit, opened, name).wanted.options
        if sightings is not None:
            find_collection(opened, sightings)
        given: dict[str, Any] = {
            "targets": () if no_targets else _checked(opened, target) if target else None,
            "rate": rate,
            "finest": finest,
            "quiet": quiet,
            "tells_unknown": unknown,
            "reviews": reviews,
            "sightings": sightings,
            "sighting_days": sighting_days,
        }
        options = replace(before, **{key: value for key, value in given.items() if value is not None})
        stream = _want(opened, name, replace(options, sightings=None) if no_sightings else options)
    output.show(told(stream), lambda: output.line(f"set {name}"), as_json=as_json)


@app.command("start")
def start_stream(name: NameArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Have a stream watched; a running server takes it up, or the next one to be started."""
    with engine(home) as opened:
        done = local.call(opened, "StartStreamProcessor", Name=name)
    output.show(done, lambda: output.line(f"starting {name}"), as_json=as_json)


@app.command("stop")
def stop_stream(name: NameArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Have a stream watched no longer."""
    with engine(home) as opened:
        local.call(opened, "StopStreamProcessor", Name=name)
    output.show({"Name": name}, lambda: output.line(f"stopping {name}"), as_json=as_json)


@app.command("delete")
def delete_stream(name: NameArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Remove a stream that is not watched, and what it has not told yet; its alerts stay."""
    with engine(home) as opened:
        local.call(opened, "DeleteStreamProcessor", Name=name)
    output.show({"Name": name}, lambda: output.line(f"deleted {name}"), as_json=as_json)


def told(stream: Stream) -> dict[str, Any]:
    """A stream for people and programs; of targets, no secrets."""
    wanted, options = stream.wanted, stream.wanted.options
    pulse = stream.pulse
    return {
        "name": stream.name,
        "id": stream.id,
        "status": stream.status,
        "message": stream.message,
        "source": wanted.source,
        "looks_for": _aim(stream),
        "threshold": None if wanted.search is None else round(wanted.search.least * 100, 4),
        "targets": [shown(each) for each in telling.targets(wanted)],
        **{each.name: getattr(options, each.name) for each in fields(Options) if each.name != "targets"},
        "session": stream.session.id if stream.session else None,
        "begun": stream.session.begun.isoformat() if stream.session else None,
        **({each.name: _plain(getattr(pulse, each.name)) for each in fields(pulse)} if pulse else {}),
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def all_streams(opened: Engine) -> Iterator[Stream]:
    """The account's streams by name."""
    after = ""
    while True:
        with opened.stores.read() as unit:
            page = unit.streams.page(opened.settings.account, after, _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].name


def _find(unit: Unit, opened: Engine, name: str) -> Stream:
    """Raises: CommandError."""
    try:
        return unit.streams.get(opened.settings.account, name)
    except NotFoundError:
        raise output.CommandError(f"there is no stream {name}; see `overt streams list`") from None


def _want(opened: Engine, name: str, options: Options) -> Stream:
    with recorded(opened, "SetStreamOptions", name), opened.stores.write() as unit:
        wanted = replace(_find(unit, opened, name).wanted, options=options)
        return unit.streams.want(opened.settings.account, name, wanted)


def _source(opened: Engine, camera: str) -> str:
    """The ARN of a camera. Raises: CommandError."""
    if camera.startswith("arn:"):
        return camera
    try:
        with opened.stores.read() as unit:
            return unit.cameras.named(opened.settings.account, camera).arn
    except NotFoundError:
        raise output.CommandError(f"there is no camera {camera}; see `overt cameras list`") from None


def _checked(opened: Engine, targets: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Raises: CommandError when one of them can be no target."""
    try:
        postman.check(targets, opened.surroundings)
    except TargetError as error:
        raise output.CommandError(str(error)) from error
    return tuple(dict.fromkeys(targets))


def _aim(stream: Stream) -> str:
    search, home = stream.wanted.search, stream.wanted.home
    if search is not None:
        return f"people of {search.collection}"
    return " ".join(home.labels) if home is not None else ""


def _how(stream: Stream) -> tuple[Any, ...]:
    pulse = stream.pulse
    if pulse is None:
        return "", "", "", "", ""
    return pulse.camera, f"{pulse.rate:g}", f"{pulse.lag:g} s", pulse.faces, pulse.alerts


def _lane(lane: postman.Health) -> dict[str, Any]:
    return {each.name: getattr(lane, each.name) for each in fields(lane)}
