# SPDX-License-Identifier: Apache-2.0
"""A collection can be stricter than its law pack and never looser; what is written wrongly is refused in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from asking import NOW, good, telling

from overt.govern.limits import Limits, PolicyError, read, tighten, zone

PACK = Limits(
    floor=0.9,
    maximum=5,
    mode="clamp",
    review="one",
    notice="A lead.",
    drop=frozenset({"Gender"}),
    purposes=frozenset({"theft", "missing"}),
    roles=frozenset({"operator"}),
    probe_kinds=frozenset({"photo"}),
    least_quality=40,
    minutes=frozenset(range(60, 120)),
)


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ({"floor": 89.9}, "floor"),
        ({"maximum": 6}, "maximum"),
        ({"review": "off"}, "review"),
        ({"notice": "Proof."}, "notice"),
        ({"drop": ["Emotions"]}, "drop"),
        ({"purposes": ["theft", "gossip"]}, "purposes"),
        ({"roles": ["operator", "service"]}, "roles"),
        ({"probe_kinds": ["sketch"]}, "probe_kinds"),
        ({"least_quality": 39}, "least_quality"),
        ({"hours": ["Mon 00:59-02:00"]}, "hours"),
        ({"zone": "Asia/Tokyo"}, "zone"),
    ],
)
def test_nothing_can_be_loosened(table: dict[str, Any], what: str) -> None:
    with pytest.raises(PolicyError, match=f"here: {what} would"):
        tighten(PACK, read(table, "here", for_collection=True), "here")


def test_mode_reject_is_not_loosened_to_clamp() -> None:
    with pytest.raises(PolicyError, match="mode"):
        tighten(replace(PACK, mode="reject"), read({"mode": "clamp"}, "here"), "here")


def test_everything_can_be_tightened() -> None:
    table = {
        "floor": 99,
        "maximum": 1,
        "mode": "reject",
        "review": "two",
        "notice": "A lead. No more.",
        "drop": ["Gender", "Smile"],
        "purposes": ["theft"],
        "roles": [],
        "probe_kinds": [],
        "least_quality": 90,
        "hours": ["Mon 01:00-01:30"],
        "by_size": [{"faces": 1000, "floor": 99.5}],
        "isolated": True,
    }
    tight = tighten(PACK, read(table, "here", for_collection=True), "here")
    assert (tight.floor, tight.maximum, tight.mode, tight.review, tight.is_isolated) == (0.99, 1, "reject", "two", True)
    assert tight.minutes == frozenset(range(60, 90))
    assert [tight.floor_at(faces) for faces in (0, 999, 1000, None)] == [0.99, 0.99, 0.995, 0.995]


def test_floors_by_size_add_to_the_packs() -> None:
    pack = replace(PACK, by_size=((1000, 0.99),))
    tight = tighten(pack, read({"by_size": [{"faces": 10, "floor": 91}]}, "here"), "here")
    assert [tight.floor_at(faces) for faces in (5, 10, 1000)] == [0.9, 0.91, 0.99]


@pytest.mark.parametrize(
    "table",
    [
        {"floor": 101},
        {"floor": "99"},
        {"floor": True},
        {"floor": float("nan")},
        {"maximum": 0},
        {"mode": "shrug"},
        {"review": "three"},
        {"notice": "a\r\nSet-Cookie: b"},
        {"drop": ["Soul"]},
        {"drop": "Gender"},
        {"purposes": [""]},
        {"roles": ["king"]},
        {"probe_kinds": ["painting"]},
        {"least_quality": 1.5},
        {"hours": ["always"]},
        {"hours": ["Mon 25:00-26:00"]},
        {"hours": [5]},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc/passwd"},
        {"by_size": [{"faces": 1}]},
        {"isolated": True},
        {"floors": 99},
    ],
)
def test_what_is_written_wrongly_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        read(table, "here")


def test_hours_wrap_around_midnight_and_the_week() -> None:
    minutes = read({"hours": ["Sun 22:00-02:00", "Fri-Mon 12:00-12:01"]}, "here")["minutes"]
    assert {6 * 1440 + 22 * 60, 0, 119} <= minutes
    assert 120 not in minutes
    assert {day * 1440 + 720 for day in (4, 5, 6, 0)} <= minutes
    assert len(minutes) == 244


def test_hours_are_of_their_zone() -> None:
    tokyo = Limits(minutes=frozenset({1 * 1440 + 21 * 60}), zone="Asia/Tokyo")
    assert tokyo.refusals(good("open")) == ()
    later = good("open", moment=NOW + dt.timedelta(minutes=1))
    assert [refusal.rule for refusal in tokyo.refusals(later)] == ["limit-hours"]
    assert zone("UTC") is dt.UTC


def test_limits_are_for_what_identifies_people_only() -> None:
    assert Limits(purposes=frozenset()).refusals(good("open", "DetectFaces")) == ()
    assert [each.rule for each in Limits(purposes=frozenset()).refusals(good("open", "IndexFaces"))] == [
        "limit-purpose"
    ]


def test_quality_is_asked_for_afterwards() -> None:
    limits = Limits(least_quality=40)
    assert limits.refusals(good("open", quality=None)) == ()
    for quality in (None, 39):
        told = limits.refusals(good("open", phase="after", quality=quality))
        assert [refusal.rule for refusal in told] == ["limit-quality"]
    assert limits.refusals(good("open", phase="after", quality=40)) == ()


def test_who_tells_nothing_is_told_what_there_is_to_tell() -> None:
    (told,) = Limits(purposes=frozenset({"b", "a"})).refusals(telling(good("open"), purpose=""))
    assert told.words == "No purpose is told. (rule limit-purpose) Give one of these purposes: a, b."


def test_a_stream_ends_with_its_authorisation() -> None:
    question = good("open", "StartStreamProcessor")
    assert question.window is not None
    assert Limits().obligations(question).end == question.window.end
    assert Limits().obligations(good("open")).end is None
