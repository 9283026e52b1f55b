# SPDX-License-Identifier: Apache-2.0
"""`overt models`: which models are installed, whether their files are right, and what their licences are."""

from __future__ import annotations

from typing import Any

import typer

from overt.cli import output
from overt.models.hub import Hub
from overt.ops.images import ATTRIBUTES

app = typer.Typer(help="Model packs: what sees.", no_args_is_help=True)


@app.command("list")
def list_models(as_json: output.JsonOption = False) -> None:
    """Show every model of every installed pack, and what no installed model can tell."""
    hub = Hub.discover()
    rows: list[dict[str, Any]] = [
        {"pack": pack.id, "version": pack.version, "model": model.name, "task": model.task, "bytes": model.size}
        for pack in hub.packs
        for model in pack.models
    ]
    unsupported = sorted(ATTRIBUTES - hub.faces.supported)

    def people() -> None:
        output.table(
            ("pack", "version", "model", "task", "MB"),
            ((row["pack"], row["version"], row["model"], row["task"], f"{row['bytes'] / 1e6:.1f}") for row in rows),
        )
        output.line(f"\nface attributes no installed model supports: {', '.join(unsupported)}")

    output.show({"models": rows, "unsupported_face_attributes": unsupported}, people, as_json=as_json)


@app.command("verify")
def verify(as_json: output.JsonOption = False) -> None:
    """Check every file of every pack against its sha256, and that its licences are there."""
    packs = Hub.discover().packs
    problems = {pack.id: pack.verify() for pack in packs}

    def people() -> None:
        for pack in packs:
            found = problems[pack.id]
            output.line(
                f"{pack.id} {pack.version}: " + ("; ".join(found) if found else f"{len(pack.models)} models ok")
            )

    output.show({"packs": {name: {"ok": not found, "problems": found} for name, found in problems.items()}}, people,
                as_json=as_json)  # fmt: skip
    if any(problems.values()):
        raise typer.Exit(1)


@app.command("licenses")
def licenses(as_json: output.JsonOption = False) -> None:
    """Show each model's licences and where it comes from."""
    rows: list[dict[str, Any]] = [
        {
            "model": model.name,
            "weights": model.licence_weights,
            "code": model.licence_code,
            "sources": [f"{source.package}=={source.version}" for source in model.sources],
            "files": [str(path) for path in model.licence_files],
        }
        for pack in Hub.discover().packs
        for model in pack.models
    ]
    cells = [(row["model"], row["weights"], row["code"], ", ".join(row["sources"])) for row in rows]
    output.show(
        {"models": rows}, lambda: output.table(("model", "weights", "code", "built from"), cells), as_json=as_json
    )
