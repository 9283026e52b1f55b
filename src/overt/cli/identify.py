# SPDX-License-Identifier: Apache-2.0
"""`overt eval identify`: how often is a search wrong, on your own labelled pictures, by the size of the gallery?

Knows files and formats; the rates are worked out in `govern.identification`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import curves, judging, output, page, runs, sample
from overt.cli.home import engine
from overt.cli.sample import Sample
from overt.govern import accuracy, identification
from overt.govern.identification import Figure, Searches
from overt.models.calibration import Calibration

SIMILARITIES = (80, 90, 95, 99)
RATES = (0.001, 0.003, 0.01, 0.1)
"""FPIRs to find thresholds for. Source: SP 800-63A-4 (0.001), NIST FRTE 1:N (0.003), IJB-C (0.01, 0.1)."""
CANDIDATES = 50
"""How many candidates a search gives at most. Source: NIST FRTE 1:N."""


def identify(
    source: Annotated[Path, typer.Argument(help="A folder for each person, or a CSV file: file,person.")],
    size: Annotated[
        list[int] | None, typer.Option(help="People enrolled; again for more [default: 1/8, 1/4, 1/2 of all].")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Galleries drawn of each size.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed draws the same galleries.")] = 0,
    name: runs.NameOption = "own pictures",
    html: page.HtmlOption = None,
    record: runs.RecordOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Search for people enrolled and not enrolled: FPIR and FNIR by gallery size and threshold, ranks, DET curve."""
    people = sample.by_person(source)
    wanted = _sizes(len(people), size)
    with engine(home) as opened:
        looked = sample.look(opened, people, quiet=as_json)
        calibration, used = opened.models.faces.calibration, runs.model(opened)
    result = measure(looked, calibration, wanted, repeats, seed)
    document = runs.make("identify", looked.data(name), used, result, _limits(looked))
    runs.write(record, document)
    page.write(html, f"Searches among {name}", _page(document))
    output.show(document, lambda: _print(document), as_json=as_json)


