# SPDX-License-Identifier: Apache-2.0
"""Signatures made by botocore itself, and every way to spoil one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from overt.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
    WireError,
)
from overt.stores.base import AccessKey, NotFoundError
from overt.wire import sigv4
from overt.wire.http import Request

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
KEY = AccessKey(id="OVRTEXAMPLE", account="000000000001", role="owner", secret=SECRET, created=NOW)
TARGET = "RekognitionService.ListCollections"


def signed(
    *,
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    path: str = "/",
    query: str = "",
    token: str | None = None,
    region: str = "eu-west-1",
    service: str = "rekognition",
) -> Request:
    """A request as boto3 sends it."""
    url = f"http://127.0.0.1:8750{path}" + (f"?{query}" if query else "")
    given = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET, **(headers or {})}
    aws = AWSRequest("POST", url, data=body, headers=given)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        SigV4Auth(Credentials(KEY.id, SECRET, token), service, region).add_auth(aws)
    lower = {name.lower(): value for name, value in aws.headers.items()}
    return Request("POST", path, query, {"host": "127.0.0.1:8750", **lower}, body)


def finder(key: AccessKey = KEY) -> Callable[[str], AccessKey]:
    def find(key_id: str) -> AccessKey:
        if key_id != key.id:
            raise NotFoundError
        return key

    return find


def verify(request: Request, key: AccessKey = KEY, now: dt.datetime = NOW) -> tuple[AccessKey, str]:
    return sigv4.verify(request, "rekognition", finder(key), now)


def with_header(request: Request, name: str, value: str | None) -> Request:
    headers = {key: text for key, text in request.headers.items() if key != name}
    if value is not None:
        headers[name] = value
    return dataclasses.replace(request, headers=headers)


def authorization(request: Request, old: str, new: str) -> Request:
    header = request.headers["authorization"]
    assert old in header
    return with_header(request, "authorization", header.replace(old, new))


def test_a_request_signed_by_botocore_is_accepted() -> None:
    assert verify(signed()) == (KEY, "eu-west-1")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-content-sha256": hashlib.sha256(b"{}").hexdigest()},
        {"amz-sdk-invocation-id": "0123", "amz-sdk-request": "attempt=1; max=3"},
        {"x-overt-case": "2026-17", "x-two": "a   b  c"},
    ],
)
def test_any_set_of_signed_headers_will_do(headers: dict[str, str]) -> None:
    request = signed(headers=headers)
    assert next(iter(headers)) in request.headers["authorization"]
    verify(request)


@pytest.mark.parametrize(("path", "query"), [("/v1/ListCollections", ""), ("/", "b=2&a=1&a=0"), ("/a%20b", "x=%2F")])
def test_path_and_query_are_part_of_the_signature(path: str, query: str) -> None:
    request = signed(path=path, query=query)
    verify(request)
    with pytest.raises(InvalidSignatureException):
        verify(dataclasses.replace(request, path=f"{path}x"))
    with pytest.raises(InvalidSignatureException):
        verify(dataclasses.replace(request, query=f"{query}&y=1"))


def test_parts_may_be_parted_by_commas_without_spaces() -> None:
    request = signed()
    verify(with_header(request, "authorization", request.headers["authorization"].replace(", ", ",")))


@pytest.mark.parametrize("part", ["body", "host", "x-amz-target", "secret"])
def test_whatever_was_signed_must_arrive_as_it_was(part: str) -> None:
    request, key = signed(), KEY
    if part == "body":
        request = dataclasses.replace(request, body=b'{"MaxResults":1}')
    elif part == "secret":
        key = dataclasses.replace(KEY, secret="another")
    else:
        request = with_header(request, part, "other")
    with pytest.raises(InvalidSignatureException):
        verify(request, key)


def test_a_hash_header_that_lies_about_the_body_is_found_out() -> None:
    request = signed(headers={"x-amz-content-sha256": hashlib.sha256(b"{}").hexdigest()})
    with pytest.raises(InvalidSignatureException):
        verify(dataclasses.replace(request, body=b"[]"))


def test_an_unsigned_payload_is_refused() -> None:
    request = signed(headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    with pytest.raises(InvalidSignatureException):
        verify(request)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_is_good_for_fifteen_minutes_either_way(minutes: int) -> None:
    request = signed()
    verify(request, now=NOW + dt.timedelta(minutes=14))
    verify(request, now=NOW - dt.timedelta(minutes=14))
    with pytest.raises(InvalidSignatureException, match=r"Signature (expired|not yet current): "):
        verify(request, now=NOW + dt.timedelta(minutes=minutes))


def test_an_unsigned_request_is_told_to_sign() -> None:
    with pytest.raises(MissingAuthenticationTokenException):
        verify(with_header(signed(), "authorization", None))


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", IncompleteSignatureException),
        ("Signature=", "Sig=", IncompleteSignatureException),
        ("/aws4_request", "/aws5_request", IncompleteSignatureException),
        ("/eu-west-1/", "/eu/west/1/", IncompleteSignatureException),
        ("/rekognition/", "/s3/", InvalidSignatureException),
        ("/eu-west-1/", "/eu-west-2/", InvalidSignatureException),
        (NOW.strftime("%Y%m%d"), "20000101", InvalidSignatureException),
        ("host;", "", IncompleteSignatureException),
        ("x-amz-date;", "", IncompleteSignatureException),
        (";x-amz-target", "", IncompleteSignatureException),
        ("content-type;", "content-type;host;", IncompleteSignatureException),
        ("content-type;", "absent;content-type;", IncompleteSignatureException),
        ("OVRTEXAMPLE", "OVRTOTHER", UnrecognizedClientException),
    ],
)
def test_a_spoilt_authorization_header_is_refused(old: str, new: str, error: type[WireError]) -> None:
    with pytest.raises(error) as refused:
        verify(authorization(signed(), old, new))
    assert refused.value.detail


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T00:00:00Z"])
def test_a_date_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(IncompleteSignatureException):
        verify(with_header(signed(), "x-amz-date", text))


def test_a_temporary_key_needs_its_token_signed_and_right() -> None:
    key = dataclasses.replace(
        KEY, expires=NOW + dt.timedelta(hours=1), token_digest=hashlib.sha256(b"the-token").hexdigest()
    )
    request = signed(token="the-token")
    verify(request, key)
    with pytest.raises(UnrecognizedClientException):
        verify(signed(), key)
    with pytest.raises(UnrecognizedClientException):
        verify(signed(token="another"), key)
    with pytest.raises(UnrecognizedClientException):
        verify(request, KEY)
    with pytest.raises(IncompleteSignatureException):
        verify(authorization(request, ";x-amz-security-token", ""), key)
    with pytest.raises(UnrecognizedClientException):
        verify(request, dataclasses.replace(key, expires=NOW))


def test_a_revoked_key_is_refused() -> None:
    with pytest.raises(UnrecognizedClientException):
        verify(signed(), dataclasses.replace(KEY, revoked=NOW))
