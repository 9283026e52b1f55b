# SPDX-License-Identifier: Apache-2.0
"""The steps as a whole, over a real engine, with doors that are Python objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

from overt.engine import Engine
from overt.errors import InternalServerError, MissingAuthenticationTokenException
from overt.ops import registry
from overt.stores.base import MissingShardsError
from overt.types import Caller, Event
from overt.wire import chain
from overt.wire.awsjson import AwsJson
from overt.wire.http import Request, Response


class Trusting(AwsJson):
    """The SDKs' door without the signature."""

    def __init__(self, role: str = "owner") -> None:
        self.role = role

    def authenticate(self, *_: Any) -> tuple[Caller, str]:
        return Caller("KEY", "000000000001", self.role), "us-east-1"


def request(operation: str, body: bytes = b"{}", *, oversized: bool = False) -> Request:
    return Request("POST", "/", "", {"x-amz-target": f"RekognitionService.{operation}"}, body, oversized=oversized)


def follow(engine: Engine, door: AwsJson, asked: Request, *, crowded: bool = False) -> tuple[Response, dict[str, Any]]:
    response = chain.follow(door, asked, engine, crowded=crowded)
    return response, json.loads(response.body)


def last_event(engine: Engine) -> Event:
    with engine.stores.read() as unit:
        return unit.records.tail(1)[0]


def count(engine: Engine) -> int:
    with engine.stores.read() as unit:
        return unit.records.count()


def test_the_chain_can_be_read() -> None:
    names = [step.__name__ for step in chain.CHAIN]
    assert names == ["identify", "authenticate", "parse", "gate_before", "run", "gate_after", "record", "render"]


def test_a_call_is_answered_with_its_id_and_leaves_a_row_of_the_same_id(engine: Engine) -> None:
    response, body = follow(engine, Trusting(), request("ListCollections"))
    assert response.status == 200
    assert body == {"CollectionIds": [], "FaceModelVersions": []}
    event = last_event(engine)
    assert event.call_id == response.headers["x-amzn-requestid"]
    assert (event.operation, event.key_id, event.verdict, event.outcome) == ("ListCollections", "KEY", "allow", "ok")
    assert event.milliseconds > 0


@pytest.mark.parametrize(
    ("door", "asked", "code", "operation", "verdict"),
    [
        (Trusting(), request("FindWaldo"), "UnknownOperationException", "", "none"),
        (AwsJson(), request("ListCollections"), "MissingAuthenticationTokenException", "ListCollections", "none"),
        (Trusting(), request("ListCollections", b"{"), "SerializationException", "ListCollections", "none"),
        (Trusting(), request("CreateCollection"), "ValidationException", "CreateCollection", "none"),
        (Trusting("auditor"), request("ListCollections"), "AccessDeniedException", "ListCollections", "deny"),
        (Trusting(), request("DescribeProjects"), "AccessDeniedException", "DescribeProjects", "allow"),
        (Trusting(), request("DetectFaces", oversized=True), "ImageTooLargeException", "DetectFaces", "none"),
    ],
)
def test_a_refused_call_leaves_exactly_one_row_too(
    engine: Engine, door: AwsJson, asked: Request, code: str, operation: str, verdict: str
) -> None:
    before = count(engine)
    response, body = follow(engine, door, asked)
    assert (response.status, body["__type"]) == (400, code)
    assert count(engine) == before + 1
    event = last_event(engine)
    assert (event.operation, event.outcome, event.verdict) == (operation, code, verdict)


def test_a_crowded_server_says_so_and_records_it(engine: Engine) -> None:
    _, body = follow(engine, Trusting(), request("ListCollections"), crowded=True)
    assert body["__type"] == "ThrottlingException"
    assert last_event(engine).outcome == "ThrottlingException"


def test_a_bug_is_a_500_that_tells_nothing_of_its_inside(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Mapping[str, Any]:
        message = "the secret inner text"
        raise RuntimeError(message)

    monkeypatch.setattr(registry, "find", lambda *_: broken)
    response, body = follow(engine, Trusting(), request("ListCollections"))
    assert (response.status, body["__type"]) == (500, "InternalServerError")
    assert "secret inner text" not in f"{response.headers}{body}"
    assert last_event(engine).outcome == "InternalServerError"


def test_missing_shards_are_a_500_in_words(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(*_: Any) -> dict[str, Any]:
        raise MissingShardsError("1 of 3 search shards did not answer")

    monkeypatch.setattr(registry, "find", lambda *_: miss)
    response, body = follow(engine, Trusting(), request("ListCollections"))
    assert (response.status, body["__type"]) == (500, "InternalServerError")
    assert response.headers["x-overt-detail"] == "1 of 3 search shards did not answer"
    assert last_event(engine).outcome == "InternalServerError"


def test_a_call_whose_worker_was_lost_is_proved_and_recorded_but_not_done(engine: Engine) -> None:
    def refuse(*_: Any) -> NoReturn:
        raise InternalServerError(detail="the replica was lost")

    asked = request("CreateCollection", b'{"CollectionId": "not-made"}')
    response = chain.follow(Trusting(), asked, engine, act=refuse)
    assert response.status == 500
    assert response.headers["x-overt-detail"] == "the replica was lost"
    assert last_event(engine).outcome == "InternalServerError"
    assert "not-made" not in follow(engine, Trusting(), request("ListCollections"))[1]["CollectionIds"]
    assert chain.follow(AwsJson(), asked, engine, act=refuse).status == 400  # nobody may know


def test_an_answer_that_does_not_fit_its_shape_is_a_500(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find", lambda *_: lambda *_: {"Nonsense": 1})
    response, body = follow(engine, Trusting(), request("ListCollections"))
    assert (response.status, body["__type"]) == (500, "InternalServerError")


def test_no_answer_leaves_when_its_row_cannot_be_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(chain.audit, "record", full_disk)
    response, body = follow(engine, Trusting(), request("ListCollections"))
    assert (response.status, body["__type"]) == (500, "InternalServerError")


def test_equal_requests_have_equal_digests_that_tell_nothing(engine: Engine) -> None:
    def digest(asked: Request) -> str:
        follow(engine, Trusting(), asked)
        return last_event(engine).digest

    first, again = digest(request("ListCollections")), digest(request("ListCollections"))
    other, elsewhere = digest(request("ListCollections", b'{"MaxResults":1}')), digest(request("ListProjects"))
    assert first == again
    assert len({first, other, elsewhere}) == 3
    assert request("ListCollections").body_sha256 not in first


def test_doors_are_interchangeable(engine: Engine) -> None:
    class Refusing(Trusting):
        def authenticate(self, *_: Any) -> tuple[Caller, str]:
            raise MissingAuthenticationTokenException

    _, body = follow(engine, Refusing(), request("ListCollections"))
    assert body["__type"] == "MissingAuthenticationTokenException"
