# SPDX-License-Identifier: Apache-2.0
"""Cedar's own traps are closed: errors, missing attributes, unknown actions and rules of no name never allow."""

from __future__ import annotations

import datetime as dt
from typing import Any

import cedarpy
import pytest
from asking import good
from hypothesis import given
from hypothesis import strategies as st

from overt.govern import actions, cedar, lawpack
from overt.govern.cedar import ERROR, NO_PERMIT, Rules, read
from overt.govern.limits import PolicyError
from overt.govern.question import context

PERMIT = '@id("all") permit (principal, action, resource);'
FORBID = '@id("{name}") @reason("No.") forbid (principal, action, resource) {when};'


def rules(*texts: str) -> Rules:
    return Rules(rule for text in texts for rule in read(text, "x.cedar", may_permit=True))


def facts(action: str = "SearchFaces", **changes: Any) -> dict[str, Any]:
    return {**context(good("open", action), zone=dt.UTC), **changes}


def test_cedar_by_itself_skips_a_forbid_that_fails() -> None:
    """The trap that all this is about; should Cedar change, this test says so."""
    request = {"principal": 'Role::"operator"', "action": 'Action::"SearchFaces"', "resource": 'Collection::"people"'}
    text = PERMIT + FORBID.format(name="x", when='unless { context.purpose != "" }')
    result = cedarpy.is_authorized({**request, "context": {}}, text, [])
    assert result.allowed
    assert result.diagnostics.errors


@pytest.mark.parametrize("name", sorted(facts()))
def test_a_missing_attribute_is_a_refusal(name: str) -> None:
    asked = facts()
    assert rules(PERMIT).ask("SearchFaces", "operator", "people", asked) == ()
    del asked[name]
    assert rules(PERMIT).ask("SearchFaces", "operator", "people", asked) == (ERROR,)


@pytest.mark.parametrize("name", sorted(facts()))
@pytest.mark.parametrize("value", [None, [], {}, 3.5, b"x", "\ud800", {"given": True}, [1]])
def test_an_attribute_of_another_type_is_a_refusal(name: str, value: Any) -> None:
    if type(value) is type(facts()[name]) and value != "\ud800" and value == []:
        return  # no evidence at all is told like this
    assert rules(PERMIT).ask("SearchFaces", "operator", "people", facts(**{name: value})) == (ERROR,)


def test_an_attribute_too_many_is_a_refusal() -> None:
    assert rules(PERMIT).ask("SearchFaces", "operator", "people", facts(extra="x")) == (ERROR,)


def test_an_unknown_action_or_role_of_no_kind_is_a_refusal() -> None:
    assert rules(PERMIT).ask("Nope", "operator", "people", facts()) == (ERROR,)
    assert rules(PERMIT).ask("Search", "operator", "people", facts()) == (ERROR,)  # a group is no action
    assert rules(PERMIT).ask("SearchFaces", None, "people", facts()) == (ERROR,)  # type: ignore[arg-type]  # garbled


def test_a_rule_that_cannot_be_evaluated_is_a_refusal() -> None:
    overflow = FORBID.format(name="x", when="when { context.now * 9223372036854775807 < 0 }")
    assert rules(PERMIT, overflow).ask("SearchFaces", "operator", "people", facts()) == (ERROR,)
    assert rules(PERMIT, overflow).ask("SearchFaces", "operator", "people", facts(), is_sound=True) == (ERROR,)


def test_without_a_permit_nothing_is_allowed() -> None:
    assert rules().ask("SearchFaces", "operator", "people", facts()) == (NO_PERMIT,)


