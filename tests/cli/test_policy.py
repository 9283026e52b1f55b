# SPDX-License-Identifier: Apache-2.0
"""Rules are shown, asked and chosen from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from overt.govern import lawpack, rulebook

SEARCH = ("policy", "explain", "--action", "SearchFacesByImage", "--collection", "people")


def test_packs_are_listed_with_their_sources(told: Callable[..., Any], overt: Callable[..., Any]) -> None:
    done = overt("policy", "packs", "--json")
    listed = json.loads(done.stdout)["packs"]
    assert [pack["name"] for pack in listed] == list(lawpack.names())
    assert all(pack["source"] and "no legal advice" in pack["legal"] for pack in listed)
    assert "police-washington" in overt("policy", "packs").stdout


def test_a_pack_is_chosen_checked_and_asked(told: Callable[..., Any], home: Path) -> None:
    assert told(*SEARCH)["rules"] == ["face-features-off"]
    chosen = told("policy", "choose", "humanitarian")
    assert chosen["pack"] == "humanitarian"
    assert chosen["duties"]
    refused = told(*SEARCH)
    assert set(refused["rules"]) == {"limit-purpose", "purpose-told", "case-told", "operator-told"}
    asked = told(*SEARCH, "--purpose", "missing-person", "--case", "7", "--operator", "ann")
    assert asked["allowed"]
    assert asked["digest"] == chosen["digest"]
    assert asked["obligations"]["floor"] == 60
    with (home / rulebook.FILE).open("a") as file:
        file.write("[collections.people]\nfloor = 80\n")
    checked = told("policy", "check")
    assert (checked["limits"][""]["floor"], checked["limits"]["people"]["floor"]) == (60, 80)
    assert checked["missingEvidence"] == []
    assert told(*SEARCH, "--pack", "open")["allowed"]


def test_people_are_told_why_and_what_to_do(overt: Callable[..., Any], home: Path) -> None:
    said = overt(*SEARCH, "--home", home).stdout
    assert said.startswith("refused\n  Face search and enrolment are off until a law pack is chosen.")
    assert "overt policy choose PACK" in said
    allowed = overt(*SEARCH, "--pack", "open", "--home", home).stdout
    assert allowed.startswith("allowed\ndecided by base; asked were base")
    assert "pack none" in overt("policy", "check", "--home", home).stdout


def test_every_fact_can_be_told(told: Callable[..., Any]) -> None:
    watch = ("policy", "explain", "--action", "StartStreamProcessor", "--collection", "people", "--at")
    facts = (
        *("--purpose", "life-in-danger", "--case", "7", "--operator", "ann", "--probe-kind", "frame"),
        *("--trained-until", "2026-12-01T00:00Z", "--place", "gate,ordinary", "--faces", "5", "--quality", "80"),
        *("--window", "17,life-in-danger,judge,2026-11-24T10:00Z,2026-11-24T18:00Z", "--pack", "police-washco-detroit"),
        *("--entry", "c,r,a,2026-11-25T00:00Z", "--legal-basis", "x", "--authorisation", "y"),
    )
    asked = told(*watch, "2026-11-24T12:00Z", *facts)
    assert asked["allowed"], asked["reason"]
    assert asked["obligations"]["end"] == "2026-11-24T18:00:00+00:00"
    assert told(*watch, "2026-11-24T18:00Z", *facts)["rules"] == ["after-the-fact"]


def test_what_is_wrong_is_refused_in_words(overt: Callable[..., Any], home: Path) -> None:
    for arguments, words in (
        (("policy", "choose", "nowhere"), "no law pack nowhere"),
        ((*SEARCH, "--at", "noon"), "no moment with a zone"),
        ((*SEARCH, "--window", "17"), "is not of the form"),
    ):
        done = overt(*arguments, "--home", home)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
    home.mkdir(exist_ok=True)
    (home / rulebook.FILE).write_text("pack = 1")
    assert "no law pack 1" in overt("policy", "check", "--home", home).stderr


def test_one_person_does_not_end_a_ban_by_choosing_another_pack(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    assert "begin the moratorium first" in overt("policy", "choose", "moratorium", "--home", home).stderr
    told("moratorium", "on", "--by", "ann", "--why", "a vote")
    told("policy", "choose", "moratorium")
    done = overt("policy", "choose", "open", "--home", home)
    assert done.returncode == 1
    assert "two people have to lift it first" in done.stderr
    for person in ("ann", "bob"):
        told("moratorium", "approve-lift", "1", "--by", person, "--why", "another vote")
    assert told("policy", "choose", "open")["pack"] == "open"
