# SPDX-License-Identifier: Apache-2.0
"""`overt cluster`: the search shards, model replicas and camera workers of a database on a Ray cluster."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from overt import settings
from overt.cli import logs, output

app = typer.Typer(help="Search shards, model replicas and camera workers on a Ray cluster.", no_args_is_help=True)

RayOption = Annotated[str | None, typer.Option("--ray", help="Ray cluster, as for `overt up` [default: OVERT_RAY].")]


@app.callback()
def _group() -> None:
    """They are started by `overt up --ray`, shared by all servers of a database, and outlive them."""


@app.command("status")
def status(ray: RayOption = None, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """List shards, replicas and camera workers. Exit code 1: one of them does not work at present, or there is none."""
    members = _rolling(home, ray).members()
    result = {"members": [_told(member) for member in members]}

    def people() -> None:
        headings = ("name", "node", "state", "rows", "streams", "calls", "memory", "version", "")
        output.table(headings, [[*told.values()] for told in result["members"]])

    output.show(result, people, as_json=as_json)
    if not members or any(member.state not in {"ready", "leaving"} for member in members):
        raise typer.Exit(1)


@app.command("roll")
def roll(
    ray: RayOption = None,
    wait: Annotated[float, typer.Option(min=1, help="Seconds to wait for each of them.")] = 900,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Restart them one by one, with the present code and settings, while calls and the watching of streams go on."""
    done = []
    for member in _rolling(home, ray).roll(wait):
        done.append(_told(member))
        if not as_json:
            output.line(f"{member.name}: {member.state} on {done[-1]['node']}")
    output.show({"restarted": done}, lambda: output.line(f"{len(done)} restarted"), as_json=as_json)


@app.command("stop")
def stop(ray: RayOption = None, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """End all of them. Servers that run answer errors until another `overt up` starts them again."""
    names = _rolling(home, ray).stop()
    output.show({"ended": names}, lambda: output.line(f"{len(names)} ended"), as_json=as_json)


def _rolling(home: Any, ray: str | None) -> Any:
    logs.configure("text", quiet=True)
    chosen = settings.load(home=home, ray=ray)
    try:
        rolling = importlib.import_module("overt.scale.rolling")
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise output.CommandError("Ray is not installed; run: pip install 'overt[ray]'") from error
    return rolling.Rolling(chosen)


def _told(member: Any) -> dict[str, Any]:
    health = member.health
    if health is None:
        return {"name": member.name, "node": "", "state": member.state, "rows": "", "streams": "", "calls": "",
                "memory": "", "version": "", "trouble": ""}  # fmt: skip
    return {
        "name": member.name,
        "node": health.node,
        "state": member.state,
        "rows": health.rows,
        "streams": health.streams,
        "calls": health.busy,
        "memory": f"{health.resident / 1e6:.0f} MB",
        "version": health.version,
        "trouble": health.trouble,
    }
