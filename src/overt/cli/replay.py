# SPDX-License-Identifier: Apache-2.0
"""`overt report replay`: people who are not in a gallery, looked for in it: how many would be leads at a threshold?

The test that the ACLU made in 2018, 535 members of Congress against 25,000 mugshots, with drawn faces of nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import brute, judging, output, page, people, runs
from overt.cli.home import engine
from overt.cli.people import Statistics
from overt.govern import accuracy
from overt.models.calibration import Calibration

PROBES, GALLERY = 535, 25_000
"""Source: ACLU of Northern California, 26 July 2018: 28 of 535 were taken for somebody arrested, at the default 80."""
FLOOR = 99.0
"""Least similarity of a lead. Source: AWS guidance for public safety; the floor of the police packs."""
_NOWHERE = -1.0


def replay(
    statistics: Annotated[
        Path | None, typer.Option(help="How embeddings are spread: .npz with mu, Sb, Sw [default: assumed].")
    ] = None,
    probes: Annotated[int, typer.Option(min=1, help="People looked for, none of them enrolled.")] = PROBES,
    gallery: Annotated[int, typer.Option(min=1, help="People enrolled.")] = GALLERY,
    similarity: Annotated[float, typer.Option(min=0, max=100, help="Least similarity of a lead.")] = FLOOR,
    seed: Annotated[int, typer.Option(help="The same seed draws the same people.")] = 0,
    html: page.HtmlOption = None,
    record: runs.RecordOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Look for drawn people in a drawn gallery that they are not in, and count the leads."""
    with engine(home) as opened:
        calibration, used = opened.models.faces.calibration, runs.model(opened)
        dimension = int(opened.models.session("embed").model.output["dim"])
    spread = Statistics.read(statistics) if statistics else Statistics.assumed(dimension)
    result = measure(spread, calibration, probes, gallery, similarity, seed)
    source = f"statistics of {statistics.name}" if statistics else "assumed statistics"
    data = runs.Data(f"drawn from {source}, seed {seed}", probes + gallery, probes + gallery, "")
    document = runs.make("replay", data, used, result, LIMITS)
    runs.write(record, document)
    page.write(html, "People who are not in the gallery, looked for in it", _page(document))
    output.show(document, lambda: _print(document), as_json=as_json)


LIMITS = (
    (
        "The faces are drawn, not photographed. Drawn ones are less often very alike than real ones "
        "are: compare the count "
        "with what the calibration predicts from pairs of real photos, which is the better guide."
    ),
    "An interval says what so few searches leave open; it says nothing of other cameras, places and people.",
)


def measure(
    spread: Statistics, calibration: Calibration, probes: int, gallery: int, similarity: float, seed: int
) -> dict[str, Any]:
    """Leads among searches of strangers, as plain JSON; the same for the same seed."""
    drawn = people.draw(spread, gallery + probes, 0, per_person=1, seed=seed).halves
    vectors = drawn[gallery:].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = brute.nearest(drawn[:gallery], vectors, 1, _NOWHERE)
    tops = np.array([found.cosines[0] for found in nearest])
    shown = [calibration.similarity(float(top)) * 100 for top in tops]
    leads = sum(one >= similarity for one in shown)
    predicted = calibration.false_positive_rate(similarity / 100, gallery)
    return {
        "probes": probes,
        "gallery": gallery,
        "similarity": similarity,
        "seed": seed,
        "leads": judging.rate(accuracy.rate(leads, probes)),
        "highest_similarity": max(shown),
        "at_80": judging.rate(accuracy.rate(sum(one >= 80 for one in shown), probes)),  # noqa: PLR2004 - the contract's
        "predicted_fpir": predicted,
        "predicted_leads": predicted * probes,
    }


def _sentences(document: dict[str, Any]) -> list[str]:
    result = document["results"]
    leads, default = result["leads"], result["at_80"]
    return [
        (
            f"{leads['count']} leads of {result['probes']} people who are not among {result['gallery']} enrolled, at "
            f"similarity {result['similarity']:g}: {leads['value']:.2%}, exact 95 % interval {leads['low']:.2%} .. "
            f"{leads['high']:.2%}."
        ),
        (
            f"At 80, the contract's default, it would be {default['count']} ({default['value']:.1%}). The "
            "highest similarity "
            f"was {result['highest_similarity']:.2f}."
        ),
        (
            f"The calibration, from pairs of real photos, predicts {result['predicted_leads']:.1f} leads "
            f"({result['predicted_fpir']:.2%})."
        ),
        f"Drawn: {document['data']['name']}. Model {document['model']['name']}.",
    ]


def _print(document: dict[str, Any]) -> None:
    for sentence in (*_sentences(document), *(f"- {limit}" for limit in document["limits"])):
        output.line(sentence)


def _page(document: dict[str, Any]) -> list[page.Part]:
    first, *others = _sentences(document)
    return [
        page.warning(first),
        *(page.paragraph(one) for one in others),
        page.heading("What this cannot show"),
        page.items(document["limits"]),
    ]
