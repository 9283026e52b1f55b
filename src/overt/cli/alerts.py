# SPDX-License-Identifier: Apache-2.0
"""`overt alerts`: who was seen by cameras, with all the evidence there is, and a person's word on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.engine import Engine
from overt.stores import files
from overt.stores.base import NotFoundError
from overt.streams import judging
from overt.streams.postman import Limits
from overt.types import Alert

app = typer.Typer(help="Alerts: people whom streams have seen.", no_args_is_help=True)

AlertArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, as `overt alerts list` shows it.")]
ByOption = Annotated[str, typer.Option("--by", help="Who decides, as it is to be kept with the alert.")]


@app.command("list")
def list_alerts(
    stream: Annotated[str | None, typer.Option(help="Only alerts of the stream of this name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most alerts to show, the newest first.")] = 100,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Show the newest alerts. It names people, so it leaves a row."""
    with engine(home) as opened, recorded(opened, "ListAlerts", stream or ""), opened.stores.read() as unit:
        alerts = [alert for _, alert in unit.alerts.page(opened.settings.account, 0, limit, stream=stream)]
    rows = [_told(alert) for alert in alerts]
    headings = ("id", "stream", "start", "end", "person", "similarity", "review")

    def people() -> None:
        if rows:
            output.table(headings, ([_cell(row[name]) for name in headings] for row in rows))
        else:
            output.line("no alerts")

    output.show({"alerts": rows}, people, as_json=as_json)


@app.command("show")
def show_alert(
    alert: AlertArgument,
    picture: Annotated[
        Path | None, typer.Option(help="File to write the picture to, a JPEG; it is not there yet.")
    ] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Show all evidence of one alert. It shows a person, so it leaves a row."""
    with engine(home) as opened, recorded(opened, "ShowAlert", alert):
        found = _get(opened, alert)
        if picture is not None:
            _write(found, picture)
    told = {
        **_told(found),
        "picture_bytes": None if found.picture is None else len(found.picture),
        "picture": None if picture is None else str(picture),
    }

    def people() -> None:
        output.table(("", ""), [(name, _cell(value)) for name, value in told.items() if value is not None])

    output.show(told, people, as_json=as_json)


@app.command("confirm")
def confirm(
    alert: AlertArgument, by: ByOption = "local", home: output.HomeOption = None, as_json: output.JsonOption = False
) -> None:
    """Say that an alert shows whom it names. It cannot be taken back."""
    _judge(home, alert, "confirmed", by, as_json=as_json)


@app.command("reject")
def reject(
    alert: AlertArgument, by: ByOption = "local", home: output.HomeOption = None, as_json: output.JsonOption = False
) -> None:
    """Say that an alert does not show whom it names. It cannot be taken back."""
    _judge(home, alert, "rejected", by, as_json=as_json)


def _judge(home: Path | None, alert: str, review: str, by: str, *, as_json: bool) -> None:
    operation = {"confirmed": "ConfirmAlert", "rejected": "RejectAlert"}[review]
    with engine(home) as opened, recorded(opened, operation, alert):
        _get(opened, alert)
        most = Limits.of(opened.settings).size
        done = judging.judge(opened.stores, opened.settings.account, alert, review, by, most=most)
    output.show(_told(done), lambda: output.line(f"{review} {done.id} by {by}"), as_json=as_json)


def _get(opened: Engine, sought: str) -> Alert:
    """Raises: CommandError when there is none."""
    with opened.stores.read() as unit:
        try:
            return unit.alerts.get(opened.settings.account, sought)
        except NotFoundError:
            raise output.CommandError(f"there is no alert {sought}, or no longer; see `overt alerts list`") from None


def _write(alert: Alert, file: Path) -> None:
    if alert.picture is None:
        raise output.CommandError(f"alert {alert.id} has no picture")
    try:
        with files.new(file) as path:
            path.write_bytes(alert.picture)
    except FileExistsError:
        raise output.CommandError(f"there is a file {file} already; choose another name") from None


def _told(alert: Alert) -> dict[str, Any]:
    """All but the picture. person: ExternalImageId of the face on the list; similarity, threshold: 0 to 100."""
    match = alert.match
    return {
        "id": alert.id,
        "stream": alert.stream_name,
        "camera": alert.source,
        "session": alert.session,
        "start": alert.start.isoformat(),
        "end": alert.end.isoformat() if alert.end else None,
        "time": round(alert.time, 3),
        "box": asdict(alert.box),
        "collection": alert.collection,
        "list_size": alert.list_size,
        "model": alert.model,
        "threshold": _percent(alert.threshold),
        "similarity": _percent(match.similarity) if match else None,
        "person": match.subject.external_image_id if match else None,
        "user": match.subject.user_id if match else None,
        "face": match.subject.id if match else None,
        "review": alert.review,
        "reviewer": alert.reviewer or None,
        "reviewed": alert.reviewed.isoformat() if alert.reviewed else None,
    }


def _percent(share: float) -> float:
    return round(share * 100, 4)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part:.4f}" for name, part in value.items())
    if isinstance(value, str) and "T" in value:
        try:
            return dt.datetime.fromisoformat(value).isoformat(" ", "seconds")
        except ValueError:
            return value
    return "" if value is None else str(value)
