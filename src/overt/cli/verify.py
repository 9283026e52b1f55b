# SPDX-License-Identifier: Apache-2.0
"""`overt verify`: is everything that is stored right, and is what is searched the same as what is stored?"""

from __future__ import annotations

from typing import Any

import typer

from overt.cli import output, progress
from overt.cli.home import engine
from overt.engine import Engine
from overt.types import Collection


def verify(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Check the database, every collection's rows, and every search file against them.

    Search files found damaged are made anew from the database. Exit code 1: something is, or was, wrong.
    """
    results: list[dict[str, Any]] = []
    with engine(home) as opened:
        results.append({"database": True, "faults": list(opened.stores.verify())})
        there = _collections(opened)
        with progress.steps("verifying", sum(each.face_count for each in there), quiet=as_json) as advance:
            for each in there:
                told = {"account": each.account, "collection": each.id, "faces": each.face_count}
                results.append({**told, "faults": list(opened.stores.verify(each))})
                advance(each.face_count)
    is_right = not any(result["faults"] for result in results)

    def people() -> None:
        for result in results:
            name = "database" if "database" in result else f"{result['collection']} ({result['faces']} faces)"
            output.line(f"{name}: {'ok' if not result['faults'] else ''}".rstrip())
            for fault in result["faults"]:
                output.line(f"  BAD  {fault}")

    output.show({"ok": is_right, "results": results}, people, as_json=as_json)
    if not is_right:
        raise typer.Exit(1)


def _collections(opened: Engine) -> list[Collection]:
    found: list[Collection] = []
    with opened.stores.read() as unit:
        for account in unit.collections.accounts():
            after = ""
            while page := unit.collections.page(account, after, 1000):
                found += page
                after = page[-1].id
    return found
