# SPDX-License-Identifier: Apache-2.0
"""`overt report usage`: what was used by month, operation, caller and case, beside the incumbent's list price.

Knows where the rows are and how they are shown; counting and pricing is `govern.metering`'s.
"""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import typer

from overt.cli import judging, output, page
from overt.cli.home import engine
from overt.govern import metering
from overt.govern.metering import Prices, Row, Use
from overt.stores.base import Unit

_COLUMNS = ("month", "operation", "key", "case", "calls", "done", "failed", "list_price")
_PAGE = 1000
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def usage(
    month: Annotated[str | None, typer.Option(help="Only this month, as 2026-11.")] = None,
    prices: Annotated[
        Path | None, typer.Option(help="Price table, TOML [default: the one that comes with this].")
    ] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Also write the rows to this CSV file.")] = None,
    html: page.HtmlOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Tell what was used by month, operation, key and case, with the incumbent's list price beside it."""
    table = read_prices(prices)
    since, until = _bounds(month)
    with engine(home) as opened, opened.stores.read() as unit:
        rows = metering.meter(events(unit, since, until), table)
        faces = sum(_faces(unit, account) for account in unit.collections.accounts())
    result = _result(rows, table, faces)
    if csv_file:
        _write_csv(csv_file, rows)
    page.write(html, "Use", _page(result))
    output.show(result, lambda: _print(result), as_json=as_json)


def events(unit: Unit, since: dt.datetime | None = None, until: dt.datetime | None = None) -> Iterator[Use]:
    """Every call from one time up to another, oldest first. The one place that knows where calls are kept."""
    for event in reversed(unit.records.tail(unit.records.count())):
        if (since is None or event.time >= since) and (until is None or event.time < until):
            # The row of a call does not tell its case yet.
            yield Use(event.time, event.operation, event.key_id, getattr(event, "case", ""), event.outcome)


def _faces(unit: Unit, account: str) -> int:
    count, after = 0, ""
    while page_of := unit.collections.page(account, after, _PAGE):
        count += sum(collection.face_count for collection in page_of)
        after = page_of[-1].id
    return count


def read_prices(path: Path | None) -> Prices:
    """Prices from a file, or those that come with the program. Raises: CommandError."""
    source = judging.file(path) if path else resources.files("overt.cli").joinpath("prices.toml")
    try:
        return metering.read(tomllib.loads(source.read_text(encoding="utf-8")))
    except ValueError as error:
        raise output.CommandError(f"{path or 'the price table'}: {error}") from None


def _bounds(month: str | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    if month is None:
        return None, None
    try:
        since = dt.datetime.strptime(month, "%Y-%m").replace(tzinfo=dt.UTC)
    except ValueError:
        raise output.CommandError(f"{month!r} is no month; write it as 2026-11") from None
    return since, (since + dt.timedelta(days=32)).replace(day=1)


def _result(rows: Sequence[Row], table: Prices, faces: int) -> dict[str, Any]:
    storage = table.storage
    return {
        "rows": [_told(row) for row in rows],
        "months": [asdict(total) for total in metering.totals(rows)],
        "faces_stored": faces,
        "faces_stored_price": storage.of(faces) if storage else None,
        "prices": {
            "incumbent": table.incumbent,
            "as_of": table.as_of,
            "currency": table.currency,
            "note": table.note,
            "entries": [
                {"name": one.name, "unit": one.unit, "tiers": one.tiers, "verified": one.verified, "note": one.note}
                for one in table.entries
            ],
        },
    }


def _told(row: Row) -> dict[str, Any]:
    values = (row.month, row.operation, row.key, row.case, row.calls, row.done, row.failed, row.price)
    return dict(zip(_COLUMNS, values, strict=True))


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        for row in rows:
            told = _told(row)
            told["list_price"] = "" if row.price is None else f"{row.price:.6f}"
            writer.writerow({name: plain(value) for name, value in told.items()})


def plain(value: Any) -> Any:
    """What a spreadsheet shows as it is: a case of somebody's must not be worked out as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value


# --- for people ---

_HEADINGS = ("month", "operation", "key", "case", "calls", "done", "failed", "at list price")


def _rows(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (*(row[name] for name in _COLUMNS[:-1]), "-" if row["list_price"] is None else f"{row['list_price']:.4f}")
        for row in result["rows"]
    ]


def _sentences(result: dict[str, Any]) -> list[str]:
    prices = result["prices"]
    unverified = [entry["name"] for entry in prices["entries"] if not entry["verified"]]
    told = [
        f"{one['month']}: {one['calls']} calls, {one['done']} of them done; {one['images']} images, "
        f"{one['price']:.2f} {prices['currency']} at {prices['incumbent']}'s list price."
        for one in result["months"]
    ]
    if result["faces_stored_price"] is not None:
        told.append(
            f"{result['faces_stored']} faces are stored now: {result['faces_stored_price']:.4f} "
            f"{prices['currency']} a month."
        )
    told.append(f"List prices of {prices['as_of']}. {prices['note']}")
    told += [f"{entry['name']}: {entry['note']}" for entry in prices["entries"] if entry["note"]]
    if unverified:
        told.append(f"Unverified: {', '.join(unverified)}.")
    return told


def _print(result: dict[str, Any]) -> None:
    output.table(_HEADINGS, _rows(result))
    for sentence in _sentences(result):
        output.line(sentence)


def _page(result: dict[str, Any]) -> list[page.Part]:
    return [page.table(_HEADINGS, _rows(result)), page.items(_sentences(result))]
