# SPDX-License-Identifier: Apache-2.0
"""`overt report fairness`: do errors fall on some groups more than on others, on your own labelled pictures?

Knows files and formats; the rates are worked out in `govern.disparity`. Writes of groups, never of a person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from overt.cli import judging, output, page, runs, sample
from overt.cli.home import engine
from overt.govern import disparity
from overt.govern.disparity import Cell, Differential
from overt.govern.identification import Labelled
from overt.models.calibration import Calibration

_BATCH = 2_000_000  # scores held at a time
_TOLD = 5  # pairs of groups named in the text; the page has all of them
MISS_TARGET = 1e-2
"""False non-matches that are to be kept to. Source: SP 800-63A-4 §3.11."""
_RARE = 0.05  # a share of deals by chance below which one does not put it down to chance


def fairness(
    folder: Annotated[Path, typer.Argument(help="Folder that the files of the list lie in.")],
    groups: Annotated[Path, typer.Option(help="CSV file: file, person if known, and a column for each grouping.")],
    by: Annotated[
        list[str] | None, typer.Option(help="Column to group by; more are also crossed [default: group].")
    ] = None,
    similarity: Annotated[list[float] | None, typer.Option(help="Threshold; again for more [default: 80].")] = None,
    gate: Annotated[
        float, typer.Option(min=1.0, help="Times the overall rate that a group's may be.")
    ] = disparity.GATE,
    seed: Annotated[int, typer.Option(help="The same seed draws the same intervals.")] = 0,
    name: runs.NameOption = "own pictures",
    html: page.HtmlOption = None,
    record: runs.RecordOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Compare everybody with everybody: error rates by group and group x group, with intervals and what is too few."""
    thresholds = sorted(set(similarity or [80.0]))
    if not all(0 < one <= 100 for one in thresholds):  # noqa: PLR2004 - the contract's scale
        raise output.CommandError("a similarity is above 0 and at most 100")
    people = read(judging.folder(folder), groups, tuple(by or ("group",)))
    with engine(home) as opened:
        looked = sample.look(opened, people.pictures, quiet=as_json)
        calibration, used = opened.models.faces.calibration, runs.model(opened)
    result = measure(looked.labelled, people, calibration, thresholds, gate, seed)
    result |= {
        "pictures": len(looked.pictures),
        "without_a_face": looked.faceless,
        "unreadable": len(looked.unreadable),
    }
    document = runs.make("fairness", looked.data(name), used, result, _limits(people, looked.labelled))
    runs.write(record, document)
    page.write(html, f"Errors by group among {name}", _page(document))
    output.show(document, lambda: _print(document), as_json=as_json)


@dataclass(frozen=True, slots=True)
class People:
    """Who is who, by a list. pictures: files by person. groups: each person's value in each column, in that order.

    named: whether the list says who is who; if not, each picture is taken for somebody else.
    """

    columns: tuple[str, ...]
    pictures: dict[str, list[Path]]
    groups: dict[str, tuple[str, ...]]
    named: bool


def read(folder: Path, groups: Path, by: tuple[str, ...]) -> People:
    """The people of a list. Raises: CommandError when it names a picture twice, or one person in two groups."""
    rows = sample.rows(groups, ("file", *by))
    named = bool(rows) and "person" in rows[0]
    pictures: dict[str, list[Path]] = {}
    labels: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for row in rows:
        person = (row["person"] if named else "") or f"\n{row['file']}"  # no one can be called that
        label = tuple(row[column] for column in by)
        if row["file"] in seen:
            raise output.CommandError(f"{groups} names {row['file']} twice")
        if labels.setdefault(person, label) != label:
            raise output.CommandError(f"{groups} has one person in two groups: see {row['file']}")
        seen.add(row["file"])
        pictures.setdefault(person, []).append(folder / row["file"])
    if not pictures:
        raise output.CommandError(f"{groups} names no picture")
    return People(by, pictures, labels, named)


