# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from overt.errors import UnknownOperationException
from overt.wire.http import Request
from overt.wire.rest import Rest
from overt.wire.services import overt, rekognition


def test_the_path_names_the_operation() -> None:
    assert Rest().identify(Request("POST", "/v1/DetectFaces")) == (rekognition(), "DetectFaces")
    assert Rest().identify(Request("POST", "/v1/overt/ListRoles")) == (overt(), "ListRoles")


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/", "/v1/detectfaces", "/v1/DetectFaces/", "/v2/DetectFaces", "/DetectFaces/.."),
        *("/v1/ListRoles", "/v1/overt/DetectFaces", "/v1/overt/", "/v1/sts/AssumeRole", "/v1/overt/x/ListRoles"),
    ],
)
def test_another_path_is_an_unknown_operation(path: str) -> None:
    with pytest.raises(UnknownOperationException):
        Rest().identify(Request("POST", path))
