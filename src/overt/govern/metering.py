# SPDX-License-Identifier: Apache-2.0
"""What was used, by month, operation, caller and case, and what it would be at somebody's list price.

Knows calls as rows and prices as tables; no store and no file.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DONE = "ok"
"""The outcome of a call that did what was asked; nothing else is charged for."""
PER_CALL = "image"
"""The unit of which each call that was done is one."""
STORED = "face-month"


@dataclass(frozen=True, slots=True)
class Use:
    """One call. case: "" = told none. outcome: "ok" or the error code."""

    time: dt.datetime
    operation: str
    key: str
    case: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Price:
    """Of units a month. tiers: (how many units, price of each), 0 = all others. verified: whether it was looked up."""

    name: str
    unit: str
    operations: frozenset[str]
    tiers: tuple[tuple[int, float], ...]
    verified: bool
    note: str

    def of(self, units: int) -> float:
        """What so many units of one month are."""
        total, left = 0.0, units
        for most, each in self.tiers:
            part = min(left, most) if most else left
            total += part * each
            left -= part
        return total


@dataclass(frozen=True, slots=True)
class Prices:
    """A list of prices. as_of: the day it is of. note: what to know before relying on it."""

    incumbent: str
    as_of: str
    currency: str
    note: str
    entries: tuple[Price, ...]

    def entry(self, operation: str) -> Price | None:
        """The price that a call comes under, if any."""
        return next((price for price in self.entries if operation in price.operations), None)

    @property
    def storage(self) -> Price | None:
        """What keeping a face for a month is."""
        return next((price for price in self.entries if price.unit == STORED), None)


@dataclass(frozen=True, slots=True)
class Row:
    """Use of one kind. done: calls that did what was asked. price: at the list, None where it has no such price."""

    month: str
    operation: str
    key: str
    case: str
    calls: int
    done: int
    price: float | None

    @property
    def failed(self) -> int:
        """Calls refused or failed, which cost nothing."""
        return self.calls - self.done


def read(table: Mapping[str, Any]) -> Prices:
    """Prices from a TOML table. Raises: ValueError saying what is wrong."""
    try:
        entries = tuple(_price(entry) for entry in table["price"])
        texts = [str(table[name]) for name in ("incumbent", "as_of", "currency", "note")]
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is missing") from None
    except TypeError as error:
        raise ValueError(f"a price is not as it should be: {error}") from None
    named = Counter(operation for entry in entries for operation in entry.operations)
    twice = sorted(operation for operation, count in named.items() if count > 1)
    if twice:
        raise ValueError(f"{twice[0]} has two prices")
    incumbent, as_of, currency, note = texts
    return Prices(incumbent, as_of, currency, note, entries)


def _price(entry: Mapping[str, Any]) -> Price:
    tiers = tuple((int(most), float(each)) for most, each in entry["tiers"])
    if not tiers or tiers[-1][0] or not all(most for most, _ in tiers[:-1]) or any(each < 0 for _, each in tiers):
        raise ValueError(f"{entry['name']}: tiers are [units, price], and only the last has 0 units: all others")
    return Price(
        str(entry["name"]),
        str(entry["unit"]),
        frozenset(entry["operations"]),
        tiers,
        bool(entry["verified"]),
        str(entry.get("note", "")),
    )


def meter(uses: Iterable[Use], prices: Prices) -> list[Row]:
    """Rows by month, operation, key and case, in that order. Months are of UTC.

    A month's units of one price go through its tiers together; each row bears its share by calls.
    """
    calls: Counter[tuple[str, str, str, str]] = Counter()
    done: Counter[tuple[str, str, str, str]] = Counter()
    units: Counter[tuple[str, str]] = Counter()
    for use in uses:
        month = use.time.astimezone(dt.UTC).strftime("%Y-%m")
        place = (month, use.operation, use.key, use.case)
        calls[place] += 1
        if use.outcome != DONE:
            continue
        done[place] += 1
        entry = prices.entry(use.operation)
        if entry and entry.unit == PER_CALL:
            units[month, entry.name] += 1

    def price(month: str, operation: str, count: int) -> float | None:
        entry = prices.entry(operation)
        if entry is None or entry.unit != PER_CALL:
            return None
        together = units[month, entry.name]
        return entry.of(together) * count / together if together else 0.0

    return [Row(*place, calls[place], done[place], price(place[0], place[1], done[place])) for place in sorted(calls)]


@dataclass(frozen=True, slots=True)
class Total:
    """A month in all. price: at the list, of what has a price by the call."""

    month: str
    calls: int
    done: int
    images: int
    price: float


def totals(rows: Sequence[Row]) -> list[Total]:
    """What the rows of each month come to."""
    by_month: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_month[row.month].append(row)
    return [
        Total(
            month,
            sum(row.calls for row in own),
            sum(row.done for row in own),
            sum(row.done for row in own if row.price is not None),
            sum(row.price or 0.0 for row in own),
        )
        for month, own in sorted(by_month.items())
    ]
