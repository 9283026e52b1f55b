# SPDX-License-Identifier: Apache-2.0
"""`overt config`: every setting with its value and meaning."""

from __future__ import annotations

import typer

from overt import settings
from overt.cli import output

app = typer.Typer(help="Settings.", no_args_is_help=True)


@app.command("show")
def show(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show every setting, its value, its OVERT_* variable and what it means."""
    chosen = settings.load(home=home)
    rows = [
        {
            "setting": name,
            "value": getattr(chosen, name),
            "variable": f"OVERT_{name.upper()}",
            "meaning": field.description,
        }
        for name, field in settings.Settings.model_fields.items()
    ]
    cells = [(row["setting"], row["value"], row["variable"], row["meaning"]) for row in rows]
    output.show(
        {"settings": rows},
        lambda: output.table(("setting", "value", "variable", "meaning"), cells),
        as_json=as_json,
    )
