# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from overt.engine import Engine
from overt.errors import ResourceNotFoundException, ValidationException
from overt.types import Call
from overt.wire import local


def test_a_call_made_here_is_validated_recorded_and_answered_like_any_other(engine: Engine) -> None:
    made = local.call(engine, "CreateCollection", CollectionId="made-here")
    assert made["StatusCode"] == 200
    with engine.stores.read() as unit:
        event = unit.records.tail(1)[0]
    assert (event.operation, event.key_id, event.outcome) == ("CreateCollection", "local", "ok")
    shown = local.call(engine, "DescribeCollection", CollectionId="made-here")
    assert isinstance(shown["CreationTimestamp"], float)
    local.call(engine, "DeleteCollection", CollectionId="made-here")


def test_what_parameters_cannot_say_is_done_in_place_of_the_operation(engine: Engine) -> None:
    asked = []

    def act(call: Call, _engine: Engine) -> Mapping[str, Any]:
        asked.append(call["CollectionId"])
        return {"StatusCode": 7}

    assert local.call(engine, "DeleteCollection", act=act, CollectionId="kept") == {"StatusCode": 7}
    assert asked == ["kept"]
    with engine.stores.read() as unit:
        assert unit.records.tail(1)[0].operation == "DeleteCollection"
    with pytest.raises(ValidationException):
        local.call(engine, "DeleteCollection", act=act, CollectionId="not a name")
    assert asked == ["kept"]


def test_its_errors_are_the_contract_s(engine: Engine) -> None:
    with pytest.raises(ValidationException):
        local.call(engine, "CreateCollection", CollectionId="not a name")
    with pytest.raises(ResourceNotFoundException):
        local.call(engine, "DescribeCollection", CollectionId="nowhere")


def test_pictures_are_given_as_bytes_and_equal_calls_have_equal_digests(engine: Engine) -> None:
    digests = []
    for picture in (b"one", b"one", b"two"):
        with pytest.raises(Exception, match="invalid image format"):
            local.call(engine, "DetectFaces", Image={"Bytes": picture})
        with engine.stores.read() as unit:
            digests.append(unit.records.tail(1)[0].digest)
    assert digests[0] == digests[1] != digests[2]
