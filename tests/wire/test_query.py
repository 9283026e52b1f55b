# SPDX-License-Identifier: Apache-2.0
"""STS as boto3 speaks it, and what a form can be that boto3 would not send."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.parsers import create_parser
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_calls import Caller, rows

from overt.errors import (
    AccessDeniedException,
    SerializationException,
    ThrottlingException,
    UnknownOperationException,
    ValidationException,
    WireError,
)
from overt.wire import query, services, shapes
from overt.wire.http import Request
from overt.wire.query import FORM, Query

VERSION = "2011-06-15"
ASSUME: OperationModel = services.sts().operations["AssumeRole"]
ROLE_ARN = "arn:aws:iam::000000000001:role/searcher"


def form(**fields: str) -> Request:
    return Request("POST", "/", "", {"content-type": FORM}, urlencode(fields).encode())


def asked(**fields: str) -> Any:
    return Query().body(ASSUME, form(**{"Action": "AssumeRole", "Version": VERSION} | fields))


@pytest.fixture(scope="module")
def searcher(server: Any) -> Iterator[str]:
    """A role's ARN."""
    ours = server.client_of("overt")
    made = ours.create_role(RoleName="query-searcher", Kind="operator", RequiredTags=["case"])["Role"]
    yield made["Arn"]
    ours.delete_role(RoleName="query-searcher")


def test_boto3_reads_who_it_is(server: Any) -> None:
    told = server.client_of("sts").get_caller_identity()
    assert (told["Account"], told["UserId"]) == ("000000000001", server.key_id)
    assert told["Arn"] == f"arn:aws:iam::000000000001:user/{server.key_id}"
    (row,) = rows(server.home, told["ResponseMetadata"]["RequestId"])
    assert (row["operation"], row["outcome"], row["key_id"]) == ("GetCallerIdentity", "ok", server.key_id)


