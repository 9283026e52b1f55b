# SPDX-License-Identifier: Apache-2.0
"""`overt eval moderation`: is unsafe content found, and nothing else? Knows folders; `govern.tagging` measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import judging, output
from overt.cli.home import engine
from overt.govern import tagging
from overt.govern.accuracy import rate
from overt.models.taxonomy.unsafe import LEVELS, above
from overt.types import Image

SAFE = "safe"
"""The folder of pictures that no label should be given to."""


def moderation(
    pictures: Annotated[
        Path, typer.Argument(help=f"Folder with a folder for each moderation label, and one named {SAFE}.")
    ],
    confidence: Annotated[
        float, typer.Option(min=0, max=100, help="A label counts from this confidence on; MinConfidence's default.")
    ] = 50,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Measure moderation labels: precision, recall and average precision of each, and alarms on safe pictures."""
    folders = judging.by_folder(pictures)
    labelled = labels(folders)
    with engine(home) as opened:
        moderator = opened.models.moderation
        unsupported = set(moderator.unsupported)

        def see(image: Image) -> dict[str, float]:
            return {found.name: found.confidence for found in moderator.look(image, 0.0).labels}

        looked = judging.look(opened, labelled, see, quiet=as_json)
    least = confidence / 100
    asked = [name for name in LEVELS if any(name in (label, *above(label)) for label in labelled.values())]
    seen: dict[str, list[dict[str, float]]] = {labelled[path]: [] for path in looked.seen}
    for path, scores in looked.seen.items():
        seen[labelled[path]].append(scores)
    alarmed = [{name for name, sure in scores.items() if sure >= least} for scores in seen.get(SAFE, ())]
    result = {
        "pictures": len(looked.seen),
        "confidence": confidence,
        "categories": {name: _measured(name, seen, least) for name in asked if name not in unsupported},
        "unsupported": [name for name in asked if name in unsupported],
        "safe_pictures_with_a_label": judging.rate(rate(sum(map(bool, alarmed)), len(alarmed)) if alarmed else None),
        "labels_of_safe_pictures": _counted(alarmed),
        "unreadable": looked.unreadable,
    }
    output.show(result, lambda: _print(result), as_json=as_json)


def labels(folders: Mapping[str, list[Path]]) -> dict[Path, str]:
    """The moderation label of each picture, or SAFE. Raises: CommandError for a folder that is neither."""
    known = {name.casefold(): name for name in (*LEVELS, SAFE)}
    unknown = [name for name in folders if name.casefold() not in known]
    if unknown:
        raise output.CommandError(
            f"no moderation label, nor {SAFE!r}: {judging.listed(unknown)}; see docs/operations.md"
        )
    return {path: known[name.casefold()] for name, paths in folders.items() for path in paths}


def _measured(name: str, seen: Mapping[str, list[dict[str, float]]], least: float) -> dict[str, Any]:
    """One label's figures. Pictures that are only known to have a label above it say nothing of it."""
    pairs = [
        (scores.get(name, 0.0), name in (label, *above(label)))
        for label, found in seen.items()
        if label not in above(name)
        for scores in found
    ]
    if not pairs:
        return {"precision": None, "recall": None, "false_alarms": None, "average_precision": None}
    scores = np.array([score for score, _ in pairs], np.float64)
    tag = tagging.tag(name, scores, np.array([true for _, true in pairs], bool), least)
    return {
        "precision": judging.rate(tag.precision),
        "recall": judging.rate(tag.recall),
        "false_alarms": judging.rate(tag.false_alarms),
        "average_precision": judging.number(tag.average_precision),
    }


def _counted(alarmed: list[set[str]]) -> dict[str, int]:
    names = [name for name in LEVELS if any(name in found for found in alarmed)]
    return {name: sum(name in found for found in alarmed) for name in names}


def _print(result: dict[str, Any]) -> None:
    output.line(f"{result['pictures']} pictures; labels count from confidence {result['confidence']:g} on")
    judging.print_unreadable(result["unreadable"])
    if result["unsupported"]:
        output.line(f"not measured, as no installed model can tell it: {', '.join(result['unsupported'])}")
    rows = []
    for name, figures in result["categories"].items():
        average = figures["average_precision"]
        precision, recall = (" ".join(_cells(figures[which])) for which in ("precision", "recall"))
        rows.append((name, precision, recall, "-" if average is None else f"{average:.4f}"))
    if rows:
        output.table(("label", "precision, exact 95 % interval, n", "recall, exact 95 % interval, n", "AP"), rows)
    safe = result["safe_pictures_with_a_label"]
    if safe is not None:
        told = ", ".join(f"{name} {count}" for name, count in result["labels_of_safe_pictures"].items())
        output.line(f"\nsafe pictures given a label: {' '.join(_cells(safe))}" + (f": {told}" if told else ""))
    else:
        output.line(f"\nno folder {SAFE!r}: whether safe pictures are left alone was not measured")


def _cells(measured: Mapping[str, Any] | None) -> tuple[str, ...]:
    if measured is None:
        return ("-",)
    share, interval, counted = judging.cells(measured)
    return share, f"({interval})", counted
