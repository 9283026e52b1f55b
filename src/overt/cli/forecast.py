# SPDX-License-Identifier: Apache-2.0
"""`overt report base-rate`: how many alerts of a watch list will be false, before a stream starts.

Knows flags and words; the arithmetic is `govern.base_rate`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import typer

from overt.cli import judging, output, page
from overt.cli.home import engine
from overt.govern import accuracy, base_rate
from overt.govern.base_rate import Day
from overt.models.calibration import Calibration


def forecast(
    faces: Annotated[float | None, typer.Option(min=0, help="Faces that pass a day.")] = None,
    listed: Annotated[float, typer.Option(min=0, help="How many of them are of people on the list.")] = 1.0,
    list_size: Annotated[int, typer.Option(min=1, help="People on the list.")] = 1000,
    similarity: Annotated[
        float, typer.Option(min=0, max=100, help="Threshold, where the model's own rates count.")
    ] = 99.0,
    fpir: Annotated[
        str | None, typer.Option(help="Share of strangers that give an alert, as 0.0001 or 1/6000.")
    ] = None,
    measured_at: Annotated[int | None, typer.Option(min=1, help="List size that this was measured with.")] = None,
    tpir: Annotated[str | None, typer.Option(help="Share of listed people who are found, as 0.89.")] = None,
    false_alerts: Annotated[int | None, typer.Option(min=0, help="Instead: false alerts counted in a trial.")] = None,
    true_alerts: Annotated[int | None, typer.Option(min=0, help="And true ones.")] = None,
    html: page.HtmlOption = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Tell false alerts a day and the share of alerts that are right, from rates, or from counts of a trial."""
    if (false_alerts is None) != (true_alerts is None):
        raise output.CommandError("--false-alerts and --true-alerts belong together")
    if false_alerts is not None and true_alerts is not None:
        result = counted(false_alerts, true_alerts)
    elif faces is None:
        raise output.CommandError("say how many pass a day with --faces, or what was counted with --false-alerts")
    else:
        with engine(home) as opened:
            calibration = opened.models.faces.calibration
        rates = _rates(calibration, list_size, similarity / 100, fpir, measured_at, tpir)
        try:
            result = expected(Day(faces, listed, rates.fpir, rates.tpir), rates, list_size)
        except ValueError as error:
            raise output.CommandError(str(error)) from None
    sentences = _sentences(result)
    page.write(html, "False alerts to expect", [page.warning(sentences[0]), *map(page.paragraph, sentences[1:])])
    output.show(result, lambda: output.line("\n".join(sentences)), as_json=as_json)


@dataclass(frozen=True, slots=True)
class Rates:
    """Error rates, and where each is from, in words."""

    fpir: float
    fpir_from: str
    tpir: float
    tpir_from: str


def _rates(
    calibration: Calibration, size: int, similarity: float, fpir: str | None, measured_at: int | None, tpir: str | None
) -> Rates:
    cosine = calibration.cosine(similarity)
    rate = calibration.false_match_rate(cosine)
    beyond = " or less, as nothing smaller was measured" if cosine > calibration.false_match_rates[-1][0] + 1e-9 else ""
    if fpir is None:
        false = calibration.false_positive_rate(similarity, size)
        origin = f"the model's calibration at similarity {similarity * 100:g}: false match rate {rate:.1e}{beyond}"
    else:
        false, origin = share(fpir), "as given"
        if measured_at is not None and measured_at != size:
            false, origin = base_rate.for_list(false, measured_at, size), f"as given for a list of {measured_at}"
    if tpir is not None:
        return Rates(false, origin, share(tpir), "as given")
    if fpir is not None:
        raise output.CommandError("an FPIR of somebody's needs their TPIR too: say --tpir")
    return Rates(false, origin, found(calibration, rate), f"pairs of {calibration.fitted_on}; on site expect less")


def found(calibration: Calibration, rate: float) -> float:
    """The share of genuine pairs found at a false match rate: linear in its logarithm between what was measured."""
    points = sorted((math.log10(false), true) for false, true in calibration.true_match_rates)
    logs, shares = zip(*points, strict=True)
    return float(np.interp(math.log10(rate), logs, shares))


def share(text: str) -> float:
    """A share, from 0.0001, 1/6000 or 1:6000. Raises: CommandError."""
    above, _, below = text.replace(":", "/").partition("/")
    try:
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not 0 <= value <= 1:
        raise output.CommandError(f"{text!r} is no share; write it as 0.0001 or 1/6000")
    return value


def expected(day: Day, rates: Rates, size: int) -> dict[str, Any]:
    """What a day comes to, as plain JSON."""
    low, high = base_rate.usual(day.false_alerts)
    return {
        "faces": day.faces,
        "listed": day.listed,
        "list_size": size,
        "fpir": day.fpir,
        "fpir_from": rates.fpir_from,
        "tpir": day.tpir,
        "tpir_from": rates.tpir_from,
        "false_alerts": day.false_alerts,
        "false_alerts_usually": [low, high],
        "true_alerts": day.true_alerts,
        "missed": day.missed,
        "ppv": day.ppv,
        "fpir_for_half": day.highest_fpir,
    }


def counted(false_alerts: int, true_alerts: int) -> dict[str, Any]:
    """What counts of a trial come to, as plain JSON. Raises: CommandError without an alert."""
    if not false_alerts + true_alerts:
        raise output.CommandError("without an alert there is no share of them")
    ppv = judging.rate(accuracy.rate(true_alerts, false_alerts + true_alerts))
    return {"false_alerts": false_alerts, "true_alerts": true_alerts, "ppv": ppv}


def _sentences(result: dict[str, Any]) -> list[str]:
    if "faces" not in result:
        ppv = result["ppv"]
        return [
            (
                f"{result['false_alerts']} false and {result['true_alerts']} true alerts: {ppv['value']:.1%} of "
                "alerts were "
                f"right (exact 95 % interval {ppv['low']:.1%} .. {ppv['high']:.1%})."
            )
        ]
    low, high = result["false_alerts_usually"]
    right = "no alert is expected" if result["ppv"] is None else f"{result['ppv']:.1%} of alerts are right"
    sentences = [
        (
            f"Expect {result['false_alerts']:.1f} false alerts a day (on 95 % of days {low} to {high}) and "
            f"{result['true_alerts']:.2f} true ones: {right}."
        ),
        (
            f"{result['faces']:g} faces a day, {result['listed']:g} of them of people on a list of "
            f"{result['list_size']}; "
            f"{result['missed']:.2f} of those pass unnoticed."
        ),
        f"FPIR {result['fpir']:.3g} ({result['fpir_from']}). TPIR {result['tpir']:.3g} ({result['tpir_from']}).",
    ]
    if result["fpir_for_half"] is not None:
        sentences.append(f"Half of the alerts are right at an FPIR of {result['fpir_for_half']:.2g} and below.")
    return sentences
