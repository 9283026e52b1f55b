# SPDX-License-Identifier: Apache-2.0
"""`overt keys`: make, list and revoke access keys."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.govern import gate, keys
from overt.stores.base import NotFoundError

app = typer.Typer(help="Access keys: what SDKs sign their calls with.", no_args_is_help=True)


@app.command("create")
def create(
    account: Annotated[
        str | None, typer.Option(help="Twelve digits; another account sees none of yours [default: your account].")
    ] = None,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "",
    role: Annotated[str, typer.Option(help=f"What it may do: {', '.join(gate.ROLES)}.")] = gate.OWNER,
    hours: Annotated[
        float | None, typer.Option(min=0.01, help="Make a temporary key with a session token, good for so long.")
    ] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Make a key pair. The secret is shown this once."""
    if account is not None and not (len(account) == 12 and account.isascii() and account.isdigit()):  # noqa: PLR2004
        raise output.CommandError(f"an account is twelve digits, not {account!r}")
    if role not in gate.ROLES:
        raise output.CommandError(f"a role is one of {', '.join(gate.ROLES)}, not {role!r}")
    with engine(home) as opened:
        made = keys.make(
            account or opened.settings.account,
            role=role,
            label=label,
            lifetime=None if hours is None else dt.timedelta(hours=hours),
        )
        with opened.stores.write() as unit:
            unit.keys.add(made.key)
    lines = {"aws_access_key_id": made.key.id, "aws_secret_access_key": made.key.secret}
    if made.token:
        lines["aws_session_token"] = made.token
    result = {**lines, "account": made.key.account, "role": role, "expires": made.key.expires}

    def people() -> None:
        output.line("[default]")
        for name, value in lines.items():
            output.line(f"{name} = {value}")

    output.show(result, people, as_json=as_json)


@app.command("list")
def list_keys(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show the keys there are, without their secrets."""
    now = dt.datetime.now(dt.UTC)
    with engine(home) as opened, opened.stores.read() as unit:
        rows = [
            {
                "id": key.id,
                "account": key.account,
                "role": key.role,
                "created": key.created.isoformat(timespec="seconds"),
                "state": "revoked" if key.revoked else "expired" if key.expires and key.expires <= now else "good",
                "label": key.label,
            }
            for key in unit.keys.list()
        ]
    headings = ("id", "account", "role", "created", "state", "label")
    output.show(
        {"keys": rows},
        lambda: output.table(headings, ([row[name] for name in headings] for row in rows)),
        as_json=as_json,
    )


@app.command("revoke")
def revoke(key_id: str, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Make a key useless, at once and for good."""
    with engine(home) as opened:
        try:
            with opened.stores.write() as unit:
                unit.keys.revoke(key_id, dt.datetime.now(dt.UTC))
        except NotFoundError:
            raise output.CommandError(f"there is no key {key_id}; see `overt keys list`") from None
    output.show({"revoked": key_id}, lambda: output.line(f"revoked {key_id}"), as_json=as_json)
