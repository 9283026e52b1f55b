# SPDX-License-Identifier: Apache-2.0
"""`overt moratorium`: one person stops face analysis at once; two different people lift that."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.govern import moratorium
from overt.stores.base import Halt, NotFoundError

app = typer.Typer(
    help="The moratorium: stops face analysis at once, and needs two people to end.", no_args_is_help=True
)

ByOption = Annotated[str, typer.Option("--by", help="Who you are, as your organisation names you.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the record.")]


@app.command("on")
def switch_on(
    by: ByOption,
    why: WhyOption,
    collection: Annotated[str, typer.Option(help="Only of this collection [default: all].")] = "",
    purpose: Annotated[str, typer.Option(help="Only for this purpose [default: all].")] = "",
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Stop face analysis. Servers over the same database obey within a second; deleting goes on."""
    with engine(home) as opened, recorded(opened, "BeginMoratorium", repr((by, collection, purpose))):
        try:
            halt = moratorium.begin(opened.stores, by, why, collection=collection, purpose=purpose)
        except ValueError as error:
            raise output.CommandError(str(error)) from error
    output.show(_shown(halt), lambda: output.line(f"moratorium {halt.number} on {_scope(halt)} is on"), as_json=as_json)


@app.command("approve-lift")
def approve_lift(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Of the moratorium, see `overt moratorium status`.")],
    by: ByOption,
    why: WhyOption,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Agree that a moratorium is lifted. It is when two different people have."""
    with engine(home) as opened, recorded(opened, "ApproveLift", repr((by, number))):
        try:
            halt = moratorium.approve(opened.stores, number, by, why)
        except NotFoundError as error:
            raise output.CommandError(f"{error}; see `overt moratorium status`") from error
        except ValueError as error:
            raise output.CommandError(str(error)) from error
    missing = moratorium.PEOPLE - len(halt.approvals)

    def people() -> None:
        output.line(
            f"moratorium {number} is lifted"
            if halt.lifted
            else f"moratorium {number} stands; {missing} more, and not the same person, has to agree"
        )

    output.show(_shown(halt), people, as_json=as_json)


@app.command("status")
def status(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show all moratoria there ever were: who, when, why, and who agreed that they end."""
    with engine(home) as opened, opened.stores.read() as unit:
        halts = unit.halts.list()
    is_on = any(halt.lifted is None for halt in halts)

    def people() -> None:
        if not halts:
            output.line("there was never a moratorium")
            return
        output.table(
            ("number", "of", "state", "begun", "by", "why", "to be lifted by"),
            (
                (
                    halt.number,
                    _scope(halt),
                    "on" if halt.lifted is None else f"lifted {halt.lifted.isoformat(timespec='seconds')}",
                    halt.begun.isoformat(timespec="seconds"),
                    halt.person,
                    halt.reason,
                    ", ".join(f"{approval.person} ({approval.reason})" for approval in halt.approvals),
                )
                for halt in halts
            ),
        )

    output.show({"isOn": is_on, "moratoria": [_shown(halt) for halt in halts]}, people, as_json=as_json)


def _scope(halt: Halt) -> str:
    parts = [halt.collection and f"collection {halt.collection}", halt.purpose and f"purpose {halt.purpose}"]
    return " and ".join(filter(None, parts)) or "all face analysis"


def _shown(halt: Halt) -> dict[str, Any]:
    return {
        "number": halt.number,
        "collection": halt.collection or None,
        "purpose": halt.purpose or None,
        "begun": halt.begun.isoformat(),
        "by": halt.person,
        "why": halt.reason,
        "lifted": halt.lifted.isoformat() if halt.lifted else None,
        "approvals": [
            {"by": approval.person, "time": approval.time.isoformat(), "why": approval.reason}
            for approval in halt.approvals
        ],
    }
