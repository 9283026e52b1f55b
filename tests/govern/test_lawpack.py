# SPDX-License-Identifier: Apache-2.0
"""Each law pack says what its text says; no forbid in it is without a question that only it refuses."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from asking import DAY, NOW, good, policy, telling

from overt.govern import cedar, lawpack
from overt.govern.cedar import Rules
from overt.govern.limits import PolicyError
from overt.govern.policy import Policy
from overt.govern.question import Question
from overt.govern.ruling import Ruling

SEARCH, LIVE, ENROL, COMPARE, STARS = (
    "SearchFacesByImage",
    "StartStreamProcessor",
    "IndexFaces",
    "CompareFaces",
    "RecognizeCelebrities",
)
POLICE = ("police-washco-detroit", "police-washington", "police-virginia", "police-uk-live", "eu-high-risk")

# What each pack allows, with everything told.
ALLOWED = {
    "open": (SEARCH, LIVE, ENROL, COMPARE, STARS, "DetectFaces", "DeleteFaces"),
    "none": ("DetectFaces", "DetectLabels", "DeleteFaces", "ListFaces"),
    "research": (SEARCH, ENROL, COMPARE, "DetectFaces"),
    "private-consent": (SEARCH, ENROL, COMPARE),
    "identity-verify": (SEARCH, ENROL, COMPARE),
    "retail": (SEARCH, LIVE, ENROL),
    "police-washco-detroit": (SEARCH, LIVE, ENROL, COMPARE, "GetFaceSearch"),
    "police-washington": (SEARCH, LIVE, ENROL, COMPARE),
    "police-virginia": (SEARCH, ENROL, COMPARE),
    "police-uk-live": (SEARCH, LIVE, ENROL, COMPARE),
    "eu-high-risk": (SEARCH, LIVE, ENROL, COMPARE),
    "humanitarian": (SEARCH, ENROL, COMPARE),
    "moratorium": ("DetectLabels", "DeleteFaces", "ListFaces", "StartThingStream"),
}


def window(question: Question, **changes: object) -> Question:
    assert question.window is not None
    return replace(question, window=replace(question.window, **changes))


def entry(question: Question, **changes: object) -> Question:
    assert question.entry is not None
    return replace(question, entry=replace(question.entry, **changes))


def place(question: Question, **changes: object) -> Question:
    assert question.place is not None
    return replace(question, place=replace(question.place, **changes))


def rows() -> list[tuple[str, Question, tuple[str, ...], frozenset[str]]]:  # noqa: PLR0915 - it is a table
    """Pack, question, evidence that is missing, and the rules that refuse it."""
    table: list[tuple[str, Question, tuple[str, ...], frozenset[str]]] = []

    def refused(pack: str, question: Question, *rules: str, without: tuple[str, ...] = ()) -> None:
        table.append((pack, question, without, frozenset(rules)))

    for pack in lawpack.names():  # base.cedar
        free = "DetectLabels"
        for role, action, rule in (
            ("operator", "CreateCollection", "role-operator"),
            ("service", "DeleteFaces", "role-service"),
            ("reviewer", free, "role-reviewer"),
            ("auditor", free, "role-auditor"),
            ("tester", "ListFaces", "role-tester"),
        ):
            refused(pack, good(pack, action, role=role), rule)
    refused("open", good("open", SEARCH, role="admin"), "role-admin")
    refused("open", good("open", SEARCH, collection="lab"), "isolated-tester-only")
    refused("none", good("none", SEARCH), "face-features-off")
    refused("none", good("none", COMPARE), "face-features-off")
    refused("none", good("none", ENROL), "face-features-off")
    refused("moratorium", good("moratorium", "DetectFaces"), "faces-banned")
    refused("moratorium", good("moratorium", SEARCH), "faces-banned")

    for pack in ("private-consent",):
        refused(pack, telling(good(pack), purpose=""), "purpose-told")
        refused(pack, telling(good(pack), legal_basis=""), "legal-basis-told")
        refused(pack, good(pack, ENROL), "retention-published", without=("retention-schedule",))
        refused(pack, entry(good(pack, ENROL), consent=""), "consent-given")
        refused(pack, good(pack, ENROL, entry=None), "consent-given", "three-years-at-most")
        refused(pack, entry(good(pack, ENROL), end=None), "three-years-at-most")
        refused(pack, entry(good(pack, ENROL), end=NOW + 1097 * DAY), "three-years-at-most")
        refused(pack, good(pack, LIVE), "no-live")

    pack = "research"
    refused(pack, telling(good(pack), purpose=""), "purpose-told", "limit-purpose")
    refused(pack, telling(good(pack), purpose="fun"), "limit-purpose")
    refused(pack, telling(good(pack), case=""), "protocol-told")
    refused(pack, good(pack), "protocol-approved", without=("ethics-approval",))
    refused(pack, entry(good(pack, ENROL), consent=""), "consent-given")
    refused(pack, good(pack, LIVE), "no-live")

    pack = "identity-verify"
    refused(pack, telling(good(pack, COMPARE), purpose=""), "purpose-told", "limit-purpose")
    refused(pack, good(pack, COMPARE), "attack-detection", without=("attack-detection",))
    refused(pack, good(pack, COMPARE), "another-path", without=("another-path",))
    refused(pack, good(pack, COMPARE), "measured-accuracy", without=("false-match-rate",))
    refused(pack, telling(good(pack), purpose="login"), "one-to-one")
    refused(pack, good(pack, LIVE), "no-live")

    pack = "retail"
    refused(pack, telling(good(pack), purpose=""), "purpose-told", "limit-purpose")
    refused(pack, telling(good(pack), operator=""), "operator-told")
    refused(pack, good(pack), "site-evaluation", without=("site-evaluation",))
    refused(pack, good(pack), "notice-posted", without=("notice-posted",))
    refused(pack, good(pack), "complaints-taken", without=("complaint-channel",))
    refused(pack, good(pack, LIVE), "false-alerts-tracked", without=("false-alert-tracking",))
    refused(pack, good(pack, trained_until=NOW), "trained")
    refused(pack, entry(good(pack, ENROL), reason=""), "entry-justified")
    refused(pack, entry(good(pack, ENROL), end=None), "entry-justified")

    for pack in POLICE:
        refused(pack, telling(good(pack), purpose=""), "purpose-told", "limit-purpose")
        refused(pack, telling(good(pack), purpose="curiosity"), "limit-purpose")
        refused(pack, telling(good(pack), case=""), "case-told")
        refused(pack, telling(good(pack), operator=""), "operator-told")
        refused(pack, good(pack, trained_until=None), "trained")
        refused(pack, good(pack, trained_until=NOW), "trained")
        refused(pack, telling(good(pack), probe_kind="sketch"), "limit-probe-kind")
        refused(pack, telling(good(pack), probe_kind=""), "limit-probe-kind")
        refused(pack, good(pack, quality=10), "limit-quality")
        refused(pack, good(pack, STARS), "no-celebrities")
    for pack, rule in (
        ("police-washco-detroit", "after-the-fact"),
        ("police-washington", "order-for-cameras"),
        ("police-uk-live", "deployment"),
        ("eu-high-risk", "prior-authorisation"),
    ):
        refused(pack, good(pack, LIVE, window=None), rule)
        refused(pack, window(good(pack, LIVE), basis=""), rule)
        refused(pack, window(good(pack, LIVE), basis="curiosity"), rule)
        refused(pack, window(good(pack, LIVE), number=""), rule)
        refused(pack, window(good(pack, LIVE), officer=""), rule)
        refused(pack, window(good(pack, LIVE), end=NOW), rule)
        refused(pack, window(good(pack, LIVE), begin=NOW + DAY / 24), rule)
    for pack, rule in (("police-washco-detroit", "after-the-fact"), ("police-uk-live", "deployment")):
        refused(pack, window(good(pack, LIVE), end=NOW + 2 * DAY), rule)
    pack = "police-washington"
    refused(pack, good(pack), "report-filed", without=("accountability-report",))
    refused(pack, good(pack), "evaluation-done", without=("independent-test",))
    refused(pack, good(pack, LIVE, place=None), "place-known", "no-assembly-no-religion")
    refused(pack, place(good(pack, LIVE), is_inside=False), "place-known")
    refused(pack, place(good(pack, LIVE), tags=frozenset({"ordinary", "protest"})), "no-assembly-no-religion")
    refused(pack, place(good(pack, LIVE), tags=frozenset()), "no-assembly-no-religion")
    pack = "police-virginia"
    refused(pack, good(pack), "accuracy-98", without=("accuracy",))
    refused(pack, good(pack), "minimal-variation", without=("minimal-variation",))
    refused(pack, good(pack, LIVE), "no-live")
    pack = "police-uk-live"
    refused(pack, good(pack, LIVE), "measured-accuracy", without=("false-alert-rate",))
    refused(pack, good(pack, LIVE), "impact-assessed", without=("impact-assessment",))
    refused(pack, entry(good(pack, ENROL), end=NOW + 2 * DAY), "bespoke-list")
    refused(pack, entry(good(pack, ENROL), approver=""), "bespoke-list")
    refused(pack, good(pack, LIVE, faces=10_001), "list-of-10000")
    refused(pack, good(pack, LIVE, faces=None), "list-of-10000")
    refused(pack, place(good(pack, LIVE), is_inside=False), "place-known")
    pack = "eu-high-risk"
    refused(pack, telling(good(pack), legal_basis=""), "legal-basis-told")
    refused(pack, good(pack), "rights-assessed", without=("rights-assessment",))
    refused(pack, good(pack, LIVE), "system-registered", without=("registration",))
    refused(pack, telling(good(pack, LIVE), purpose="criminal-investigation"), "real-time-ends")
    refused(pack, window(good(pack, LIVE), basis="exigent", end=NOW + DAY), "prior-authorisation")
    refused(pack, telling(good(pack), authorisation=""), "afterwards-authorised")
    refused(pack, good(pack, LIVE, place=None), "place-known")
    pack = "humanitarian"
    refused(pack, telling(good(pack), purpose=""), "purpose-told", "limit-purpose")
    refused(pack, telling(good(pack), case=""), "case-told")
    refused(pack, telling(good(pack), operator=""), "operator-told")
    refused(pack, entry(good(pack, ENROL), end=None), "entry-ends")
    refused(pack, good(pack, LIVE), "no-live")
    return table


ROWS = rows()


def decide(pack: str, question: Question, without: tuple[str, ...] = ()) -> Ruling:
    return policy(pack, without=without, more="[collections.lab]\nisolated = true").decide(question)


@pytest.mark.parametrize("pack", lawpack.names())
def test_who_tells_everything_may_do_what_the_pack_allows(pack: str) -> None:
    for action in ALLOWED[pack]:
        ruling = decide(pack, good(pack, action))
        assert ruling.allowed, (action, ruling.reason)


@pytest.mark.parametrize(("pack", "question", "without", "rules"), ROWS)
def test_who_leaves_something_out_is_refused_by_the_rule_named(
    pack: str, question: Question, without: tuple[str, ...], rules: frozenset[str]
) -> None:
    ruling = decide(pack, question, without)
    assert not ruling.allowed
    assert set(ruling.rules) == rules
    assert all(f"(rule {rule})" in ruling.reason for rule in rules)


@pytest.mark.parametrize("pack", lawpack.names())
def test_without_any_one_of_its_forbids_a_pack_answers_some_question_otherwise(pack: str) -> None:
    """As a mutation test: a rule that may be struck out unnoticed is not tested."""
    for rule in lawpack.load(pack).rules:
        if rule.effect == "permit":
            continue
        mine = [row for row in ROWS if row[0] == pack and rule.name in row[3]]
        if not mine and rule.where == "base.cedar":
            mine = [row for row in ROWS if rule.name in row[3]]
        assert mine, f"{pack}: no question hits {rule.name}"
        for in_pack, question, without, rules in mine:
            whole = policy(in_pack, without=without, more="[collections.lab]\nisolated = true").rulebook
            cut = replace(whole, rules=Rules(each for each in whole.rules.rules if each.name != rule.name))
            told = set(Policy(cut, lambda _: None).decide(question).rules)
            assert told == (rules - {rule.name} or {"base"})


def test_a_tester_works_where_nobody_else_does() -> None:
    assert decide("open", good("open", "ListFaces", role="tester", collection="lab")).allowed
    assert decide("open", good("open", SEARCH, role="tester", collection="lab")).allowed
    assert not decide("open", good("open", SEARCH, role="tester")).allowed


@pytest.mark.parametrize("pack", POLICE)
def test_police_packs_have_a_notice_a_high_floor_few_candidates_and_a_review(pack: str) -> None:
    duty = decide(pack, good(pack)).obligations
    assert duty.notice
    assert duty.floor >= 0.95
    assert duty.maximum is not None
    assert duty.maximum <= 5
    assert duty.review != "off"


@pytest.mark.parametrize("pack", lawpack.names())
def test_a_pack_names_its_source_its_date_and_what_it_is_not(pack: str) -> None:
    loaded = lawpack.load(pack)
    assert loaded.name == pack
    assert loaded.source
    assert loaded.date.year >= 2026
    assert "no legal advice" in loaded.legal
    assert re.fullmatch("[0-9a-f]{64}", loaded.digest)
    assert all(rule.reason and rule.step for rule in loaded.rules if rule.effect == "forbid")
    assert [warning for rule in loaded.rules for warning in cedar.warnings(rule)] == []
    read = {literal for rule in loaded.rules for literal in rule.literals}
    assert set(loaded.demands) <= read, "a demand that no rule asks for"


def test_a_digest_is_of_the_content_and_not_of_line_ends() -> None:
    assert lawpack.digest({"a": "x\ny"}) == lawpack.digest({"a": "x\r\ny"})
    assert lawpack.digest({"a": "x"}) != lawpack.digest({"a": "y"})
    assert len({lawpack.load(name).digest for name in lawpack.names()}) == len(lawpack.names())


def test_a_pack_that_is_not_there_or_not_whole_is_refused() -> None:
    with pytest.raises(PolicyError, match="no law pack police-mars; there are eu-high-risk"):
        lawpack.load("police-mars")
    with pytest.raises(PolicyError, match="it is no TOML"):
        lawpack.read("pack =", (), "", "x/pack.toml")
    with pytest.raises(PolicyError, match="a pack has date"):
        lawpack.read('name = "x"', (), "", "x/pack.toml")