def test_a_forbid_on_a_group_holds_for_its_actions() -> None:
    forbid = '@id("g") @reason("No.") forbid (principal, action in Action::"Face", resource);'
    both = rules(PERMIT, forbid)
    for action in actions.GROUPS:
        told = both.ask(action, "operator", "people", facts(action))
        assert bool(told) == actions.is_in(action, "Face"), action


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("forbid (", "cannot be read"),
        ("permit (principal, action, resource);", "has no name"),
        ('@id("a b") permit (principal, action, resource);', "has no name"),
        ('@id("a") forbid (principal, action, resource);', "tells nobody why"),
        ('@id("a") @colour("red") permit (principal, action, resource);', "no such annotation: colour"),
        (FORBID.format(name="a", when='when { context.colour == "red" }'), "rule a: .*colour"),
        (FORBID.format(name="a", when="when { context.purpose > 3 }"), "rule a"),
        (FORBID.format(name="a", when="when { context.entry.given }"), "rule a: .*entry"),  # not every action has it
        (FORBID.format(name="a", when="when { principal.age > 3 }"), "rule a"),
        ('@id("a") permit (principal, action == Action::"Nope", resource);', "Nope"),
        ('@id("a") permit (principal == User::"ann", action, resource);', "User"),
        ('@id("a") permit (principal == ?principal, action, resource);', "templates"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_when_it_is_read(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=f"(?s)x.cedar: .*{words}"):
        read(text, "x.cedar", may_permit=True)


def test_operators_write_no_permits() -> None:
    with pytest.raises(PolicyError, match="rule all is a permit"):
        read(PERMIT, "x.cedar", may_permit=False)


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(PolicyError, match="several rules are called all"):
        rules(PERMIT, PERMIT)


def test_it_is_known_what_a_rule_reads() -> None:
    text = FORBID.replace("action,", 'action in Action::"Seek",')
    when = 'unless { context.probe.kind == "photo" && context.now > 5 }'
    (rule,) = read(text.format(name="a", when=when), "x", may_permit=False)
    assert rule.reads == {"probe", "now"}
    assert rule.literals == {"photo"}
    (rule,) = read(FORBID.format(name="a", when="when { context == context }"), "x", may_permit=False)
    assert rule.reads == {"*"}


def test_kept_answers_are_of_the_facts_that_were_asked() -> None:
    both = rules(PERMIT, FORBID.format(name="a", when='unless { context.purpose == "theft" }'))

    def ask(**changes: Any) -> list[str]:
        told = both.ask("SearchFaces", "operator", "people", facts(**changes), is_sound=True)
        return [refusal.rule for refusal in told]

    for _ in range(2):
        assert ask(purpose="theft") == []
        assert ask(purpose="") == ["a"]
        assert ask(purpose="theft", now=5) == []


def test_a_warning_tells_of_rules_that_silence_gets_past() -> None:
    def warned(when: str) -> int:
        return sum(
            1 for rule in read(FORBID.format(name="a", when=when), "x", may_permit=False) for _ in cedar.warnings(rule)
        )

    assert warned('when { context.purpose == "gossip" }') == 1
    assert warned('unless { context.purpose == "theft" }') == 0
    assert warned('when { context.purpose == "" }') == 0
    assert warned('when { !(context.purpose == "theft") }') == 0
    assert warned('when { context.source == "stream" }') == 0


WHOLE = tuple(rule for rule in lawpack.load("police-washington").rules) + read(
    '@id("r") @reason("No.") forbid (principal == Role::"service", action == Action::"CompareFaces", resource);'
    '@id("c") @reason("No.") forbid (principal, action in [Action::"Search"], resource == Collection::"cold");'
    '@id("i") @reason("No.") forbid (principal is Role, action, resource is Collection) '
    'when { context.account == "9" };',
    "x",
    may_permit=False,
)
SLICED = Rules(WHOLE)


@given(
    action=st.sampled_from(sorted(actions.GROUPS)),
    role=st.sampled_from(actions.ROLES),
    place=st.sampled_from(["cold", "warm", ""]),
    blank=st.booleans(),
)
def test_leaving_out_rules_by_their_scope_changes_no_answer(action: str, role: str, place: str, *, blank: bool) -> None:
    asked = facts(action, account="9" if blank else "1", purpose="" if blank else "missing-person")
    sliced = SLICED.ask(action, role, place, asked)
    request = {
        "principal": {"type": "Role", "id": role},
        "action": {"type": "Action", "id": action},
        "resource": {"type": "Collection", "id": place},
        "context": asked,
    }
    nodes = {
        f"p{number}": cedarpy.pst.Template(**{**_members(rule.node), "id": f"p{number}"})
        for number, rule in enumerate(WHOLE)
    }
    policies = cedarpy.PolicySet.from_pst(cedarpy.pst.PolicySet(templates={}, static_policies=nodes, template_links=()))
    full = cedarpy.is_authorized(request, policies, cedarpy.Entities.from_json_str("[]", cedar.SCHEMA), cedar.SCHEMA)
    forbids = [rule for rule in full.diagnostics.id_annotations_by_reason.values() if rule != "base"]
    assert sorted(forbids) == [refusal.rule for refusal in sliced]


def _members(node: Any) -> dict[str, Any]:
    return {name: getattr(node, name) for name in node.__dataclass_fields__}
