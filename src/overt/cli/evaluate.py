# SPDX-License-Identifier: Apache-2.0
"""`overt eval`: how good is it on your own labelled pictures? Here: `overt eval verify`, on pairs of faces.

Knows files and formats; the rates are worked out in `govern.accuracy`. The other evaluations have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from overt.cli import boxes, classes, identify, output, runs, unsafe, words
from overt.cli.home import engine
from overt.cli.sample import off_centre
from overt.engine import Engine
from overt.errors import WireError
from overt.govern import accuracy
from overt.types import Embedding

app = typer.Typer(help="Evaluation on your own labelled pictures.", no_args_is_help=True)
app.command("objects")(boxes.objects)
app.command("tags")(classes.tags)
app.command("moderation")(unsafe.moderation)
app.command("text")(words.text)
app.command("identify")(identify.identify)

FALSE_MATCH_RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_GENUINE_FIELDS = 3  # name a b; an impostor pair has four: name a other b


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, by path below the images folder. fold: number from 0."""

    first: str
    second: str
    same: bool
    fold: int


@app.command("verify")
def verify(
    pairs: Annotated[Path, typer.Option(help="Pairs file in the format of LFW's pairs.txt.")],
    images: Annotated[Path, typer.Option(help="Folder with NAME/NAME_0001.jpg (or .png).")],
    name: runs.NameOption = "own pictures",
    record: runs.RecordOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Compare labelled pairs of pictures: accuracy over the folds, and TMR at fixed false-match rates."""
    wanted = read_pairs(pairs)
    names = sorted({name for pair in wanted for name in (pair.first, pair.second)})
    with engine(home) as opened:
        embeddings = _embed_all(opened, images, names, quiet=as_json)
        model, used = opened.models.faces.model, runs.model(opened)
    result = {"model": model, "pictures": len(names)} | _measure(wanted, embeddings)
    if record:
        people = len({one.partition("/")[0] for one in names})
        data = runs.Data(name, len(names), people, runs.digest(_file(images, one) for one in names))
        limits = ["Pairs of a few people are taken for independent: the intervals may be too narrow."]
        runs.write(record, runs.make("verify", data, used, result, limits))
    output.show(result, lambda: _print(result), as_json=as_json)


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of an LFW-format file, tabs or spaces.

    A first line `folds n` (or just `n`, one fold) says that each fold has n genuine pairs, `name a b`, and then n
    impostor pairs, `name a other b`; without it, all lines are one fold. Raises: CommandError naming the bad line.
    """
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    size = int(lines[0][-1]) if lines and len(lines[0]) <= 2 and lines[0][-1].isdigit() else 0  # noqa: PLR2004
    found = []
    for number, fields in enumerate(lines[1:] if size else lines):
        fold = number // (2 * size) if size else 0
        try:
            found.append(_pair(fields, fold))
        except ValueError:
            raise output.CommandError(f"{path}: not a pair: {' '.join(fields)!r}") from None
    if not found:
        raise output.CommandError(f"{path} holds no pairs")
    return found


def _pair(fields: list[str], fold: int) -> Pair:
    """One line of a pairs file. Raises: ValueError."""
    if len(fields) == _GENUINE_FIELDS:
        name, a, b = fields
        return Pair(_picture(name, a), _picture(name, b), same=True, fold=fold)
    name, a, other, b = fields
    return Pair(_picture(name, a), _picture(other, b), same=False, fold=fold)


def _picture(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}"


def _embed_all(opened: Engine, images: Path, names: list[str], *, quiet: bool) -> dict[str, Embedding]:
    """The embedding of each picture's face; a picture without a face is missing from the answer."""
    with ThreadPoolExecutor(opened.settings.workers) as threads:
        work = threads.map(lambda name: (name, _embed(opened, images, name)), names)
        shown: Iterable[Any] = track(work, "embedding", total=len(names), console=Console(stderr=True), disable=quiet)
        return {name: embedding for name, embedding in shown if embedding is not None}


def _embed(opened: Engine, images: Path, name: str) -> Embedding | None:
    path = _file(images, name)
    try:
        image = opened.media.decode(path.read_bytes())
    except WireError:
        return None
    faces = opened.models.faces.detect(image)
    return opened.models.faces.embed(image, min(faces, key=off_centre)) if faces else None


def _file(images: Path, name: str) -> Path:
    files = [images / f"{name}{suffix}" for suffix in (".jpg", ".jpeg", ".png")]
    path = next((file for file in files if file.exists()), None)
    if path is None:
        raise output.CommandError(f"there is no {files[0]} (nor .jpeg, .png)")
    return path


def _measure(pairs: list[Pair], embeddings: dict[str, Embedding]) -> dict[str, Any]:
    usable = [pair for pair in pairs if pair.first in embeddings and pair.second in embeddings]
    scores = np.asarray([embeddings[pair.first].cosine(embeddings[pair.second]) for pair in usable])
    same = np.asarray([pair.same for pair in usable], dtype=bool)
    folds = np.asarray([pair.fold for pair in usable], dtype=np.int_)
    if not same.any() or same.all():
        raise output.CommandError("an evaluation needs genuine and impostor pairs, with a face in each picture")
    result: dict[str, Any] = {
        "genuine_pairs": int(same.sum()),
        "impostor_pairs": int((~same).sum()),
        "pairs_without_a_face": len(pairs) - len(usable),
        "genuine_least": float(scores[same].min()),
        "impostor_most": float(scores[~same].max()),
        "operating_points": [_point(scores, same, fmr) for fmr in FALSE_MATCH_RATES],
    }
    if len(np.unique(folds)) > 1:
        accuracies = accuracy.fold_accuracies(scores, same, folds)
        result["folds"] = len(accuracies)
        result["accuracy"] = float(accuracies.mean())
        result["accuracy_standard_error"] = float(accuracies.std(ddof=1) / np.sqrt(len(accuracies)))
    return result


def _point(scores: accuracy.Scores, same: np.ndarray[Any, np.dtype[np.bool_]], fmr: float) -> dict[str, Any]:
    point = accuracy.operating_point(scores[same], scores[~same], fmr)
    if point.tmr is None:
        return {"fmr": fmr, "insufficient": f"needs {point.impostors_needed} impostor pairs"}
    return {
        "fmr": fmr,
        "threshold": point.threshold,
        "tmr": point.tmr.value,
        "tmr_low": point.tmr.low,
        "tmr_high": point.tmr.high,
    }


def _print(result: dict[str, Any]) -> None:
    output.line(
        f"{result['pictures']} pictures, {result['genuine_pairs']} genuine and {result['impostor_pairs']} impostor "
        f"pairs, {result['pairs_without_a_face']} left out for lack of a face; model {result['model']}"
    )
    output.line(f"cosines: least genuine {result['genuine_least']:.4f}, highest impostor {result['impostor_most']:.4f}")
    if "accuracy" in result:
        error = result["accuracy_standard_error"]
        output.line(f"accuracy over {result['folds']} folds: {result['accuracy']:.4f} +- {error:.4f} (standard error)")
    else:
        output.line("accuracy over folds: the pairs file has only one fold")
    output.table(("FMR", "TMR", "exact 95 % interval", "cosine >="), map(_row, result["operating_points"]))


def _row(point: dict[str, Any]) -> tuple[str, ...]:
    if "insufficient" in point:
        return f"{point['fmr']:.0e}", "insufficient", point["insufficient"], ""
    return (
        f"{point['fmr']:.0e}",
        f"{point['tmr']:.4f}",
        f"{point['tmr_low']:.4f} .. {point['tmr_high']:.4f}",
        f"{point['threshold']:.4f}",
    )
