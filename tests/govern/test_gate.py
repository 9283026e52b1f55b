# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from overt.errors import ThrottlingException
from overt.govern import gate
from overt.types import Call, Caller
from overt.wire import services

REKOGNITION = set(services.rekognition().operations)
CLASSES = (
    *(gate.PICTURES, gate.VIDEOS, gate.RECOGNITION - {"ListenEvents"}, gate.ENROLMENT),
    *(gate.OVERVIEW, gate.KEEPING, gate.TRAINING),
)


def call(role: str, operation: str = "DetectFaces", service: str = "rekognition", **params: Any) -> Call:
    return Call("1", operation, params, Caller("KEY", "000000000001", role), "us-east-1", "digest", service=service)


def allowed(role: str, operation: str, service: str = "rekognition", **params: Any) -> bool:
    return gate.before(call(role, operation, service, **params), crowded=False).allowed


def test_an_owner_may_do_all() -> None:
    assert all(allowed("owner", name) for name in [*REKOGNITION, "ListenEvents", "WhatMayCome"])
    assert gate.after(call("owner"), {"FaceDetails": []}) == {"FaceDetails": []}


def test_every_operation_of_rekognition_is_in_exactly_one_class() -> None:
    assert set().union(*CLASSES) == REKOGNITION
    assert sum(map(len, CLASSES)) == len(REKOGNITION)
    assert gate.IN_TESTED <= REKOGNITION


def test_what_no_row_names_is_for_nobody_but_the_owner() -> None:
    for role in [*gate.ROLES, "", "nonsense"]:
        assert allowed(role, "WhatMayCome") is (role == "owner")
        assert allowed(role, "WhatMayCome", "overt") is (role == "owner")
    assert not allowed("nonsense", "AssumeRole", "sts")
    assert not allowed("admin", "DetectFaces", "overt")
    assert not allowed("reviewer", "AssumeRole")


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("admin", ["IndexFaces", "DeleteCollection", "TagResource"], ["SearchFaces", "CompareFaces", "ListenEvents"]),
        ("operator", ["SearchFacesByImage", "IndexFaces", "ListenEvents"], ["DeleteCollection", "UntagResource"]),
        ("service", ["SearchFacesByImage", "IndexFaces"], ["DeleteCollection", "UntagResource"]),
        ("reviewer", [], ["DetectFaces", "SearchFaces", "ListFaces", "ListCollections"]),
        ("auditor", [], ["DetectFaces", "SearchFaces", "ListFaces", "ListCollections"]),
        ("tester", ["DetectFaces", "CompareFaces"], ["ListCollections", "GetFaceSearch", "StartFaceSearch"]),
    ],
)
def test_roles_have_their_rows(role: str, may: list[str], may_not: list[str]) -> None:
    assert [name for name in may if not allowed(role, name)] == []
    assert [name for name in may_not if allowed(role, name)] == []


def test_everybody_may_ask_who_it_is_and_for_a_role() -> None:
    for role in gate.ROLES:
        assert allowed(role, "GetCallerIdentity", "sts")
        assert allowed(role, "AssumeRole", "sts")
        assert allowed(role, "GetIdentity", "overt")


@pytest.mark.parametrize("role", gate.ROLES)
def test_roles_are_kept_by_owner_and_admin_and_seen_by_the_auditor_too(role: str) -> None:
    for name in ("CreateRole", "UpdateRole", "DeleteRole"):
        assert allowed(role, name, "overt") is (role in {"owner", "admin"})
    assert allowed(role, "ListRoles", "overt") is (role in {"owner", "admin", "auditor"})


def test_a_tester_s_collections_are_its_own() -> None:
    for name in gate.IN_TESTED:
        assert allowed("tester", name, CollectionId="tester-lfw")
        assert not allowed("tester", name, CollectionId="suspects")
        assert not allowed("tester", name, CollectionId="my-tester-lfw")
        assert not allowed("tester", name)
    told = gate.before(call("tester", "ListFaces", CollectionId="suspects"), crowded=False).reason
    assert told == ("The role tester may not call ListFaces but on collections whose names begin with tester-.")


def test_another_role_is_told_why() -> None:
    verdict = gate.before(call("auditor"), crowded=False)
    assert not verdict.allowed
    assert verdict.reason == "The role auditor may not call DetectFaces."


def test_a_crowded_server_takes_no_call() -> None:
    with pytest.raises(ThrottlingException):
        gate.before(call("owner"), crowded=True)