def _sizes(people: int, asked: list[int] | None) -> list[int]:
    sizes = sorted(set(asked or [max(1, people // part) for part in (8, 4, 2)]))
    if people < 2:  # noqa: PLR2004 - one in the gallery, one outside
        raise output.CommandError("an evaluation of searches needs two people or more")
    for one in sizes:
        if not 0 < one < people:
            raise output.CommandError(f"of {people} people, 1 to {people - 1} can be enrolled, not {one}")
    return sizes


def measure(looked: Sample, calibration: Calibration, sizes: list[int], repeats: int, seed: int) -> dict[str, Any]:
    """All figures, as plain JSON; the same for the same seed."""
    random = np.random.default_rng(seed)
    failed = int((~looked.labelled.present).sum())
    return {
        "pictures": len(looked.pictures),
        "people": len(looked.labelled.people),
        "people_with_two_pictures": sum(len(rows) > 1 for rows in looked.labelled.people),
        "failure_to_enrol": judging.rate(accuracy.rate(failed, len(looked.pictures))),
        "unreadable": len(looked.unreadable),
        "without_a_face": looked.faceless,
        "repeats": repeats,
        "seed": seed,
        "sizes": [_size(identification.repeat(looked.labelled, size, repeats, random), calibration) for size in sizes],
    }


def _size(searches: Searches, calibration: Calibration) -> dict[str, Any]:
    most = min(CANDIDATES, searches.size)
    return {
        "size": searches.size,
        "candidates": most,
        "thresholds": [
            {
                "similarity": similarity,
                "cosine": (cosine := calibration.cosine(similarity / 100)),
                "fpir": figure(searches.fpir(cosine)),
                "fpir_predicted": calibration.false_positive_rate(similarity / 100, searches.size),
                "fnir": figure(searches.fnir(cosine, most)),
                "fnir_rank_1": figure(searches.fnir(cosine, 1)),
            }
            for similarity in SIMILARITIES
        ],
        "operating_points": [_point(searches, calibration, rate, most) for rate in RATES],
        "cmc": [figure(one) for one in searches.cmc(CANDIDATES)],
        "det": [[round(value, 6) for value in point] for point in searches.det(most)],
    }


def _point(searches: Searches, calibration: Calibration, rate: float, most: int) -> dict[str, Any]:
    threshold = searches.threshold(rate)
    if threshold is None:
        strangers = len(np.unique(searches.strangers))
        return {"fpir": rate, "insufficient": f"INSUFFICIENT (n={strangers}, need {round(1 / rate)})"}
    return {
        "fpir": rate,
        "cosine": threshold,
        "similarity": calibration.similarity(threshold) * 100,
        "observed": figure(searches.fpir(threshold)),
        "fnir": figure(searches.fnir(threshold, most)),
    }


def figure(told: Figure | None) -> dict[str, Any] | None:
    """A figure for programs; None where there was nothing to search for."""
    if told is None:
        return None
    return {
        "value": told.value,
        "low": told.low,
        "high": told.high,
        "count": told.count,
        "searches": told.searches,
        "people": told.people,
    }


def _limits(looked: Sample) -> list[str]:
    limits = [
        "Intervals hold for people like those in the pictures; they count each person once, however often repeated.",
        "One picture is enrolled for each person; galleries with more find more, rightly and wrongly.",
        "A picture without a face counts as a miss when it is looked for, as in NIST's FRTE.",
    ]
    if not any(len(rows) > 1 for rows in looked.labelled.people):
        limits.append("Nobody has two pictures: how often the right one is missed (FNIR, ranks) could not be measured.")
    return limits


# --- for people ---


def cells(told: dict[str, Any] | None) -> str:
    """A figure in one cell."""
    if told is None:
        return "not measured"
    share = f"{told['value']:.4f} ({told['low']:.4f} .. {told['high']:.4f})"
    return f"{share}, {told['count']} of {told['searches']}"


_HEADINGS = (
    "N",
    "similarity",
    "FPIR (95 %), false alerts of searches",
    "FPIR predicted",
    "FNIR (95 %), misses of searches",
)
_POINT_HEADINGS = ("N", "FPIR wanted", "similarity", "cosine", "FNIR there (95 %)")


def _rows(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (one["size"], at["similarity"], cells(at["fpir"]), f"{at['fpir_predicted']:.4f}", cells(at["fnir"]))
        for one in result["sizes"]
        for at in one["thresholds"]
    ]


def _points(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (one["size"], at["fpir"], at["insufficient"], "", "")
        if "insufficient" in at
        else (one["size"], at["fpir"], f"{at['similarity']:.2f}", f"{at['cosine']:.4f}", cells(at["fnir"]))
        for one in result["sizes"]
        for at in one["operating_points"]
    ]


def _ranks(result: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (one["size"], rank, cells(one["cmc"][rank - 1]))
        for one in result["sizes"]
        for rank in (1, 5, 10, 50)
        if rank <= len(one["cmc"])
    ]


def _summary(document: dict[str, Any]) -> str:
    result = document["results"]
    failed = result["failure_to_enrol"]
    return (
        f"{result['people']} people, {result['people_with_two_pictures']} of them with two pictures or more, "
        f"{result['pictures']} pictures; failure to enrol {failed['value']:.4f} "
        f"({failed['low']:.4f} .. {failed['high']:.4f}), {result['without_a_face']} without a face and "
        f"{result['unreadable']} unreadable; {result['repeats']} galleries of each size; "
        f"model {document['model']['name']}"
    )


def _print(document: dict[str, Any]) -> None:
    result = document["results"]
    output.line(_summary(document))
    output.table(_HEADINGS, _rows(result))
    output.line()
    output.table(_POINT_HEADINGS, _points(result))
    output.line()
    output.table(("N", "rank", "right one among the first (95 %)"), _ranks(result))
    for limit in document["limits"]:
        output.line(f"- {limit}")


def _page(document: dict[str, Any]) -> list[page.Part]:
    result = document["results"]
    sizes = result["sizes"]
    det = [
        curves.Curve(f"N = {one['size']}", [(max(fpir, 1e-4), fnir) for _, fpir, fnir in one["det"]]) for one in sizes
    ]
    cmc = [
        curves.Curve(f"N = {one['size']}", [(rank, each["value"]) for rank, each in enumerate(one["cmc"], 1)])
        for one in sizes
    ]
    ranks = max(2, *(len(one["cmc"]) for one in sizes))
    share = curves.Axis("share found", 0, 1)
    return [
        page.paragraph(_summary(document)),
        page.paragraph(
            f"Pictures: {document['data']['name']}; {document['date']}; digest {document['data']['digest']}."
        ),
        page.heading("By gallery size and threshold"),
        page.table(_HEADINGS, _rows(result), f"FNIR: the right one not among {CANDIDATES} candidates or below"),
        page.heading("Thresholds for a false-positive rate"),
        page.table(_POINT_HEADINGS, _points(result)),
        page.heading("Detection error trade-off"),
        page.figure(
            curves.draw(curves.Axis("FPIR", 1e-4, 1, logarithmic=True), curves.Axis("FNIR", 0, 1), det, "DET curve"),
            "Misses against false alerts, as the threshold falls.",
        ),
        page.heading("Ranks"),
        page.figure(
            curves.draw(curves.Axis("rank", 1, ranks), share, cmc, "CMC curve"),
            "How often the right one is among the first, without a threshold.",
        ),
        page.table(("N", "rank", "right one among the first (95 %)"), _ranks(result)),
        page.heading("What this cannot show"),
        page.items(document["limits"]),
    ]
