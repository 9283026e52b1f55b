# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from overt.errors import AccessDeniedException, InvalidParameterException
from overt.govern import intents
from overt.stores.base import AccessKey
from overt.types import Assumed, Intent

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
LASTING = AccessKey("OVRT1", "000000000001", "operator", "hush", NOW)
SESSION = dataclasses.replace(
    LASTING,
    id="OVTS1",
    assumed=Assumed(
        "searcher", "me", "OVRT1", "badge-17", {"case": "7", "team": "x"}, allowed={"purpose": ("theft", "missing")}
    ),
)


def test_every_field_of_an_intent_has_a_tag_or_source_identity_and_a_header() -> None:
    fields = {field.name for field in dataclasses.fields(Intent)}
    assert set(intents.FIELDS.values()) == fields
    assert set(intents.HEADERS) == {f"x-overt-{field.replace('_', '-')}" for field in fields}


def test_a_session_s_tags_become_its_intent_and_unknown_ones_mean_nothing() -> None:
    assert intents.of(SESSION.assumed) == Intent(operator="badge-17", case="7")
    assert intents.of(None) == Intent()


def test_headers_fill_what_the_session_leaves_open_and_may_repeat_it() -> None:
    told = {"x-overt-purpose": "theft", "x-overt-legal-basis": "PACE s.1", "x-overt-case": "7"}
    wanted = Intent(operator="badge-17", case="7", purpose="theft", legal_basis="PACE s.1")
    assert intents.declare(SESSION, told) == wanted
    assert intents.declare(LASTING, {"x-overt-operator": "b.17"}) == Intent(operator="b.17")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-overt-case", "8"),
        ("x-overt-operator", "another"),
        ("x-overt-purpose", "spying"),
        ("x-overt-purposse", "theft"),
    ],
)
def test_a_header_that_contradicts_or_is_not_allowed_or_known_is_refused_by_name(header: str, value: str) -> None:
    with pytest.raises(AccessDeniedException, match=header):
        intents.declare(SESSION, {header: value})


@pytest.mark.parametrize("value", ["", "a" * 257, "a,b", "semi;colon", "line\nbreak", "tab\there"])
@pytest.mark.parametrize("header", ["x-overt-case", "x-overt-operator"])
def test_a_value_in_another_form_is_refused_by_name(header: str, value: str) -> None:
    with pytest.raises(InvalidParameterException, match=header):
        intents.declare(LASTING, {header: value})


def test_probes_are_of_few_kinds() -> None:
    for kind in intents.PROBE_KINDS:
        assert intents.declare(LASTING, {"x-overt-probe-kind": kind}).probe_kind == kind
    with pytest.raises(InvalidParameterException, match="x-overt-probe-kind must be one of photo"):
        intents.declare(LASTING, {"x-overt-probe-kind": "drawing"})


@pytest.mark.parametrize("role", ["owner", "operator", "service"])
def test_lasting_keys_that_act_for_people_may_say_so(role: str) -> None:
    assert intents.declare(dataclasses.replace(LASTING, role=role), {"x-overt-case": "1"}).case == "1"


@pytest.mark.parametrize("role", ["admin", "reviewer", "auditor", "tester", "nonsense"])
def test_other_lasting_keys_may_not(role: str) -> None:
    with pytest.raises(AccessDeniedException, match="may not set x-overt-case"):
        intents.declare(dataclasses.replace(LASTING, role=role), {"x-overt-case": "1"})
