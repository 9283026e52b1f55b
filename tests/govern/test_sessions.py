# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.errors import AccessDeniedException, InvalidParameterException, WireError
from overt.govern import intents, sessions
from overt.govern.sessions import Wish
from overt.stores.base import AccessKey
from overt.types import Role

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ACCOUNT = "000000000001"
OWNER = AccessKey("OVRT0", ACCOUNT, "owner", "hush", NOW)
SERVICE = AccessKey("OVRT1", ACCOUNT, "service", "hush", NOW)
ROLE = Role(ACCOUNT, "searcher", "operator", NOW, trusted=("OVRT1",), longest=4 * HOUR)
SECOND = dataclasses.replace(ROLE, name="second", trusted=("role/searcher",))


def assume(role: Role = ROLE, key: AccessKey = SERVICE, **wish: object) -> AccessKey:
    return sessions.begin(role, key, Wish(**{"session": "me"} | wish), NOW).key


def test_a_session_s_key_is_temporary_and_stands_for_what_was_told() -> None:
    made = sessions.begin(ROLE, SERVICE, Wish("me", operator="b17", tags=[("case", "7"), ("team", "x")]), NOW)
    assert (made.key.role, made.key.expires, made.key.label) == ("operator", NOW + HOUR, "role/searcher")
    assert made.key.token_digest == hashlib.sha256(made.token.encode()).hexdigest()
    assumed = made.key.assumed
    assert (assumed.role, assumed.session, assumed.parent, assumed.operator) == ("searcher", "me", "OVRT1", "b17")
    assert assumed.tags == {"case": "7", "team": "x"}


@pytest.mark.parametrize(
    ("trusted", "key", "good"),
    [
        ((), OWNER, True),
        ((), SERVICE, False),
        (("OVRT1",), SERVICE, True),
        (("OVRT2",), SERVICE, False),
        (("*",), SERVICE, True),
        (("*",), dataclasses.replace(SERVICE, account="000000000002"), False),
        (("OVRT0",), dataclasses.replace(OWNER, account="000000000002"), False),
    ],
)
def test_a_role_says_which_lasting_keys_may_assume_it(trusted: tuple[str, ...], key: AccessKey, good: bool) -> None:  # noqa: FBT001
    assert sessions.trusts(dataclasses.replace(ROLE, trusted=trusted), key) is good


def test_a_session_assumes_only_roles_that_trust_its_role_by_name() -> None:
    session = assume()
    assert not sessions.trusts(dataclasses.replace(ROLE, trusted=("*", session.id)), session)
    assert sessions.trusts(SECOND, session)
    with pytest.raises(AccessDeniedException):
        assume(ROLE, session)


def test_what_a_role_requires_must_be_told() -> None:
    strict = dataclasses.replace(ROLE, required=("case", "operator"))
    with pytest.raises(AccessDeniedException, match="needs the tag case, SourceIdentity"):
        assume(strict)
    with pytest.raises(AccessDeniedException, match="needs SourceIdentity"):
        assume(strict, tags=[("case", "7")])
    assert assume(strict, tags=[("case", "7")], operator="b17").assumed.operator == "b17"


def test_a_role_allows_only_some_values_of_a_tag() -> None:
    strict = dataclasses.replace(ROLE, allowed={"purpose": ("theft",), "team": ("x",), "operator": ("b17",)})
    assert assume(strict, tags=[("purpose", "theft")]).assumed.allowed == strict.allowed
    for wish in ({"tags": [("purpose", "spying")]}, {"tags": [("team", "y")]}, {"operator": "b18"}):
        with pytest.raises(AccessDeniedException, match="does not allow this value"):
            assume(strict, **wish)


@pytest.mark.parametrize(
    "tags",
    [
        [("Purpose", "theft")],
        [("legalbasis", "law")],
        [("operator", "me")],
        [("case", "1"), ("case", "1")],
        [("team", "1"), ("TEAM", "1")],
        [("aws:case", "1")],
        [("case", "")],
        [("probeKind", "drawing")],
    ],
)
def test_tags_that_would_seem_to_say_something_are_refused(tags: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidParameterException):
        assume(tags=tags)


