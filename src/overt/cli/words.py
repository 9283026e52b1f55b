# SPDX-License-Identifier: Apache-2.0
"""`overt eval text`: is text found, and read letter by letter? Knows files; `govern.reading` compares outlines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import judging, output
from overt.cli.home import engine
from overt.govern import reading
from overt.govern.accuracy import rate
from overt.govern.reading import ILLEGIBLE, Tally
from overt.types import Image, Text

_FIELDS = (2, 3)  # file, text, and perhaps corners
_LEAST_CORNERS = 3


@dataclass(frozen=True, slots=True)
class Written:
    """A text of the truth. corners: (x, y) in pixels of the upright picture; empty when not given."""

    file: str
    text: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What was read in a picture; its size in pixels."""

    lines: tuple[Text, ...]
    words: tuple[Text, ...]
    width: int
    height: int


def text(
    truth: Annotated[
        Path, typer.Option(help="Tab-separated lines: file, text, and if known its corners in pixels, x1,y1,x2,y2,...")
    ],
    images: Annotated[Path, typer.Option(help="Folder with the pictures that it names.")],
    confidence: Annotated[
        float, typer.Option(min=0, max=100, help="Words count from this confidence on; DetectText's default.")
    ] = 80,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Compare text read with what is written: word accuracy, and where corners are given, how well it is found.

    As in DetectText, at most 100 words of a picture are read.
    """
    wanted = read_truth(judging.file(truth))
    judging.folder(images)
    by_file: dict[str, list[Written]] = {}
    for one in wanted:
        by_file.setdefault(one.file, []).append(one)
    with engine(home) as opened:
        reader = opened.models.text

        def see(image: Image) -> Sight:
            lines, words = reader.read(image)
            return Sight(lines, words, image.width, image.height)

        looked = judging.look(opened, (images / name for name in by_file), see, quiet=as_json)
    pairs = [(by_file[name], looked.seen[images / name]) for name in by_file if images / name in looked.seen]
    located = bool(wanted[0].corners)
    # Whoever outlines text outlines lines, or words, which have no space in them.
    of_lines = located and any(" " in one.text for one in wanted)
    measure = _tally_outlines if located else _tally_words
    total = sum((measure(asked, sight, confidence / 100, of_lines=of_lines) for asked, sight in pairs), Tally())
    result = {
        "pictures": len(pairs),
        "unit": "line" if of_lines else "word",
        "confidence": confidence,
        "accuracy": judging.rate(rate(total.exact, total.truth) if total.truth else None),
        "accuracy_any_case": judging.rate(rate(total.alike, total.truth) if total.truth else None),
        "detection": _detection(total) if located else None,
        "unreadable": looked.unreadable,
    }
    if not located:
        result["answers_in_truth"] = judging.rate(rate(total.found, total.answers) if total.answers else None)
    output.show(result, lambda: _print(result), as_json=as_json)


def read_truth(path: Path) -> list[Written]:
    """The rows of a truth file: all with corners, or none. Raises: CommandError naming the bad line."""
    found = []
    for number, row in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if row.strip():
            fields = row.split("\t")
            if len(fields) not in _FIELDS or not fields[0].strip() or not fields[1].strip():
                raise output.CommandError(f"{path}, line {number}: not file, text and perhaps corners between tabs")
            corners = _corners(path, number, fields[2]) if len(fields) == max(_FIELDS) and fields[2].strip() else ()
            found.append(Written(fields[0].strip(), fields[1].strip(), corners))
    if not found:
        raise output.CommandError(f"{path} holds no text")
    if len({bool(one.corners) for one in found}) > 1:
        raise output.CommandError(f"{path}: corners are needed for each text, or for none")
    return found


def _corners(path: Path, number: int, field: str) -> tuple[tuple[float, float], ...]:
    try:
        values = [float(value) for value in field.replace(",", " ").split()]
    except ValueError:
        values = []
    if len(values) < 2 * _LEAST_CORNERS or len(values) % 2 or not np.isfinite(values).all():
        raise output.CommandError(f"{path}, line {number}: {field!r} is no list of three or more corners x,y")
    return tuple(zip(values[::2], values[1::2], strict=True))


def _tally_outlines(asked: Sequence[Written], sight: Sight, least: float, *, of_lines: bool) -> Tally:
    given = [one for one in sight.words if one.confidence >= least]
    if of_lines:  # DetectText shows a line when it shows one of its words
        given = [sight.lines[line] for line in sorted({one.line for one in given if one.line is not None})]
    size = np.array([sight.width, sight.height])
    try:
        return reading.tally(
            [(one.text, one.corners) for one in asked], [(one.text, one.corners * size) for one in given]
        )
    except ValueError as error:
        raise output.CommandError(f"{asked[0].file}: {error}") from None


def _tally_words(asked: Sequence[Written], sight: Sight, least: float, *, of_lines: bool) -> Tally:  # noqa: ARG001 - words
    """Words by their letters alone: each of the truth is read once if it is among those read."""
    wanted = Counter(word for one in asked if one.text != ILLEGIBLE for word in one.text.split())
    given = Counter(one.text for one in sight.words if one.confidence >= least)
    exact = (wanted & given).total()
    alike = (_any_case(wanted) & _any_case(given)).total()
    return Tally(truth=wanted.total(), answers=given.total(), found=exact, exact=exact, alike=alike)


def _any_case(words: Counter[str]) -> Counter[str]:
    folded: Counter[str] = Counter()
    for word, count in words.items():
        folded[word.casefold()] += count
    return folded


def _detection(total: Tally) -> dict[str, Any]:
    return {
        "recall": judging.rate(rate(total.found, total.truth) if total.truth else None),
        "precision": judging.rate(rate(total.found, total.answers) if total.answers else None),
        "f1": judging.number(total.f1),
    }


def _print(result: Mapping[str, Any]) -> None:
    unit = result["unit"]
    output.line(f"{result['pictures']} pictures; {unit}s count from confidence {result['confidence']:g} on")
    judging.print_unreadable(result["unreadable"])
    rows = [(f"{unit}s read letter by letter", result["accuracy"])]
    rows.append(("the same, capitals or not", result["accuracy_any_case"]))
    if result["detection"] is None:
        rows.append((f"of the {unit}s read, those in the truth", result["answers_in_truth"]))
    else:
        rows.append((f"{unit}s found (recall)", result["detection"]["recall"]))
        rows.append(("of what was found, right (precision)", result["detection"]["precision"]))
    judging.print_rates("of the truth", rows)
    if result["detection"] is not None and result["detection"]["f1"] is not None:
        output.line(f"F1 of finding them: {result['detection']['f1']:.4f}")
