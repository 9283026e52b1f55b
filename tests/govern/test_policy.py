# SPDX-License-Identifier: Apache-2.0
"""Nothing missing or garbled ever turns a refusal into a permission.

What is shown of any two questions that differ in one fact, the first refused and the second allowed: every rule that
refused the first reads that fact; the fact is told in the second; and where rules name the values that are good, it is
one of those. Taking a fact away, or telling it in a way no rule names, never allows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asking import DAY, NOW, good, policy, telling
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.govern import actions, lawpack
from overt.govern.policy import Policy
from overt.govern.question import Question, context
from overt.govern.ruling import NOTHING, Refusal
from overt.types import Intent

PACKS = lawpack.names()
POLICIES = {pack: policy(pack) for pack in PACKS}
ABSENT: dict[str, Callable[[Question], Question]] = {
    **{name: lambda q, n=name: telling(q, **{n: ""}) for name in ("operator", "purpose", "case", "legal_basis")},
    **{name: lambda q, n=name: telling(q, **{n: ""}) for name in ("probe_kind", "authorisation")},
    **{
        name: lambda q, n=name: replace(q, **{n: None})
        for name in ("trained_until", "window", "place", "entry", "faces")
    },
    "collection": lambda q: replace(q, collection=""),
    "intent": lambda q: replace(q, intent=Intent()),
}
# The attribute of the rules' context that a fact becomes.
READ_AS = {"case": "caseNumber", "legal_basis": "legalBasis", "probe_kind": "probe", "faces": "gallery"}
READ_AS |= {"trained_until": "training"}
LIMITS = {"limit-purpose": "purpose", "limit-probe-kind": "probe_kind", "limit-role": "role", "limit-hours": "moment"}
ACTION = st.sampled_from([name for name in actions.GROUPS if actions.is_in(name, "Identify")])
NAMED = sorted(
    {literal for pack in PACKS for rule in lawpack.load(pack).rules for literal in rule.literals}
    | {purpose for pack in PACKS for purpose in lawpack.load(pack).limits.purposes or ()}
    | {"photo", "frame", "sketch"}
)
GARBAGE = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=20).filter(
    lambda text: text not in NAMED
)
TEXT = st.one_of(st.just(""), st.sampled_from(NAMED), GARBAGE)
MOMENT = st.integers(-40_000, 40_000).map(lambda hours: NOW + dt.timedelta(hours=hours))


@st.composite
def questions(draw: st.DrawFn, pack: str) -> Question:
    """Good ones with a few facts taken away or changed."""
    question = good(pack, draw(ACTION), role=draw(st.sampled_from(["owner", "operator", "service", "tester"])))
    for name in draw(st.lists(st.sampled_from(sorted(ABSENT)), max_size=3, unique=True)):
        question = ABSENT[name](question)
    return question


@given(st.data())
@settings(max_examples=400)
def test_taking_a_fact_away_never_allows(data: st.DataObject) -> None:
    pack = data.draw(st.sampled_from(PACKS))
    question = data.draw(questions(pack))
    name = data.draw(st.sampled_from(sorted(ABSENT)))
    less = ABSENT[name](question)
    if not POLICIES[pack].decide(question).allowed:
        assert not POLICIES[pack].decide(less).allowed, name


@given(st.data())
@settings(max_examples=600)
def test_a_change_allows_only_where_every_rule_that_refused_reads_the_fact_and_names_its_value(
    data: st.DataObject,
) -> None:
    pack = data.draw(st.sampled_from(PACKS))
    question = data.draw(questions(pack))
    name = data.draw(st.sampled_from(["operator", "purpose", "case", "legal_basis", "probe_kind", "authorisation"]))
    best = getattr(good(pack).intent, name)
    # Often enough it is this fact that the question lacks, or has wrong.
    question = telling(
        data.draw(st.one_of(st.just(good(pack, question.action)), st.just(question))), **{name: data.draw(TEXT)}
    )
    value = data.draw(st.one_of(st.just(best), TEXT))
    was, now = POLICIES[pack].decide(question), POLICIES[pack].decide(telling(question, **{name: value}))
    if was.allowed or not now.allowed:
        return
    assert value, "told, and not taken away"
    book = POLICIES[pack].rulebook
    for rule in was.rules:
        if rule in LIMITS:
            assert LIMITS[rule] == name
            named = getattr(book.limits(question.collection), f"{name}s")
            assert named is None or value in named
        else:
            assert READ_AS.get(name, name) in book.rules.by_name[rule].reads
            names = book.rules.by_name[rule].literals - {""}
            assert not names or value in names


@given(st.data())
@settings(max_examples=300)
def test_other_facts_allow_only_where_every_rule_that_refused_reads_them(data: st.DataObject) -> None:
    pack = data.draw(st.sampled_from(PACKS))
    question = data.draw(questions(pack))
    best = good(pack, question.action)
    name = data.draw(st.sampled_from(["trained_until", "window", "place", "entry", "faces"]))
    value: Any = {
        "trained_until": data.draw(st.one_of(st.none(), MOMENT)),
        "faces": data.draw(st.one_of(st.none(), st.integers(0, 30_000_000))),
        "window": best.window and replace(best.window, basis=data.draw(TEXT), begin=data.draw(MOMENT)),
        "place": best.place and replace(best.place, tags=frozenset(data.draw(st.lists(TEXT, max_size=3)))),
        "entry": best.entry
        and replace(best.entry, reason=data.draw(TEXT), end=data.draw(st.one_of(st.none(), MOMENT))),
    }[name]
    was, now = POLICIES[pack].decide(question), POLICIES[pack].decide(replace(question, **{name: value}))
    if not was.allowed and now.allowed:
        assert value is not None
        by_name = POLICIES[pack].rulebook.rules.by_name
        assert all(READ_AS.get(name, name) in by_name[rule].reads for rule in was.rules)


@given(st.data())
@settings(max_examples=300)
def test_a_context_with_an_attribute_dropped_added_or_of_another_type_is_never_allowed(data: st.DataObject) -> None:
    pack = data.draw(st.sampled_from(PACKS))
    question = good(pack, data.draw(ACTION))
    facts = context(question, zone=dt.UTC, evidence=frozenset(lawpack.load(pack).demands))
    path = data.draw(st.sampled_from(sorted(_paths(facts))))
    broken: dict[str, Any] = {name: dict(value) if isinstance(value, dict) else value for name, value in facts.items()}
    place = broken if len(path) == 1 else broken[path[0]]
    match data.draw(st.sampled_from(["drop", "add", "type"])):
        case "drop":
            del place[path[-1]]
        case "add":
            place[data.draw(GARBAGE.filter(lambda name: name not in place))] = data.draw(TEXT)
        case _:
            place[path[-1]] = data.draw(st.sampled_from([None, 1.5, [[]], {"x": 1}]))
    rules = POLICIES[pack].rulebook.rules
    assert rules.ask(question.action, question.role, question.collection, broken)


def _paths(facts: dict[str, Any]) -> set[tuple[str, ...]]:
    inner = {(name, part) for name, value in facts.items() if isinstance(value, dict) for part in value}
    return inner | {(name,) for name in facts}


@given(
    GARBAGE, st.sampled_from(["action", "role", "source", "phase", "moment", "intent", "quality", "window", "place"])
)
def test_garbled_facts_are_refused_by_every_pack(garbage: str, name: str) -> None:
    for pack, decider in POLICIES.items():
        ruling = decider.decide(replace(good(pack), **{name: garbage}))
        assert (ruling.allowed, ruling.rules, ruling.obligations) == (False, ("question",), NOTHING)


def test_an_expired_certificate_is_refused_from_its_second_on() -> None:
    for seconds, allowed in ((1, True), (0, False), (-1, False)):
        question = good("police-virginia", trained_until=NOW + dt.timedelta(seconds=seconds))
        assert POLICIES["police-virginia"].decide(question).allowed == allowed


def test_evidence_that_ran_out_is_none() -> None:
    late = good("police-virginia", moment=dt.datetime(2027, 1, 2, tzinfo=dt.UTC), trained_until=NOW + 99 * DAY)
    assert set(POLICIES["police-virginia"].decide(late).rules) == {"accuracy-98", "minimal-variation"}


def test_an_error_while_deciding_is_a_refusal() -> None:
    def broken(_question: Question) -> Refusal | None:
        raise RuntimeError

    ruling = Policy(POLICIES["open"].rulebook, broken).decide(good("open"))
    assert (ruling.allowed, ruling.rules) == (False, ("engine-error",))
    assert Policy(POLICIES["open"].rulebook, broken).decide(good("open", "DetectLabels")).allowed


def test_a_moratorium_is_named() -> None:
    ruling = Policy(POLICIES["open"].rulebook, lambda _: Refusal("moratorium", "Stopped.")).decide(good("open"))
    assert ruling.rules == ("moratorium",)


def test_all_rules_that_refuse_are_named_at_once() -> None:
    question = telling(good("police-washington"), purpose="", case="")
    ruling = POLICIES["police-washington"].decide(question)
    assert set(ruling.rules) == {"limit-purpose", "purpose-told", "case-told"}
    assert "Call in a session with the tag case." in ruling.reason


@pytest.mark.parametrize("pack", PACKS)
def test_a_permission_comes_with_the_limits_of_its_collection(pack: str) -> None:
    decider = policy(pack, more='[collections.people]\nfloor = 99.9\nmaximum = 1\nreview = "two"')
    ruling = decider.decide(good(pack))
    if ruling.allowed:
        assert ruling.obligations.floor == pytest.approx(0.999)
        assert (ruling.obligations.maximum, ruling.obligations.review) == (1, "two")
    assert (ruling.pack, ruling.digest) == (pack, decider.rulebook.digest)


def test_an_operators_own_rule_refuses_what_a_pack_allows() -> None:
    own = '@id("attic") @reason("Closed.") @next("Wait.") forbid (principal, action, resource == Collection::"people");'
    ruling = policy("open", own={"own.cedar": own}).decide(good("open"))
    assert (ruling.allowed, ruling.reason) == (False, "Closed. (rule attic) Wait.")
