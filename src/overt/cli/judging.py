# SPDX-License-Identifier: Apache-2.0
"""What evaluations on labelled pictures share: finding the pictures, looking at them all, writing down rates.

A picture that cannot be read is counted and told, and the others are measured. Knows no model and no measure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.console import Console
from rich.progress import track

from overt.cli import output
from overt.engine import Engine
from overt.errors import WireError
from overt.govern.accuracy import Rate
from overt.types import Image

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
_TOLD = 5  # names of a kind before "and so many more"
_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True)
class Looked(Generic[_Seen]):
    """What was seen in each picture, by its file, in the order asked for; and why others could not be read."""

    seen: Mapping[Path, _Seen]
    unreadable: Mapping[str, str]


def folder(path: Path) -> Path:
    """A folder that is there. Raises: CommandError."""
    if not path.is_dir():
        raise output.CommandError(f"there is no folder {path}")
    return path


def file(path: Path) -> Path:
    """A file that is there. Raises: CommandError."""
    if not path.is_file():
        raise output.CommandError(f"there is no file {path}")
    return path


def by_folder(root: Path) -> dict[str, list[Path]]:
    """The pictures below each subfolder, by its name, in a stable order. Raises: CommandError when there are none."""
    found = {
        inner.name: [path for path in sorted(inner.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]
        for inner in sorted(folder(root).iterdir())
        if inner.is_dir()
    }
    if not any(found.values()):
        raise output.CommandError(f"no image found: {root} needs subfolders with {', '.join(sorted(SUFFIXES))} in them")
    return {name: paths for name, paths in found.items() if paths}


def look(opened: Engine, paths: Iterable[Path], see: Callable[[Image], _Seen], *, quiet: bool) -> Looked[_Seen]:
    """Look at every picture, several at a time. Raises: CommandError when not one can be read, PackError."""
    wanted = list(dict.fromkeys(paths))
    seen: dict[Path, _Seen] = {}
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(opened.settings.workers) as threads:
        work = threads.map(lambda path: _look(opened, path, see), wanted)
        shown = track(work, "looking", total=len(wanted), console=Console(stderr=True), disable=quiet)
        try:
            for path, (found, reason) in zip(wanted, shown, strict=True):
                if found:
                    (seen[path],) = found
                else:
                    unreadable[str(path)] = reason
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    if not seen:
        raise output.CommandError(f"none of {len(wanted)} pictures can be read: {listed(unreadable, unreadable)}")
    return Looked(seen, unreadable)


def _look(opened: Engine, path: Path, see: Callable[[Image], _Seen]) -> tuple[list[_Seen], str]:
    """The one thing that is seen; or nothing, and why."""
    try:
        image = opened.media.decode(path.read_bytes())
    except OSError as error:
        return [], error.strerror or str(error)
    except WireError as error:
        return [], error.detail or error.text
    return [see(image)], ""


def listed(names: Iterable[str], reasons: Mapping[str, str] | None = None) -> str:
    """A few names, each with its reason if there are reasons, and how many more there are."""
    wanted = list(names)
    told = [f"{name} ({reasons[name]})" if reasons else name for name in wanted[:_TOLD]]
    more = len(wanted) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


# --- rates, as they are written down ---


def rate(measured: Rate | None) -> dict[str, Any] | None:
    """A rate for programs; None where there was nothing to take a share of."""
    if measured is None:
        return None
    return {
        "value": measured.value,
        "low": measured.low,
        "high": measured.high,
        "count": measured.count,
        "n": measured.trials,
    }


def number(value: float) -> float | None:
    """A figure for programs, whose JSON knows no NaN."""
    return None if math.isnan(value) else value


def cells(measured: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """A rate, its interval and what it is a share of, for people."""
    if measured is None:
        return "-", "", "0"
    interval = f"{measured['low']:.4f} .. {measured['high']:.4f}"
    return f"{measured['value']:.4f}", interval, f"{measured['count']} of {measured['n']}"


def print_rates(what: str, rows: Sequence[tuple[str, Mapping[str, Any] | None]]) -> None:
    """A table of rates."""
    output.table(
        (what, "share", "exact 95 % interval", "pictures or words"), [(name, *cells(row)) for name, row in rows]
    )


def print_unreadable(unreadable: Mapping[str, str]) -> None:
    """Say what was left out, if anything was."""
    if unreadable:
        output.line(f"{len(unreadable)} pictures could not be read: {listed(unreadable, unreadable)}")