def measure(
    labelled: Labelled, people: People, calibration: Calibration, thresholds: Sequence[float], gate: float, seed: int
) -> dict[str, Any]:
    """All figures, as plain JSON; the same for the same seed."""
    rows = [[row for row in owned if labelled.present[row]] for owned in labelled.people]
    owner = np.full(len(labelled.vectors), -1)
    for place, owned in enumerate(rows):
        owner[owned] = place
    pictures = np.array([len(owned) for owned in rows], np.int64)
    genuine = [_own_scores(labelled, owned) for owned in rows]
    labels = list(people.groups.values())
    views = [(column, [label[place] for label in labels]) for place, column in enumerate(people.columns)]
    if len(people.columns) > 1:
        views.append((" x ".join(people.columns), [" / ".join(label) for label in labels]))
    told = []
    for similarity in thresholds:
        cosine = calibration.cosine(similarity / 100)
        target = calibration.false_match_rate(cosine)
        matches = _matches(labelled, owner, cosine)
        missed = np.array([int((scores < cosine).sum()) for scores in genuine])
        tried = np.array([len(scores) for scores in genuine])
        for column, values in views:
            names = sorted(set(values))
            group_of = np.array([names.index(value) for value in values])
            false = disparity.false_matches(names, group_of, pictures, matches, target, gate=gate, seed=seed)
            misses = (
                disparity.false_non_matches(names, group_of, missed, tried, MISS_TARGET, gate=gate, seed=seed)
                if tried.any()
                else None
            )
            told.append(
                {
                    "by": column,
                    "similarity": similarity,
                    "cosine": cosine,
                    "false_matches": _differential(false, target),
                    "false_non_matches": misses and _differential(misses, MISS_TARGET),
                }
            )
    return {
        "gate": gate,
        "seed": seed,
        "people": len(labels),
        "genuine_pairs": int(sum(map(len, genuine))),
        "views": told,
    }


def _own_scores(labelled: Labelled, rows: Sequence[int]) -> npt.NDArray[np.float32]:
    """Scores of all pairs of pictures of one person."""
    own = labelled.vectors[list(rows)]
    scores: npt.NDArray[np.float32] = (own @ own.T)[np.triu_indices(len(own), 1)]
    return scores


