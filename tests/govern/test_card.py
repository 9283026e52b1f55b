# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from overt.govern import card


def rate(count: int, trials: int) -> dict[str, Any]:
    return {
        "value": count / trials,
        "low": 0.0,
        "high": 1.0,
        "count": count,
        "n": trials,
        "searches": trials,
        "people": 9,
    }


def record(kind: str, results: dict[str, Any], date: str = "2026-11-22", sha: str = "ab" * 32) -> dict[str, Any]:
    return {
        "overt_record": 1,
        "kind": kind,
        "date": date,
        "version": "0.1.0",
        "data": {"name": "our pictures", "pictures": 20, "people": 10, "digest": "cd" * 32},
        "model": {
            "name": "net-1.0",
            "packs": ["faces 1.0.0"],
            "weights": {"net": sha},
            "calibration": "LFW",
            "limits": ["Twins match."],
        },
        "limits": [f"limits of {kind}"],
        "results": results,
    }


def records() -> list[dict[str, Any]]:
    groups = [
        {"group": "a", "people": 5, "need": None, "ratio": 1.0, "verdict": "WITHIN", **rate(5, 5000)},
        {"group": "b", "people": 5, "need": 3000, "ratio": None, "verdict": "INSUFFICIENT", **rate(0, 9)},
    ]
    told = {
        "groups": groups,
        "worst": "a",
        "worst_to_overall": 1.5,
        "worst_to_best": None,
        "worst_to_geometric_mean": 1.1,
    }
    view = {"by": "race", "similarity": 80.0, "false_matches": told, "false_non_matches": None}
    at = {"similarity": 99, "fpir": rate(1, 100), "fnir": None}
    return [
        record("fairness", {"views": [view]}),
        record(
            "identify",
            {"pictures": 20, "failure_to_enrol": rate(1, 20), "sizes": [{"size": 5, "thresholds": [at], "cmc": []}]},
            date="2026-11-23",
        ),
        record(
            "verify",
            {
                "genuine_pairs": 4,
                "impostor_pairs": 6,
                "operating_points": [
                    {"fmr": 0.1, "insufficient": "needs 10 impostor pairs"},
                    {"fmr": 0.5, "threshold": 0.3, "tmr": 0.9, "tmr_low": 0.8, "tmr_high": 1.0},
                ],
            },
        ),
        record(
            "replay",
            {"probes": 535, "gallery": 25000, "similarity": 99.0, "leads": rate(0, 535), "predicted_leads": 13.2},
        ),
    ]


def texts(sections: list[card.Section]) -> str:
    return "\n".join(
        [text for section in sections for text in section.paragraphs]
        + [cell for section in sections for table in section.tables for row in table.rows for cell in row]
    )


def test_sections_come_in_the_order_of_service_cards_and_gaps_are_told() -> None:
    sections = card.build(records(), {"robustness": "Looked at in the rain."})
    assert [section.key for section in sections] == [
        "overview",
        "intended_use",
        "machine_learning",
        "performance",
        "methodology",
        "fairness",
        "explainability",
        "robustness",
        "privacy_security",
        "transparency",
        "governance",
        "deployment",
        "further_information",
        "glossary",
    ]
    missing = [section.key for section in sections if section.missing]
    assert missing == [
        "intended_use",
        "explainability",
        "privacy_security",
        "transparency",
        "governance",
        "deployment",
        "further_information",
    ]
    assert all((card.MISSING in section.paragraphs) == section.missing for section in sections)


def test_a_card_tells_data_counts_intervals_limits_weights_and_date() -> None:
    told = texts(card.build(records(), {}))
    for wanted in (
        "our pictures",
        "ab" * 32,
        "cd" * 32,
        "2026-11-23",
        "LFW",
        "limits of replay",
        "Twins match.",
        "1.000% (0.000% .. 100.000%), 1 of 100",
        "INSUFFICIENT (n=9, need 3000)",
        "0 leads",
        "predicts 13.2",
        "needs 10 impostor pairs",
        "worst/best undefined",
        "not measured",
    ):
        assert wanted in told, wanted


def test_the_order_of_the_records_changes_nothing() -> None:
    assert card.build(records(), {}) == card.build(records()[::-1], {})


def test_without_a_fairness_record_that_section_is_missing() -> None:
    sections = card.build(records()[1:], {})
    assert "fairness" in [section.key for section in sections if section.missing]


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="no section"):
        card.build(records(), {"poetry": "x"})
    with pytest.raises(ValueError, match="at least one"):
        card.build([], {})
    with pytest.raises(ValueError, match="different models"):
        card.build([*records(), record("verify", {}, sha="ef" * 32)], {})
