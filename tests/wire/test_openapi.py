# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from openapi_spec_validator import validate

from overt.ops import registry
from overt.wire import openapi
from overt.wire.services import overt, rekognition


def test_the_document_is_valid_openapi() -> None:
    validate(openapi.document())


def test_it_has_every_operation_and_tells_which_are_offered() -> None:
    paths = openapi.document()["paths"]
    operations = {path.removeprefix("/v1/"): item["post"] for path, item in paths.items() if "post" in item}
    ours = {name.removeprefix("overt/") for name in operations if name.startswith("overt/")}
    assert ours == set(overt().operations) == set(registry.offered("overt"))
    assert len(operations) == 75 + len(ours)
    offered = {name for name, operation in operations.items() if operation["x-overt-offered"]}
    assert offered == set(registry.offered()) | {f"overt/{name}" for name in ours}


def test_shapes_of_our_service_do_not_stand_in_for_rekognition_s_of_the_same_name() -> None:
    schemas = openapi.document()["components"]["schemas"]
    assert set(rekognition().shapes) & set(overt().shapes)
    assert set(schemas) == {*rekognition().shapes, *(f"Overt{name}" for name in overt().shapes), "Error"}


def test_listening_is_in_it() -> None:
    listening = openapi.document()["paths"]["/v1/events"]["get"]
    assert list(listening["responses"]["200"]["content"]) == ["text/event-stream"]


def test_limits_and_choices_of_the_model_are_in_it() -> None:
    schemas = openapi.document()["components"]["schemas"]
    assert schemas["CollectionId"]["maxLength"] == 255
    assert schemas["Percent"] == {"type": "number", "minimum": 0, "maximum": 100}
    assert "HAPPY" in schemas["EmotionName"]["enum"]
    assert schemas["DetectFacesRequest"]["required"] == ["Image"]
