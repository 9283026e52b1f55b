# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from wire_calls import FRONT_END

from overt import errors
from overt.errors import WireError
from overt.wire.services import rekognition


def test_every_error_is_one_of_the_model_s_or_of_aws_s_front_end() -> None:
    modelled = {name for name, shape in rekognition().shapes.items() if shape.metadata.get("exception")}
    ours = {name for name, item in vars(errors).items() if isinstance(item, type) and issubclass(item, WireError)}
    assert ours - {"WireError"} <= modelled | FRONT_END


def test_client_errors_are_400_and_our_own_fault_is_500() -> None:
    assert errors.ResourceNotFoundException().status == 400
    assert errors.ThrottlingException().status == 400
    assert errors.InternalServerError().status == 500


def test_an_error_has_its_class_s_text_unless_it_has_its_own() -> None:
    assert errors.InvalidImageFormatException().text == "Request has invalid image format"
    error = errors.ResourceNotFoundException("The collection id: x does not exist", detail="look again")
    assert (str(error), error.code, error.detail) == (error.text, "ResourceNotFoundException", "look again")