def test_boto3_reads_a_temporary_key_and_its_end(server: Any, searcher: str) -> None:
    answer = server.client_of("sts").assume_role(
        RoleArn=searcher,
        RoleSessionName="badge-17",
        SourceIdentity="17",
        DurationSeconds=900,
        Tags=[{"Key": "case", "Value": "2026/17 é"}],
    )
    left = answer["Credentials"]["Expiration"] - dt.datetime.now(dt.UTC)
    assert dt.timedelta(seconds=890) < left <= dt.timedelta(seconds=900)
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == "query-searcher:badge-17"
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/query-searcher/badge-17")
    assert answer["SourceIdentity"] == "17"


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({}, "AccessDenied", "needs the tag case"),
        ({"RoleArn": ROLE_ARN}, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource"),
        ({"RoleArn": "arn:aws:iam::000000000002:role/searcher"}, "AccessDenied", "is not authorized"),
        ({"RoleSessionName": "no blanks"}, "ValidationError", "roleSessionName"),
        ({"SourceIdentity": "x"}, "ValidationError", "sourceIdentity"),
        ({"Policy": "{}"}, "ValidationError", "Policy of AssumeRole is not offered"),
        ({"ExternalId": "abc"}, "ValidationError", "ExternalId of AssumeRole is not offered"),
        ({"DurationSeconds": 43200, "Tags": [{"Key": "case", "Value": "1"}]}, "ValidationError", "MaxSessionDuration"),
        ({"Tags": [{"Key": "case", "Value": "no;semicolons"}]}, "ValidationError", "tags.1.member.value"),
        ({"Tags": [{"Key": str(each), "Value": ""} for each in range(51)]}, "ValidationError", "less than or equal to"),
    ],
)
def test_boto3_reads_why_not_and_a_row_is_left(
    server: Any, searcher: str, params: dict[str, Any], code: str, words: str
) -> None:
    unchecked = server.client_of("sts", Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    with pytest.raises(ClientError) as refused:
        unchecked.assume_role(**({"RoleArn": searcher, "RoleSessionName": "me"} | params))
    answer = refused.value.response
    assert (answer["Error"]["Code"], words in answer["Error"]["Message"]) == (code, True), answer
    (row,) = rows(server.home, answer["ResponseMetadata"]["RequestId"])
    assert row["operation"] == "AssumeRole"
    assert query.CODES[row["outcome"]][0] == code


@pytest.mark.parametrize("seconds", [899, 43201])
def test_a_duration_out_of_the_model_s_range_is_refused(server: Any, searcher: str, seconds: int) -> None:
    unchecked = server.client_of("sts", Config(parameter_validation=False))
    with pytest.raises(ClientError, match="durationSeconds"):
        unchecked.assume_role(RoleArn=searcher, RoleSessionName="me", DurationSeconds=seconds)


def test_other_actions_of_sts_are_refused_in_words(server: Any) -> None:
    with pytest.raises(ClientError, match="GetSessionToken is not offered") as refused:
        server.client_of("sts").get_session_token()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_signature_for_another_service_does_not_open_this_door(server: Any, caller: Caller) -> None:
    body = urlencode({"Action": "GetCallerIdentity", "Version": VERSION}).encode()
    answer = caller.send(body=body, headers={"Content-Type": FORM})
    assert answer.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.body
    good = caller.send(body=body, headers={"Content-Type": FORM}, service="sts")
    assert (good.status, good.headers["content-type"]) == (200, "text/xml")


def test_an_sts_signature_opens_no_other_door(server: Any, caller: Caller) -> None:
    answer = caller.call("ListCollections", service="sts")
    assert answer.code == "InvalidSignatureException"


def test_the_door_is_chosen_by_content_type_and_never_over_a_target() -> None:
    assert query.is_meant({"content-type": "application/x-www-form-urlencoded; charset=utf-8"})
    assert not query.is_meant({"content-type": FORM, "x-amz-target": "RekognitionService.ListCollections"})
    assert not query.is_meant({"content-type": "application/x-amz-json-1.1"})
    assert not query.is_meant({})


def test_the_action_names_the_operation_and_the_version_must_be_sts_s() -> None:
    assert Query().identify(form(Action="AssumeRole", Version=VERSION)) == (services.sts(), "AssumeRole")
    for fields in ({}, {"Action": "AssumeRole"}, {"Action": "ListRoles", "Version": VERSION}):
        with pytest.raises(UnknownOperationException):
            Query().identify(form(**fields))


def test_a_form_becomes_the_operation_s_parameters() -> None:
    fields = {"Tags.member.2.Key": "b", "Tags.member.2.Value": "", "Tags.member.1.Key": "a", "Tags.member.1.Value": "1"}
    values = asked(RoleArn=ROLE_ARN, RoleSessionName="me", DurationSeconds="900", TransitiveTagKeys="", **fields)
    assert values == {
        "RoleArn": ROLE_ARN,
        "RoleSessionName": "me",
        "DurationSeconds": 900,
        "TransitiveTagKeys": [],
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
    }
    assert shapes.parse(ASSUME.input_shape, values) == values


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"Tags.member.1.Kye": "case"}, ValidationException),
        ({"Purpose": "x"}, ValidationException),
        ({"Tags.member.2.Key": "a"}, SerializationException),
        ({"Tags.member.x.Key": "a"}, SerializationException),
        ({"Tags.member.\u0661.Key": "a"}, SerializationException),
        ({"Tags": "a"}, SerializationException),
        ({"RoleArn.member.1": "a"}, SerializationException),
    ],
)
def test_a_field_that_is_not_the_operation_s_is_refused(fields: dict[str, str], error: type[WireError]) -> None:
    with pytest.raises(error):
        asked(**fields)


@pytest.mark.parametrize("body", [b"Action=a&Action=b", b"{}", b"\xff", b"Action=%ff", b"a=1&" * 1001, b"&&"])
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(SerializationException):
        Query().identify(Request("POST", "/", "", {"content-type": FORM}, body))


def test_texts_that_xml_cannot_hold_are_told_all_the_same() -> None:
    error = AccessDeniedException("a <tag> & a \x00 zero ]]>", detail="why\n")
    response = Query().refuse(error, {"x-amzn-requestid": "42"})
    parsed = create_parser("query").parse(
        {"headers": response.headers, "status_code": response.status, "body": response.body}, ASSUME.output_shape
    )
    assert parsed["Error"]["Message"] == "a <tag> & a ? zero ]]>"
    assert parsed["ResponseMetadata"]["RequestId"] == "42"
    assert (response.status, response.headers["x-overt-detail"]) == (403, "why?")


def test_throttling_has_the_code_that_boto3_tries_again_on() -> None:
    assert b"<Code>Throttling</Code>" in Query().refuse(ThrottlingException(), {}).body


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(
    st.dictionaries(
        st.sampled_from(["Tags.member.1.Key", "Tags.member.1", "RoleArn", "Policy", "x"]) | st.text(),
        st.text(),
        max_size=5,
    )
)
def test_any_form_is_read_or_refused(fields: dict[str, str]) -> None:
    with contextlib.suppress(WireError):
        shapes.parse(ASSUME.input_shape, asked(**fields))
