# SPDX-License-Identifier: Apache-2.0
"""The card of a model and of the system around it, from records of evaluations and what the operator has written.

The same records make the same card. Knows records, no file and no page; never fills a gap with words of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]

MISSING = "operator must write"


@dataclass(frozen=True, slots=True)
class Table:
    """Figures. rows: cells as text."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a card. key: what the operator's text for it is filed under. missing: whether nothing is known."""

    key: str
    title: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...]
    missing: bool


Measured = tuple[list[str], list[Table]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a section is made of. needs_words: whether the operator must write something, whatever is measured."""

    key: str
    title: str
    measure: Callable[[Sequence[Record]], Measured] | None
    needs_words: bool


def build(records: Iterable[Record], written: Mapping[str, str]) -> list[Section]:
    """The sections in their order. Args: written: the operator's texts by section.

    Raises: ValueError when a text belongs to no section, there is no record, or records are of different models.
    """
    unknown = sorted(set(written) - {plan.key for plan in _SECTIONS})
    if unknown:
        raise ValueError(f"there is no section {unknown[0]!r}; there are {', '.join(plan.key for plan in _SECTIONS)}")
    # Whatever order they are given in.
    ordered = sorted(records, key=lambda one: (one["kind"], one["date"], json.dumps(one, sort_keys=True)))
    if not ordered:
        raise ValueError("a card needs a record of at least one evaluation")
    models = {json.dumps(record["model"]["weights"], sort_keys=True) for record in ordered}
    if len(models) > 1:
        raise ValueError("the records are of different models: make a card for each")
    return [_section(ordered, written, plan) for plan in _SECTIONS]


def _section(records: Sequence[Record], written: Mapping[str, str], plan: _Plan) -> Section:
    paragraphs, tables = plan.measure(records) if plan.measure else ([], [])
    text = written.get(plan.key, "").strip()
    missing = not text and (plan.needs_words or not (paragraphs or tables))
    words = [part.strip() for part in text.split("\n\n") if part.strip()] or ([MISSING] if missing else [])
    return Section(plan.key, plan.title, (*words, *paragraphs), tuple(tables), missing)


def _overview(records: Sequence[Record]) -> Measured:
    newest = max(records, key=lambda record: record["date"])
    used = newest["model"]
    rows = [(name, digest) for name, digest in sorted(used["weights"].items())]
    return (
        [
            (
                f"Faces compared by {used['name']}, of {', '.join(used['packs'])}, with overt {newest['version']}; "
                f"measured up to {newest['date']}."
            )
        ],
        [Table("Weights", ("model", "sha256"), tuple(rows))],
    )


def _limitations(records: Sequence[Record]) -> Measured:
    return [str(limit) for limit in records[-1]["model"]["limits"]], []


def _learning(records: Sequence[Record]) -> Measured:
    return [f"Similarities are calibrated on: {records[-1]['model']['calibration']}"], []


def _performance(records: Sequence[Record]) -> Measured:
    paragraphs: list[str] = []
    tables: list[Table] = []
    for record in records:
        told = _RESULTS.get(record["kind"])
        if told:
            own, more = told(record)
            paragraphs += own
            tables += more
    return paragraphs, tables


def _methodology(records: Sequence[Record]) -> Measured:
    rows = tuple(
        (
            record["kind"],
            record["date"],
            record["data"]["name"],
            str(record["data"]["pictures"]),
            str(record["data"]["people"]),
            record["data"]["digest"] or "none: drawn, or not told",
        )
        for record in records
    )
    limits = list(dict.fromkeys(f"{record['kind']}: {limit}" for record in records for limit in record["limits"]))
    return (
        [
            (
                "Intervals are exact (Clopper and Pearson) at 95 %; where people are in many comparisons, drawn "
                "anew by person "
                "too, and the wider one is told."
            ),
            *limits,
        ],
        [Table("Runs", ("kind", "date", "data", "pictures", "people", "digest of the pictures"), rows)],
    )


def _fairness(records: Sequence[Record]) -> Measured:
    paragraphs: list[str] = []
    tables: list[Table] = []
    for record in records:
        if record["kind"] != "fairness":
            continue
        for view in record["results"]["views"]:
            for what, told in (
                ("False matches", view["false_matches"]),
                ("False non-matches", view["false_non_matches"]),
            ):
                title = f"{what} by {view['by']} at similarity {view['similarity']:g}, {record['data']['name']}"
                if told is None:
                    paragraphs.append(f"{title}: not measured.")
                else:
                    tables.append(Table(title, _GROUPS, tuple(_group(one) for one in told["groups"])))
                    paragraphs.append(f"{title}: {_ratios(told)}")
    return paragraphs, tables


_GROUPS = ("group", "people", "errors", "of pairs", "rate (95 %)", "x overall", "finding")


def _group(one: Mapping[str, Any]) -> tuple[str, ...]:
    finding = one["verdict"]
    if one["need"] is not None:
        finding = f"{finding} (n={one['n']}, need {one['need']})"
    ratio = "-" if one["ratio"] is None else f"{one['ratio']:.2f}"
    return one["group"], str(one["people"]), str(one["count"]), str(one["n"]), _share(one), ratio, finding


def _ratios(told: Mapping[str, Any]) -> str:
    if told["worst"] is None:
        return "no error was seen."
    parts = [f"worst {told['worst']}, worst/overall {told['worst_to_overall']:.2f}"]
    for name in ("worst_to_best", "worst_to_geometric_mean"):
        value = told[name]
        parts.append(
            f"{name.replace('_to_', '/').replace('_', ' ')} {'undefined' if value is None else f'{value:.2f}'}"
        )
    return ", ".join(parts) + "."


def _identify(record: Record) -> Measured:
    result = record["results"]
    rows = tuple(
        (
            str(one["size"]),
            str(at["similarity"]),
            _searches(at["fpir"]),
            _searches(at["fnir"]),
            _searches(one["cmc"][0] if one["cmc"] else None),
        )
        for one in result["sizes"]
        for at in one["thresholds"]
    )
    caption = f"Searches (1:N), {record['data']['name']}"
    failed = f"{caption}: failure to enrol {_share(result['failure_to_enrol'])} of {result['pictures']} pictures."
    return [failed], [Table(caption, ("enrolled", "similarity", "FPIR", "FNIR", "right one first, no threshold"), rows)]


def _verify(record: Record) -> Measured:
    result = record["results"]
    rows = tuple(
        (f"{one['fmr']:.0e}", one["insufficient"], "")
        if "insufficient" in one
        else (
            f"{one['fmr']:.0e}",
            f"{one['tmr']:.4f} ({one['tmr_low']:.4f} .. {one['tmr_high']:.4f})",
            f"{one['threshold']:.4f}",
        )
        for one in result["operating_points"]
    )
    caption = (
        f"Comparisons (1:1), {record['data']['name']}: {result['genuine_pairs']} genuine and "
        f"{result['impostor_pairs']} "
        "impostor pairs"
    )
    return [], [Table(caption, ("false match rate", "true match rate (95 %)", "cosine"), rows)]


def _replay(record: Record) -> Measured:
    result = record["results"]
    return [
        (
            f"{result['probes']} people who are not among {result['gallery']} enrolled, looked for at similarity "
            f"{result['similarity']:g} ({record['data']['name']}): {result['leads']['count']} leads, "
            f"{_share(result['leads'])}; "
            f"the calibration predicts {result['predicted_leads']:.1f}."
        )
    ], []


_RESULTS = {"identify": _identify, "verify": _verify, "replay": _replay}


def _share(told: Mapping[str, Any]) -> str:
    if told["value"] is None:
        return "-"
    return f"{told['value']:.3%} ({told['low']:.3%} .. {told['high']:.3%})"


def _searches(told: Mapping[str, Any] | None) -> str:
    return "not measured" if told is None else f"{_share(told)}, {told['count']} of {told['searches']}"


def _glossary(_records: Sequence[Record]) -> Measured:
    return [
        (
            "FMR: share of comparisons of two people that match. FNMR: share of comparisons of one person "
            "that do not. FPIR: "
            "share of searches for somebody who is not enrolled that find somebody. FNIR: share of searches "
            "for somebody who "
            "is enrolled that miss them. Similarity: a name, 0 to 100, for a point on the calibrated curve; "
            "no probability."
        )
    ], []


_SECTIONS = (
    _Plan("overview", "Overview", _overview, needs_words=False),
    _Plan("intended_use", "Intended use cases and limitations", _limitations, needs_words=True),
    _Plan("machine_learning", "Machine learning", _learning, needs_words=False),
    _Plan("performance", "Performance expectations", _performance, needs_words=False),
    _Plan("methodology", "Test-driven methodology", _methodology, needs_words=False),
    _Plan("fairness", "Fairness and bias", _fairness, needs_words=False),
    _Plan("explainability", "Explainability", None, needs_words=True),
    _Plan("robustness", "Robustness", None, needs_words=True),
    _Plan("privacy_security", "Privacy and security", None, needs_words=True),
    _Plan("transparency", "Transparency", None, needs_words=True),
    _Plan("governance", "Governance", None, needs_words=True),
    _Plan("deployment", "Deployment and performance optimization best practices", None, needs_words=True),
    _Plan("further_information", "Further information", None, needs_words=True),
    _Plan("glossary", "Glossary", _glossary, needs_words=False),
)
"""Source: the order of AWS's AI service cards, as that of Rekognition face matching."""
