# SPDX-License-Identifier: Apache-2.0
"""`overt deliveries`: what streams have to tell and is not taken yet, and what was given up. Works beside a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.cli.streams import all_streams
from overt.engine import Engine
from overt.outlets.base import shown
from overt.stores.base import DeadLetter, NotFoundError
from overt.streams.postman import Health

app = typer.Typer(help="What streams tell, on its way, and dead letters.", no_args_is_help=True)

StreamOption = Annotated[str | None, typer.Option(help="Only of this stream [default: of all].")]
NumbersArgument = Annotated[list[int] | None, typer.Argument(help="Their numbers, see `overt deliveries dead`.")]
AllOption = Annotated[bool, typer.Option("--all", help="All of them, of one stream with --stream.")]
_PAGE = 500


@app.command("list")
def list_lanes(stream: StreamOption = None, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show for each stream and target what waits, since when, and why."""
    with engine(home) as opened:
        lanes = opened.post.health(_key(opened, stream))
        names = _names(opened)
    rows = [_lane(lane, names) for lane in lanes]

    def people() -> None:
        if rows:
            headings = ("stream", "target", "sent", "waiting", "oldest, s", "attempts", "dead", "lost", "last error")
            output.table(headings, [tuple(row.values()) for row in rows])
        else:
            output.line("no stream has told anything yet")

    output.show({"deliveries": rows}, people, as_json=as_json)


@app.command("dead")
def dead(stream: StreamOption = None, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show what was given up, and why; what it says is not shown."""
    with engine(home) as opened:
        names = _names(opened)
        rows = [_letter(letter, names) for letter in _dead(opened, _key(opened, stream))]

    def people() -> None:
        if rows:
            headings = ("number", "stream", "target", "kind", "bytes", "created", "given up", "why")
            output.table(headings, [tuple(row.values()) for row in rows])
        else:
            output.line("no dead letters")

    output.show({"dead": rows}, people, as_json=as_json)


@app.command("resend")
def resend(
    numbers: NumbersArgument = None,
    everything: AllOption = False,
    stream: StreamOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Set dead letters behind those that wait, as if new; a running server sends them."""
    with engine(home) as opened:
        chosen = _chosen(opened, numbers, stream, everything=everything)
        with recorded(opened, "ResendDeadLetters", str(chosen)), opened.stores.write() as unit:
            count = unit.parcels.resend(chosen)
    output.show({"resent": count}, lambda: output.line(f"{count} set in line again"), as_json=as_json)


@app.command("discard")
def discard(
    numbers: NumbersArgument = None,
    everything: AllOption = False,
    stream: StreamOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Drop dead letters for good."""
    with engine(home) as opened:
        chosen = _chosen(opened, numbers, stream, everything=everything)
        with recorded(opened, "DiscardDeadLetters", str(chosen)), opened.stores.write() as unit:
            count = unit.parcels.discard(chosen)
    output.show({"discarded": count}, lambda: output.line(f"{count} dropped"), as_json=as_json)


def _chosen(opened: Engine, numbers: list[int] | None, stream: str | None, *, everything: bool) -> list[int]:
    """Raises: CommandError unless it is clear which are meant."""
    if everything == bool(numbers):
        raise output.CommandError("say which ones, by number, or --all")
    return numbers or [letter.number for letter in _dead(opened, _key(opened, stream))]


def _dead(opened: Engine, key: str | None) -> Iterator[DeadLetter]:
    after = 0
    while True:
        with opened.stores.read() as unit:
            page = unit.parcels.dead(key, after, _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].number


def _key(opened: Engine, stream: str | None) -> str | None:
    """The key that a stream's parcels are kept under. Raises: CommandError."""
    if stream is None:
        return None
    try:
        with opened.stores.read() as unit:
            return unit.streams.get(opened.settings.account, stream).id
    except NotFoundError:
        raise output.CommandError(f"there is no stream {stream}; see `overt streams list`") from None


def _names(opened: Engine) -> dict[str, str]:
    """Names of streams by their keys; of other accounts' streams the keys are shown."""
    return {each.id: each.name for each in all_streams(opened)}


def _lane(lane: Health, names: dict[str, str]) -> dict[str, Any]:
    return {
        "stream": names.get(lane.stream, lane.stream),
        "target": lane.target,
        "sent": lane.sent,
        "waiting": lane.waiting,
        "age": round(lane.age, 1),
        "attempts": lane.attempts,
        "dead": lane.dead,
        "lost": lane.lost,
        "error": lane.error,
    }


def _letter(letter: DeadLetter, names: dict[str, str]) -> dict[str, Any]:
    return {
        "number": letter.number,
        "stream": names.get(letter.stream, letter.stream),
        "target": shown(letter.target),
        "kind": letter.kind,
        "bytes": letter.size,
        "created": letter.created.isoformat(timespec="seconds"),
        "given_up": letter.died.isoformat(timespec="seconds"),
        "why": letter.reason,
    }
