# SPDX-License-Identifier: Apache-2.0
"""`overt cameras`: which cameras there are, under which names and ARNs. Works beside a running server."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

import typer

from overt.cli import login, output
from overt.cli.home import engine
from overt.cli.output import CommandError
from overt.cli.record import recorded
from overt.engine import Engine
from overt.media.sources.base import SourceError, redacted
from overt.media.sources.catalogue import find
from overt.stores.base import ExistsError, NotFoundError, Unit
from overt.types import CameraAddress

app = typer.Typer(help="Cameras that streams may use.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="Its name: letters, digits, and _ . -")]
UrlArgument = Annotated[
    str,
    typer.Argument(help="Where its pictures come from; - reads that from standard input, so that no shell keeps it."),
]
_NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,128}")
_PAGE = 100


@app.command("add")
def add(
    name: NameArgument,
    url: UrlArgument,
    keyframes: Annotated[
        bool, typer.Option("--keyframes", help="Decode key frames only: a tenth of the work, a look every few seconds.")
    ] = False,
    arn: Annotated[
        str | None,
        typer.Option(help="ARN of a Kinesis video stream that it stands for; without, it gets one of its own."),
    ] = None,
    user: login.UserOption = None,
    password_file: login.PasswordOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Register a camera and print its ARN, by which streams name it. Nothing is connected to.

    The address is kept encrypted, and shown without its secrets.
    """
    if _NAME.fullmatch(name) is None:
        raise CommandError(f"{name!r} is no name of a camera: up to 128 letters, digits, and _ . -")
    if arn is not None:
        _check_arn(arn)
    kept = login.address(url, login.login(user, password_file))
    now = dt.datetime.now(dt.UTC)
    with engine(home) as opened, recorded(opened, "AddCamera", name):
        chosen = opened.settings
        own = f"arn:aws:kinesisvideo:{chosen.region}:{chosen.account}:stream/{name}/{int(now.timestamp() * 1000)}"
        camera = CameraAddress(chosen.account, name, arn or own, kept, now, keyframes)
        try:
            with opened.stores.write() as unit:
                unit.cameras.add(camera)
        except ExistsError:
            raise CommandError(
                f"there is a camera {name} already, or one with its ARN; see `overt cameras list`"
            ) from None
    output.show(_told(camera), lambda: output.line(camera.arn), as_json=as_json)


@app.command("list")
def list_cameras(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show the cameras of your account, without the secrets of their addresses."""
    with engine(home) as opened, opened.stores.read() as unit:
        told = [_told(camera) for camera in unit.cameras.list(opened.settings.account)]
    cells = [(one["name"], one["url"], "key frames" if one["keyframes"] else "all", one["arn"]) for one in told]

    def people() -> None:
        if cells:
            output.table(("name", "address", "frames", "arn"), cells)
        else:
            output.line("no cameras; see `overt cameras add --help`")

    output.show({"cameras": told}, people, as_json=as_json)


@app.command("move")
def move(
    name: NameArgument,
    url: UrlArgument,
    user: login.UserOption = None,
    password_file: login.PasswordOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Give a camera another address, or another password, under the same name and ARN."""
    kept = login.address(url, login.login(user, password_file))
    with engine(home) as opened, recorded(opened, "MoveCamera", name), opened.stores.write() as unit:
        _named(unit, opened.settings.account, name)
        moved = unit.cameras.move(opened.settings.account, name, kept)
    output.show(_told(moved), lambda: output.line(f"{name} is at {_label(moved)}"), as_json=as_json)


@app.command("remove")
def remove(name: NameArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Forget a camera and its address. One that a stream is using stays."""
    with engine(home) as opened, recorded(opened, "RemoveCamera", name), opened.stores.write() as unit:
        account = opened.settings.account
        camera = _named(unit, account, name)
        if users := _users(unit, camera):
            raise CommandError(f"{name} is used by {', '.join(users)}; stop that first")
        unit.cameras.remove(account, name)
    output.show({"removed": name}, lambda: output.line(f"removed {name}"), as_json=as_json)


def source(opened: Engine, given: str) -> tuple[str, bool]:
    """URL of what is named by a camera's name or a URL, and whether to decode key frames only. Raises: CommandError."""
    if given == "-" or ":" in given:
        return login.address(given), False
    with opened.stores.read() as unit:
        camera = _named(unit, opened.settings.account, given)
    return camera.url, camera.keyframes_only


def _named(unit: Unit, account: str, name: str) -> CameraAddress:
    try:
        return unit.cameras.named(account, name)
    except NotFoundError:
        raise CommandError(f"there is no camera {name}; see `overt cameras list`") from None


def _users(unit: Unit, camera: CameraAddress) -> list[str]:
    """Names of streams that look at it, or are about to."""
    users: list[str] = []
    after = ""
    while page := unit.streams.page(camera.account, after, _PAGE):
        users += [stream.name for stream in page if stream.wanted.source == camera.arn and not stream.is_over]
        after = page[-1].name
    return users


def _check_arn(arn: str) -> None:
    try:
        find(f"kinesisvideo:{arn}")
    except SourceError:
        raise CommandError(
            f"{arn} is no ARN of a Kinesis video stream: arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/NUMBER"
        ) from None


def _told(camera: CameraAddress) -> dict[str, Any]:
    return {
        "name": camera.name,
        "arn": camera.arn,
        "url": _label(camera),
        "keyframes": camera.keyframes_only,
        "created": camera.created.isoformat(timespec="seconds"),
    }


def _label(camera: CameraAddress) -> str:
    try:
        return find(camera.url).label
    except SourceError:  # what read it may not be installed any more
        return redacted(camera.url)
