# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from overt.engine import Engine
from overt.errors import ConflictException, IdempotentParameterMismatchException
from overt.ops.idempotency import once
from overt.stores.base import Unit
from overt.types import Call, Caller


def call(operation: str, **params: Any) -> Call:
    return Call("1", operation, params, Caller("KEY", "000000000001", "owner"), "us-east-1", "digest")


class Counting:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self, _: Unit) -> Mapping[str, Any]:
        self.times += 1
        return {"Times": self.times}


def test_a_token_makes_a_write_happen_once(engine: Engine) -> None:
    act = Counting()
    asked = call("CreateUser", UserId="a", ClientRequestToken="once")
    assert [once(asked, engine, act) for _ in range(3)] == [{"Times": 1}] * 3
    assert once(call("DeleteUser", UserId="a", ClientRequestToken="once"), engine, act) == {"Times": 2}


def test_without_a_token_it_happens_each_time(engine: Engine) -> None:
    act = Counting()
    assert [once(call("CreateUser", UserId="a"), engine, act)["Times"] for _ in range(2)] == [1, 2]


def test_a_token_with_other_parameters_is_refused(engine: Engine) -> None:
    once(call("CreateUser", UserId="a", ClientRequestToken="taken"), engine, Counting())
    with pytest.raises(IdempotentParameterMismatchException):
        once(call("CreateUser", UserId="b", ClientRequestToken="taken"), engine, Counting())


def test_a_write_that_failed_may_be_tried_again_with_its_token(engine: Engine) -> None:
    def fail(_: Unit) -> Mapping[str, Any]:
        raise ConflictException

    asked = call("CreateUser", UserId="a", ClientRequestToken="retry")
    with pytest.raises(ConflictException):
        once(asked, engine, fail)
    assert once(asked, engine, Counting()) == {"Times": 1}
