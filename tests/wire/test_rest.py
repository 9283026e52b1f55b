# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.errors import UnknownOperationException
from overt.wire.http import Request
from overt.wire.rest import Rest
from overt.wire.services import rekognition


def test_the_path_names_the_operation() -> None:
    assert Rest().identify(Request("POST", "/v1/DetectFaces"), rekognition()) == "DetectFaces"


@pytest.mark.parametrize("path", ["/v1/", "/v1/detectfaces", "/v1/DetectFaces/", "/v2/DetectFaces", "/DetectFaces/.."])
def test_another_path_is_an_unknown_operation(path: str) -> None:
    with pytest.raises(UnknownOperationException):
        Rest().identify(Request("POST", path), rekognition())
