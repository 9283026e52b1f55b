# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from overt.errors import InvalidParameterException, SerializationException, UnknownOperationException
from overt.wire.awsjson import AwsJson, decode
from overt.wire.http import Request
from overt.wire.services import overt, rekognition


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hello",
        b"\xff\xfe{}",
        b'{"MaxResults": NaN}',
        b'{"MaxResults": Infinity}',
        b'{"MaxResults": 1, "MaxResults": 2}',
        b'{"Image": {"Bytes": "aa==", "Bytes": "bb=="}}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"MaxResults": ' + b"9" * 10_000 + b"}",
        b"{} {}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_strict_json_is_a_serialization_error_with_its_cause(body: bytes) -> None:
    with pytest.raises(SerializationException) as refused:
        decode(body)
    assert refused.value.detail


def test_the_target_names_the_operation() -> None:
    request = Request("POST", "/", headers={"x-amz-target": "RekognitionService.DetectFaces"})
    assert AwsJson().identify(request) == (rekognition(), "DetectFaces")
    ours = Request("POST", "/", headers={"x-amz-target": "OvertService.ListRoles"})
    assert AwsJson().identify(ours) == (overt(), "ListRoles")


@pytest.mark.parametrize(
    "target",
    [
        *("", "RekognitionService", "RekognitionService.FindWaldo", "DynamoDB_20120810.DetectFaces", "DetectFaces"),
        *("OvertService.DetectFaces", "RekognitionService.ListRoles", ".AssumeRole", ".GetCallerIdentity"),
    ],
)
def test_another_target_is_an_unknown_operation(target: str) -> None:
    with pytest.raises(UnknownOperationException):
        AwsJson().identify(Request("POST", "/", headers={"x-amz-target": target}))


def test_an_error_has_the_form_that_sdks_read_and_its_cause_in_a_header() -> None:
    error = InvalidParameterException(detail="bad\r\nthing: é")
    response = AwsJson().refuse(error, {"x-amzn-requestid": "42"})
    assert response.status == 400
    assert json.loads(response.body) == {
        "__type": "InvalidParameterException",
        "Code": "InvalidParameterException",
        "Message": "Request has invalid parameters",
        "Logref": "42",
    }
    assert response.headers["x-overt-detail"] == "bad??thing: ?"
    assert response.headers["content-type"] == "application/x-amz-json-1.1"
