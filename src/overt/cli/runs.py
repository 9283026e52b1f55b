# SPDX-License-Identifier: Apache-2.0
"""Records of evaluations: what was measured, on what, with which weights, and when, as JSON to make cards from.

Never a picture, a name or a vector. Knows no measure.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from overt import __version__
from overt.cli.output import CommandError
from overt.engine import Engine

RecordOption = Annotated[Path | None, typer.Option("--record", help="Also write a record of this run, for a card.")]
NameOption = Annotated[str, typer.Option("--name", help="What to call the pictures in reports.")]

FORMAT = 1
KINDS = ("verify", "identify", "fairness", "replay")
_FIELDS = ("kind", "date", "version", "data", "model", "limits", "results")


@dataclass(frozen=True, slots=True)
class Data:
    """What was measured on. digest: of all pictures together, "" = of none."""

    name: str
    pictures: int
    people: int
    digest: str


def model(opened: Engine) -> dict[str, Any]:
    """The models that find and compare faces, by what their weights hash to, and how similarities are calibrated."""
    used = [opened.models.session(task).model for task in ("detect", "embed")]
    packs = sorted({f"{pack.id} {pack.version}" for pack in opened.models.packs for one in used if one in pack.models})
    return {
        "name": opened.models.faces.model,
        "packs": packs,
        "weights": {one.name: one.sha256 for one in used},
        "calibration": opened.models.faces.calibration.fitted_on,
        "limits": [one.limits for one in used],
    }


def make(
    kind: str, data: Data, used: Mapping[str, Any], results: Mapping[str, Any], limits: Sequence[str]
) -> dict[str, Any]:
    """A record as of today. Args: kind: of KINDS. used: see `model`. limits: what the run cannot show, in words."""
    return {
        "overt_record": FORMAT,
        "kind": kind,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "version": __version__,
        "data": {"name": data.name, "pictures": data.pictures, "people": data.people, "digest": data.digest},
        "model": dict(used),
        "limits": list(limits),
        "results": dict(results),
    }


def write(path: Path | None, record: Mapping[str, Any]) -> None:
    """Write a record, if there is a file to write it to."""
    if path:
        text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """A record from a file. Raises: CommandError when it is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CommandError(f"{path} is no record of a run: it is no JSON") from None
    if not isinstance(record, dict) or record.get("overt_record") != FORMAT:
        raise CommandError(f"{path} is no record of a run; write one with --record")
    missing = [field for field in _FIELDS if field not in record]
    if missing or record["kind"] not in KINDS:
        raise CommandError(f"{path} is no whole record: {', '.join(missing) or 'its kind'} is missing or unknown")
    return record


def digest(paths: Iterable[Path]) -> str:
    """One hash of many pictures, whatever they are called and wherever they lie; hex."""
    each = sorted(hashlib.sha256(path.read_bytes()).digest() for path in paths)
    return hashlib.sha256(b"".join(each)).hexdigest()
