# SPDX-License-Identifier: Apache-2.0
"""`overt eval tags`: is the right class among a tagger's first ones? Knows folders; `govern.tagging` measures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import judging, output
from overt.cli.home import engine
from overt.govern import tagging
from overt.models.tasks.tags import Classifier
from overt.models.taxonomy import Taxonomy
from overt.types import Image

_WORDNET = re.compile(r"n\d{8}")
_FEW, _SEVERAL = 1, 5  # top-1 and top-5


def tags(
    pictures: Annotated[
        Path, typer.Argument(help="Folder with a folder for each class: its number from 0, its label, or a WordNet id.")
    ],
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Measure the tagger alone, fed as its maker says: top-1 and top-5. WordNet ids need all of ImageNet's classes."""
    folders = judging.by_folder(pictures)
    with engine(home) as opened:
        session = opened.models.session("tags")
        classifier = Classifier(session)
        meant = columns(list(folders), classifier.classes)

        def see(image: Image) -> list[int]:
            scores = classifier.read(image.pixels).scores[0]
            return [int(column) for column in np.argsort(-scores, kind="stable")[:_SEVERAL]]

        looked = judging.look(opened, (path for paths in folders.values() for path in paths), see, quiet=as_json)
    ranked: list[list[int]] = []
    truth: list[int] = []
    places: dict[str, list[int]] = {}
    for name, paths in folders.items():
        first, *same = meant[name]
        for path in paths:
            if path in looked.seen:
                places.setdefault(name, []).append(len(truth))
                # Classes of one label are one class to whoever labels pictures by it.
                ranked.append([first if column in same else column for column in looked.seen[path]])
                truth.append(first)

    def figures(which: Iterable[int]) -> dict[str, Any]:
        chosen = list(which)
        answers, true = [ranked[at] for at in chosen], [truth[at] for at in chosen]
        return {
            "top1": judging.rate(tagging.top(_FEW, answers, true)),
            "top5": judging.rate(tagging.top(_SEVERAL, answers, true)),
        }

    result = {
        "model": session.model.name,
        "pictures": len(truth),
        "classes": len(places),
        **figures(range(len(truth))),
        "unreadable": looked.unreadable,
        "folders": {name: figures(which) for name, which in places.items()},
    }
    output.show(result, lambda: _print(result), as_json=as_json)


def columns(folders: Sequence[str], classes: Sequence[str]) -> dict[str, list[int]]:
    """Which classes of the tagger each folder stands for.

    All folders are WordNet ids, as many as there are classes, and then numbered in their order, which is how ImageNet
    numbers them; or each is a class's number or its label. Raises: CommandError naming the folders that are neither.
    """
    if all(_WORDNET.fullmatch(name) for name in folders):
        if len(folders) != len(classes):
            raise output.CommandError(
                f"{len(folders)} folders named by WordNet ids: they tell classes only when all {len(classes)} are "
                "there; name them by their numbers from 0, or by their labels"
            )
        return {name: [number] for number, name in enumerate(sorted(folders))}
    find = Taxonomy.read().find
    labelled: dict[str, list[int]] = {}
    for column, text in enumerate(classes):
        for name in {text, entry.name if (entry := find(text)) else text} - {""}:
            labelled.setdefault(name.casefold(), []).append(column)
    meant = {}
    for name in folders:
        entry = find(name)
        if name.isdecimal():
            meant[name] = [int(name)] if int(name) < len(classes) else []
        else:
            meant[name] = labelled.get((entry.name if entry else name).casefold(), [])
    unknown = [name for name, found in meant.items() if not found]
    if unknown:
        raise output.CommandError(
            f"no class of the tagger: {judging.listed(unknown)}; name folders by its numbers, 0 to "
            f"{len(classes) - 1}, or by its labels"
        )
    return meant


def _print(result: dict[str, Any]) -> None:
    output.line(f"{result['pictures']} pictures of {result['classes']} classes; model {result['model']}")
    judging.print_unreadable(result["unreadable"])
    judging.print_rates("the right class is", [("the first", result["top1"]), ("among five", result["top5"])])