def test_the_session_s_name_stands_for_the_person_only_where_the_role_says_so() -> None:
    assert assume().assumed.operator == ""
    own = dataclasses.replace(ROLE, is_own_operator=True)
    assert assume(own).assumed.operator == "me"
    assert assume(own, operator="b17").assumed.operator == "b17"
    with pytest.raises(InvalidParameterException, match="RoleSessionName"):
        assume(own, session="a,b")


def test_a_session_lasts_an_hour_or_as_long_as_was_asked_and_the_role_allows() -> None:
    assert assume(dataclasses.replace(ROLE, longest=HOUR / 2)).expires == NOW + HOUR / 2
    assert assume(lifetime=4 * HOUR).expires == NOW + 4 * HOUR
    with pytest.raises(InvalidParameterException, match="MaxSessionDuration"):
        assume(lifetime=4 * HOUR + dt.timedelta(seconds=1))


def test_no_key_makes_one_that_outlives_it() -> None:
    short = dataclasses.replace(SERVICE, expires=NOW + HOUR / 4, token_digest="ab")
    assert assume(key=short, lifetime=2 * HOUR).expires == short.expires
    session = assume(lifetime=HOUR / 3)
    assert assume(SECOND, session, lifetime=HOUR / 2).expires == session.expires


def test_chaining_is_for_an_hour_at_most() -> None:
    with pytest.raises(InvalidParameterException, match="role chaining"):
        assume(SECOND, assume(lifetime=4 * HOUR), lifetime=2 * HOUR)


def test_chaining_keeps_who_it_is_and_what_it_is_for() -> None:
    tags = [("case", "7"), ("purpose", "theft"), ("team", "x"), ("desk", "3")]
    session = assume(operator="b17", tags=tags, transitive=["team"])
    chained = assume(SECOND, session, tags=[("legalBasis", "law"), ("case", "7"), ("desk", "4")])
    assert chained.assumed.tags == {"case": "7", "purpose": "theft", "team": "x", "legalBasis": "law", "desk": "4"}
    assert (chained.assumed.operator, chained.assumed.parent) == ("b17", session.id)
    for wish in (
        {"operator": "b18"},
        {"tags": [("case", "8")]},
        {"tags": [("team", "y")]},
        {"tags": [("TEAM", "x")]},
    ):
        with pytest.raises((AccessDeniedException, InvalidParameterException)):
            assume(SECOND, session, **wish)


def test_chaining_does_not_widen_what_a_role_allowed() -> None:
    first = dataclasses.replace(ROLE, allowed={"purpose": ("theft", "missing"), "team": ("x",)})
    second = dataclasses.replace(SECOND, allowed={"purpose": ("missing", "spying")})
    chained = assume(second, assume(first))
    assert chained.assumed.allowed == {"purpose": ("missing",), "team": ("x",)}


def test_transitive_keys_must_be_of_tags_that_there_are() -> None:
    with pytest.raises(InvalidParameterException, match="TransitiveTagKeys"):
        assume(transitive=["team"])


KEYS = st.sampled_from(["case", "purpose", "legalBasis", "probeKind", "authorisation", "team", "Case", "x"])
WISHES = st.builds(
    Wish,
    session=st.just("me"),
    operator=st.sampled_from(["", "b17", "b18"]),
    tags=st.lists(st.tuples(KEYS, st.sampled_from(["7", "8", "photo"])), max_size=4),
    transitive=st.lists(KEYS, max_size=2),
)


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(WISHES, st.lists(WISHES, max_size=3))
def test_no_chain_changes_or_drops_what_was_once_said(first: Wish, others: list[Wish]) -> None:
    again = dataclasses.replace(SECOND, trusted=("role/searcher", "role/second"))
    try:
        key = sessions.begin(ROLE, SERVICE, first, NOW).key
        for wish in others:
            after = sessions.begin(again, key, wish, NOW).key
            said, says = intents.of(key.assumed), intents.of(after.assumed)
            for field in dataclasses.fields(said):
                before = getattr(said, field.name)
                assert before in ("", getattr(says, field.name))
            assert after.expires <= key.expires
            key = after
    except WireError:
        pass