def _matches(labelled: Labelled, owner: npt.NDArray[np.int64], cosine: float) -> npt.NDArray[np.int64]:
    """People (k, 2) of each pair of pictures of different people at or above a cosine."""
    rows = np.flatnonzero(owner >= 0)
    vectors, owners = labelled.vectors[rows], owner[rows]
    step = max(1, _BATCH // max(len(rows), 1))
    found = []
    for start in range(0, len(rows), step):
        near, far = np.nonzero(vectors[start : start + step] @ vectors.T >= cosine)
        near = near + start
        kept = (near < far) & (owners[near] != owners[far])
        found.append(np.stack([owners[near[kept]], owners[far[kept]]], axis=1))
    return np.concatenate(found).astype(np.int64)


def _differential(told: Differential, target: float) -> dict[str, Any]:
    return {
        "target": target,
        "groups": [
            {
                "group": name,
                **_cell(told.inside[place]),
                "against_all": _cell(told.against_all[place]) if told.against_all else None,
                "verdict": finding.verdict,
                "ratio": finding.ratio,
                "ratio_low": finding.low,
                "ratio_high": finding.high if math.isfinite(finding.high) else None,
                "need": finding.need,
            }
            for place, (name, finding) in enumerate(zip(told.groups, told.findings, strict=True))
        ],
        "pairs_of_groups": [
            {"first": told.groups[a], "second": told.groups[b], **_cell(cell)} for (a, b), cell in told.cells.items()
        ],
        "inside_groups": _cell(told.whole),
        "all": _cell(told.every),
        "worst": None if told.worst is None else told.groups[told.worst],
        "best": None if told.best is None else told.groups[told.best],
        "worst_to_overall": told.worst_to_overall,
        "worst_to_best": told.worst_to_best,
        "worst_to_best_at_least": told.worst_to_best_at_least,
        "worst_to_geometric_mean": told.worst_to_geometric_mean,
        "permuted_median": told.permuted and told.permuted[0],
        "permuted_95th": told.permuted and told.permuted[1],
        "chance": told.chance,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "people": cell.people,
        "n": cell.trials,
        "count": cell.errors,
        "value": cell.value,
        "low": cell.low,
        "high": cell.high,
    }


def _limits(people: People, labelled: Labelled) -> list[str]:
    limits = [
        "Groups are as the list labels them; people whom it puts in no group or the wrong one are not seen.",
        "Intervals hold for people like those in the pictures, taken as those were taken.",
        (
            f"A group is held to the rate inside all groups together, with a gate; {disparity.INSUFFICIENT} "
            "means that the "
            "counts can show neither that it keeps to it nor that it does not. Nothing here shows that "
            "there is no bias."
        ),
    ]
    if not any(len(rows) > 1 for rows in labelled.people):
        limits.append(
            "There is one picture of each person: only false matches could be measured. How often a second picture of "
            "somebody is missed (false non-matches), by group, is unknown."
        )
    if not people.named:
        limits.append(
            "The list does not say who is who (no column person): each picture was taken for somebody else. Two of one "
            "person would count as a false match."
        )
    return limits


# --- for people ---


def verdict(group: dict[str, Any]) -> str:
    """What is found of a group, in words; never that there is no difference."""
    if group["verdict"] == disparity.INSUFFICIENT:
        return f"{disparity.INSUFFICIENT} (n={group['n']}, need {group['need']})"
    return str(group["verdict"])


def _share(cell: dict[str, Any] | None) -> str:
    if cell is None or cell["value"] is None:
        return "-"
    return f"{cell['value']:.3%} ({cell['low']:.3%} .. {cell['high']:.3%})"


_HEADINGS = ("group", "people", "errors", "of pairs", "rate (95 %)", "against everybody", "x overall", "finding")


def _rows(told: dict[str, Any]) -> list[tuple[Any, ...]]:
    worst_first = sorted(told["groups"], key=lambda one: (-(one["value"] or 0), one["group"]))
    rows: list[tuple[Any, ...]] = [
        (
            one["group"],
            one["people"],
            one["count"],
            one["n"],
            _share(one),
            _share(one["against_all"]),
            "-" if one["ratio"] is None else f"{one['ratio']:.2f}",
            verdict(one),
        )
        for one in worst_first
    ]
    inside, every = told["inside_groups"], told["all"]
    rows.append(("inside all groups", inside["people"], inside["count"], inside["n"], _share(inside), "", "1", ""))
    if every["n"] != inside["n"]:
        rows.append(("all pairs", every["people"], every["count"], every["n"], _share(every), "", "", ""))
    return rows


def _ratios(told: dict[str, Any]) -> str:
    if told["worst"] is None:
        return "No error was seen, so there is no ratio; the intervals say how many there may be."
    number = {
        name: "undefined, as a group has no errors" if told[name] is None else f"{told[name]:.2f}"
        for name in ("worst_to_best", "worst_to_geometric_mean")
    }
    return (
        f"Worst {told['worst']}, best {told['best']}. Worst/overall {told['worst_to_overall']:.2f}; worst/best "
        f"{number['worst_to_best']} (at least {told['worst_to_best_at_least']:.2f}); worst/geometric mean "
        f"{number['worst_to_geometric_mean']}. With labels dealt by chance worst/overall is "
        f"{told['permuted_median']:.2f}, "
        f"and {told['permuted_95th']:.2f} in one case of twenty; as high as this in a share of {told['chance']:.3f}."
        + (" That is more than chance: these groups differ, by however much." if told["chance"] <= _RARE else "")
    )


def _blocks(document: dict[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    return [
        (f"{what} by {view['by']} at similarity {view['similarity']:g} (cosine {view['cosine']:.4f})", view[key])
        for view in document["results"]["views"]
        for what, key in (("False matches", "false_matches"), ("False non-matches", "false_non_matches"))
    ]


def _summary(document: dict[str, Any]) -> str:
    result = document["results"]
    return (
        f"{result['pictures']} pictures of {result['people']} people, {result['without_a_face']} without a face and "
        f"{result['unreadable']} unreadable; {result['genuine_pairs']} pairs of one person; gate {result['gate']}; "
        f"model {document['model']['name']}"
    )


_UNMEASURED = "not measured: nobody has two pictures."


def _print(document: dict[str, Any]) -> None:
    output.line(_summary(document))
    for title, told in _blocks(document):
        output.line()
        if told is None:
            output.line(f"{title}: {_UNMEASURED}")
            continue
        output.line(f"{title}; to keep to: {told['target']:.0e}")
        output.table(_HEADINGS, _rows(told))
        output.line(_ratios(told))
        crossed = [one for one in told["pairs_of_groups"] if one["first"] != one["second"]]
        highest = sorted(crossed, key=lambda one: -(one["value"] or 0))[:_TOLD]
        for one in highest:
            output.line(f"  {one['first']} with {one['second']}: {one['count']} of {one['n']}, {_share(one)}")
    output.line()
    for limit in document["limits"]:
        output.line(f"- {limit}")


def _page(document: dict[str, Any]) -> list[page.Part]:
    parts = [
        page.paragraph(_summary(document)),
        page.paragraph(
            f"Pictures: {document['data']['name']}; {document['date']}; digest {document['data']['digest']}."
        ),
        page.heading("What this cannot show"),
        page.items(document["limits"]),
    ]
    for title, told in _blocks(document):
        parts.append(page.heading(title))
        if told is None:
            parts.append(page.warning(f"{_UNMEASURED[0].upper()}{_UNMEASURED[1:]}"))
            continue
        parts += [
            page.paragraph(_ratios(told)),
            page.table(_HEADINGS, _rows(told), f"To keep to: {told['target']:.0e}"),
        ]
        if told["pairs_of_groups"]:
            pairs = [
                (f"{one['first']} with {one['second']}", one["count"], one["n"], _share(one))
                for one in sorted(told["pairs_of_groups"], key=lambda one: -(one["value"] or 0))
            ]
            parts.append(page.table(("groups", "errors", "of pairs", "rate (95 %)"), pairs, "Group by group"))
    return parts
