# SPDX-License-Identifier: Apache-2.0
"""`overt config`: every setting with its value and meaning."""

from __future__ import annotations

from typing import Any

import typer
from pydantic import SecretStr

from overt import settings
from overt.cli import output
from overt.stores import urls

app = typer.Typer(help="Settings.", no_args_is_help=True)


@app.command("show")
def show(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show every setting, its value, its OVERT_* variable and what it means."""
    chosen = settings.load(home=home)
    rows = [
        {
            "setting": name,
            "value": _shown(getattr(chosen, name)),
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


def _shown(value: Any) -> Any:
    """A setting as it may be seen: the only secret one is a URL."""
    return urls.shown(value.get_secret_value()) if isinstance(value, SecretStr) else value
