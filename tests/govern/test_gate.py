# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.errors import ThrottlingException
from overt.govern import gate
from overt.types import Call, Caller


def call(role: str) -> Call:
    return Call("1", "DetectFaces", {}, Caller("KEY", "000000000001", role), "us-east-1", "digest")


def test_an_owner_may_do_all() -> None:
    assert gate.before(call("owner"), crowded=False).allowed
    assert gate.after(call("owner"), {"FaceDetails": []}) == {"FaceDetails": []}


def test_another_role_may_do_nothing_yet_and_is_told_why() -> None:
    verdict = gate.before(call("auditor"), crowded=False)
    assert not verdict.allowed
    assert verdict.reason == "The role auditor may not call DetectFaces."


def test_a_crowded_server_takes_no_call() -> None:
    with pytest.raises(ThrottlingException):
        gate.before(call("owner"), crowded=True)
