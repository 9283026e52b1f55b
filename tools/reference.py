# SPDX-License-Identifier: Apache-2.0
"""Write the reference pages that follow from code: docs/settings.md and docs/commands.md. A test keeps them true.

Usage: reference.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from overt.cli.main import app
from overt.settings import Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"


def settings_page() -> str:
    """Every setting with its variable, default and meaning."""
    lines = [
        "# Settings",
        "",
        "<!-- Written by tools/reference.py from src/overt/settings.py; edit there. -->",
        "",
        "A setting comes from a command's flag, else from its `OVERT_*` variable, else from `overt.toml` in the home",
        "folder, else it has its default. An unknown key in `overt.toml` is an error. `overt config show` prints the",
        "values in force.",
    ]
    for name, field in Settings.model_fields.items():
        default = {
            "home": "`~/.overt`",
            "workers": "one for each core",
            "video_workers": "one for every two cores",
        }.get(
            name,
            "none"
            if field.default is None
            else f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`",
        )
        lines += [
            "",
            f"## {name}",
            "",
            f"{field.description}",
            "",
            f"Default: {default}. Variable: `OVERT_{name.upper()}`.",
        ]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its arguments and options."""
    lines = [
        "# Commands",
        "",
        "<!-- Written by tools/reference.py from src/overt/cli; edit there. -->",
        "",
        "Every command takes `--help`, and `--json` to print one JSON document instead of text. Exit codes: 0 done,",
        "1 refused or failed (the reason is on standard error), 2 wrong usage.",
    ]
    for path, command in _commands(typer.main.get_command(app), "overt"):
        lines += ["", f"## {path}", "", str(command.help).strip()]
        rows = [row for parameter in command.params if (row := _parameter(parameter))]
        if rows:
            lines += ["", "| | |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    members = getattr(command, "commands", None)
    if members is None:
        yield path, command
        return
    for name, member in sorted(members.items()):
        yield from _commands(member, f"{path} {name}")


def _parameter(parameter: Any) -> str:
    if parameter.name in {"help", "as_json"}:
        return ""
    argument = parameter.param_type_name == "argument"
    name = parameter.name.upper() if argument else ", ".join(parameter.opts)
    default = (
        "" if parameter.default in (None, False, "", ...) or parameter.required else f" Default: `{parameter.default}`."
    )
    return f"| `{name}` | {(parameter.help or '').rstrip('.')}.{default} |".replace("| . |", "| |")


def main() -> None:
    """Write the pages, or with --check fail when they are not what would be written."""
    pages = {"settings.md": settings_page(), "commands.md": commands_page()}
    stale = [name for name, text in pages.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != text]
    if "--check" in sys.argv:
        sys.exit(f"run tools/reference.py: {', '.join(stale)} not up to date" if stale else 0)
    for name in stale:
        (DOCS / name).write_text(pages[name])


if __name__ == "__main__":
    main()
