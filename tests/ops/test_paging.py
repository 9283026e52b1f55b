# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from overt.engine import Engine
from overt.errors import InvalidPaginationTokenException
from overt.ops import paging
from overt.types import Call, Caller


def call(operation: str = "ListFaces", account: str = "000000000001", **params: Any) -> Call:
    return Call("1", operation, params, Caller("KEY", account, "owner"), "us-east-1", "digest")


def test_a_token_goes_on_where_the_page_ended(engine: Engine) -> None:
    token = paging.token(call(CollectionId="a", MaxResults=2), engine, 17)
    assert paging.after(call(CollectionId="a", MaxResults=5, NextToken=token), engine, 0) == 17
    assert paging.after(call(CollectionId="a"), engine, 0) == 0


@pytest.mark.parametrize(
    "other",
    [
        call(CollectionId="b"),
        call(CollectionId="a", UserId="u"),
        call("ListUsers", CollectionId="a"),
        call(account="000000000002", CollectionId="a"),
    ],
)
def test_a_token_belongs_to_one_list_of_one_account(engine: Engine, other: Call) -> None:
    token = paging.token(call(CollectionId="a"), engine, 17)
    asked = Call("2", other.operation, {**other.params, "NextToken": token}, other.caller, "us-east-1", "digest")
    with pytest.raises(InvalidPaginationTokenException):
        paging.after(asked, engine, 0)


def test_a_token_is_good_for_a_day(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    token = paging.token(call(CollectionId="a"), engine, 17)
    now = paging.time.time()
    monkeypatch.setattr(paging.time, "time", lambda: now + paging.LIFE - 10)
    assert paging.after(call(CollectionId="a", NextToken=token), engine, 0) == 17
    monkeypatch.setattr(paging.time, "time", lambda: now + paging.LIFE + 10)
    with pytest.raises(InvalidPaginationTokenException):
        paging.after(call(CollectionId="a", NextToken=token), engine, 0)


def test_a_changed_token_is_refused(engine: Engine) -> None:
    token = paging.token(call(CollectionId="a"), engine, 17)
    for changed in (token[1:], token[:-1], token.replace(".", ""), f"A{token}", token.upper()):
        with pytest.raises(InvalidPaginationTokenException):
            paging.after(call(CollectionId="a", NextToken=changed), engine, 0)
