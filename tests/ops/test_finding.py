# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt

import pytest

from overt.engine import Engine
from overt.errors import InvalidParameterException, ResourceNotFoundException
from overt.ops import finding
from overt.types import Call, Caller


def call(collection: str, account: str = "000000000001") -> Call:
    return Call("1", "X", {"CollectionId": collection}, Caller("KEY", account, "owner"), "us-east-1", "digest")


def test_a_collection_of_another_account_is_not_there(engine: Engine) -> None:
    with engine.stores.write() as unit:
        unit.collections.create("000000000002", "theirs", engine.models.faces.model, dt.datetime.now(dt.UTC))
        assert finding.find_collection(unit, call("theirs", "000000000002")).id == "theirs"
        with pytest.raises(ResourceNotFoundException, match=r"^The collection id: theirs does not exist$"):
            finding.find_collection(unit, call("theirs"))


def test_a_collection_of_another_model_cannot_be_compared_with_new_pictures(engine: Engine) -> None:
    with engine.stores.write() as unit:
        unit.collections.create("000000000001", "old", "older-model-1", dt.datetime.now(dt.UTC))
        assert finding.find_collection(unit, call("old")).model == "older-model-1"
        with pytest.raises(InvalidParameterException) as refused:
            finding.find_gallery(unit, call("old"), engine)
    assert "older-model-1" in refused.value.detail
