# SPDX-License-Identifier: Apache-2.0
"""What commands print: lines for people, or with --json one JSON document for programs. Knows no command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Folder of all data [default: ~/.overt, or OVERT_HOME].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


class CommandError(Exception):
    """A command cannot do what was asked; the text says why and what to do."""


_WIDE = 200  # columns, where no terminal says how many it has

_console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def show(result: dict[str, Any], people: Callable[[], None], *, as_json: bool) -> None:
    """Print a command's result: as JSON, or by `people`, which prints it as text."""
    if as_json:
        print(json.dumps(result, default=str, ensure_ascii=False), flush=True)
    else:
        people()


def line(text: str = "") -> None:
    """One line of text, as it is."""
    print(text, flush=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A plain table."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        drawn.add_column(heading, overflow="fold")  # never cut an id short
    for row in rows:
        drawn.add_row(*(Text(str(cell)) for cell in row))  # as it is: a name may look like markup
    _console.print(drawn)


def fail(code: str, message: str, detail: str = "", *, as_json: bool) -> None:
    """Tell on standard error what went wrong and what to do."""
    if as_json:
        print(json.dumps({"error": {"code": code, "message": message, "detail": detail}}), file=sys.stderr)
    else:
        print(f"overt: {message}" + (f"\n       {detail}" if detail else ""), file=sys.stderr)
