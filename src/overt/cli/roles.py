# SPDX-License-Identifier: Apache-2.0
"""`overt roles`: what keys may become for a while, and on which terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.engine import Engine
from overt.govern.roles import KINDS
from overt.wire import local

app = typer.Typer(help="Roles: what keys may become for a while, and on which terms.", no_args_is_help=True)

_SECONDS = 3600
_PAGE = 1000

_Trust = Annotated[
    list[str] | None,
    typer.Option(
        help="Who may assume it: id of an access key, `*` = every lasting key, role/NAME = sessions of that role. "
        "The owner always may."
    ),
]
_Require = Annotated[
    list[str] | None,
    typer.Option(help="What a session must tell: case, purpose, legalBasis, probeKind, authorisation, operator."),
]
_Allow = Annotated[list[str] | None, typer.Option(help="TAG=VALUE,VALUE: the only values that a tag may have.")]
_Hours = Annotated[float | None, typer.Option(min=0.25, max=12, help="How long a session lasts at most.")]
_OwnName = Annotated[
    bool | None,
    typer.Option("--own-name/--no-own-name", help="Take a session's name for the person where none is named."),
]


@app.command("create")
def create(
    name: str,
    kind: Annotated[str, typer.Option(help=f"What it may do: {', '.join(KINDS)}.")],
    trust: _Trust = None,
    require: _Require = None,
    allow: _Allow = None,
    hours: _Hours = None,
    own_name: _OwnName = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Make a role."""
    terms = _terms(trust, require, allow, hours, own_name)
    with engine(home) as opened:
        made = _call(opened, "CreateRole", RoleName=name, Kind=kind, **terms)["Role"]
    output.show(made, lambda: output.line(f"created {made['Arn']}"), as_json=as_json)


@app.command("set")
def change(
    name: str,
    kind: Annotated[str | None, typer.Option(help=f"What it may do: {', '.join(KINDS)}.")] = None,
    trust: _Trust = None,
    require: _Require = None,
    allow: _Allow = None,
    hours: _Hours = None,
    own_name: _OwnName = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Give a role other terms: what is given replaces, what is not stays. An empty value clears a list.

    Sessions keep the terms under which they began.
    """
    terms = _terms(trust, require, allow, hours, own_name)
    if kind is not None:
        terms["Kind"] = kind
    with engine(home) as opened:
        made = _call(opened, "UpdateRole", RoleName=name, **terms)["Role"]
    output.show(made, lambda: _print(made), as_json=as_json)


@app.command("show")
def describe(name: str, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show a role with its terms."""
    with engine(home) as opened:
        shown = _call(opened, "DescribeRole", RoleName=name)["Role"]
    output.show(shown, lambda: _print(shown), as_json=as_json)


@app.command("list")
def list_roles(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show the roles there are."""
    rows: list[dict[str, Any]] = []
    with engine(home) as opened:
        page = _call(opened, "ListRoles", MaxResults=_PAGE)
        rows += page["Roles"]
        while "NextToken" in page:
            page = _call(opened, "ListRoles", MaxResults=_PAGE, NextToken=page["NextToken"])
            rows += page["Roles"]
    cells = [(row["RoleName"], row["Kind"], _listed(row["Trusted"]), _listed(row["RequiredTags"])) for row in rows]
    output.show({"Roles": rows}, lambda: output.table(("role", "kind", "trusts", "must tell"), cells), as_json=as_json)


@app.command("delete")
def delete(
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Remove a role. Its sessions end at once."""
    with engine(home) as opened:
        if not yes and not typer.confirm(f"Remove the role {name} and end its sessions?", err=True):
            raise output.CommandError("nothing was removed")
        _call(opened, "DeleteRole", RoleName=name)
    output.show({"deleted": name}, lambda: output.line(f"deleted {name}"), as_json=as_json)


def _call(opened: Engine, operation: str, **params: Any) -> dict[str, Any]:
    return local.call(opened, operation, service="overt", **params)


def _terms(
    trust: Sequence[str] | None,
    require: Sequence[str] | None,
    allow: Sequence[str] | None,
    hours: float | None,
    own_name: bool | None,  # noqa: FBT001 - an option that was given either way, or not at all
) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    if trust is not None:
        terms["Trusted"] = [item for item in trust if item]
    if require is not None:
        terms["RequiredTags"] = [item for item in require if item]
    if allow is not None:
        terms["AllowedValues"] = dict(_allowed(item) for item in allow if item)
    if hours is not None:
        terms["MaxSessionDuration"] = round(hours * _SECONDS)
    if own_name is not None:
        terms["SessionNameIsOperator"] = own_name
    return terms


def _allowed(text: str) -> tuple[str, list[str]]:
    name, _, values = text.partition("=")
    if not values:
        raise output.CommandError(f"--allow takes TAG=VALUE,VALUE, not {text!r}")
    return name, values.split(",")


def _print(role: dict[str, Any]) -> None:
    rows = [(name, _listed(value) if isinstance(value, list) else value) for name, value in role.items()]
    output.table(("", ""), rows)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) or "-"
