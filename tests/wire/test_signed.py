# SPDX-License-Identifier: Apache-2.0
"""Who a signed request comes from and what for: nothing that its signature does not cover counts."""

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
from hypothesis import given, settings
from hypothesis import strategies as st

from overt.errors import (
    AccessDeniedException,
    InvalidParameterException,
    InvalidSignatureException,
    UnrecognizedClientException,
    WireError,
)
from overt.stores.base import AccessKey, NotFoundError
from overt.types import Assumed, Caller, Intent
from overt.wire import services, signed
from overt.wire.http import Request
from overt.wire.services import Service

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "the-session-token"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
ASSUMED = Assumed("searcher", "me", "OVRT1", "badge-17", {"case": "7"})
KEY = AccessKey(
    id="OVTSEXAMPLE",
    account="000000000001",
    role="operator",
    secret=SECRET,
    created=NOW,
    expires=NOW + dt.timedelta(hours=1),
    token_digest=hashlib.sha256(TOKEN.encode()).hexdigest(),
    assumed=ASSUMED,
)


def make(headers: dict[str, str] | None = None, *, service: str = "rekognition", token: str | None = TOKEN) -> Request:
    given = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "RekognitionService.SearchFaces",
        "User-Agent": "Boto3/1 x-overt-case/99",
        **(headers or {}),
    }
    aws = AWSRequest("POST", "http://127.0.0.1:8750/", data=b'{"CollectionId":"people"}', headers=given)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW):
        SigV4Auth(Credentials(KEY.id, SECRET, token), service, "us-east-1").add_auth(aws)
    lower = {name.lower(): value for name, value in aws.headers.items()}
    return Request("POST", "/", "", {"host": "127.0.0.1:8750", **lower}, b'{"CollectionId":"people"}')


def finder(key: AccessKey) -> Callable[[str], AccessKey]:
    def find(key_id: str) -> AccessKey:
        if key_id != key.id:
            raise NotFoundError
        return key

    return find


def caller(request: Request, key: AccessKey = KEY, now: dt.datetime = NOW, service: Service | None = None) -> Caller:
    return signed.caller(request, service or services.rekognition(), finder(key), now)[0]


def with_header(request: Request, name: str, value: str) -> Request:
    return dataclasses.replace(request, headers={**request.headers, name: value})


def test_a_caller_has_its_session_s_intent() -> None:
    assert caller(make()) == Caller("OVTSEXAMPLE", "000000000001", "operator", Intent(operator="badge-17", case="7"))


def test_signed_headers_add_to_it_and_the_user_agent_never_does() -> None:
    intent = caller(make({"X-Overt-Purpose": "theft", "x-overt-probe-kind": "photo"})).intent
    assert intent == Intent(operator="badge-17", case="7", purpose="theft", probe_kind="photo")


def test_an_unsigned_header_is_refused_by_name_whatever_it_says() -> None:
    for name, value in (("x-overt-purpose", "theft"), ("x-overt-case", "7"), ("x-overt-nonsense", "1")):
        with pytest.raises(InvalidSignatureException, match=name):
            caller(with_header(make(), name, value))


def test_a_second_header_of_a_name_is_refused() -> None:
    once = make({"x-overt-case": "7"})
    with pytest.raises(InvalidSignatureException):
        caller(with_header(once, "x-overt-case", "7,8"))  # as the listener joins them
    with pytest.raises((AccessDeniedException, InvalidParameterException), match="x-overt-purpose"):
        caller(make({"x-overt-purpose": "theft,spying"}))


def test_blanks_that_a_signature_does_not_see_make_no_other_value() -> None:
    request = make({"x-overt-purpose": "car theft"})
    assert caller(with_header(request, "x-overt-purpose", "  car   theft ")).intent.purpose == "car theft"
    for blank in ("\u00a0", "\t", "\u0085", "\x1f"):
        with pytest.raises(InvalidSignatureException):
            caller(with_header(request, "x-overt-purpose", f"car{blank}theft"))


def test_a_session_ends_on_time() -> None:
    assert caller(make(), dataclasses.replace(KEY, expires=NOW + dt.timedelta(seconds=1)))
    for ended in (NOW, NOW - dt.timedelta(seconds=1)):
        with pytest.raises(UnrecognizedClientException):
            caller(make(), dataclasses.replace(KEY, expires=ended))


def test_a_token_must_be_there_and_right() -> None:
    for token in (None, "another", TOKEN + "x"):
        with pytest.raises(UnrecognizedClientException):
            caller(make(token=token))


def test_a_signature_is_for_one_service() -> None:
    for made in (services.rekognition(), services.overt(), services.sts()):
        for asked in (services.rekognition(), services.overt(), services.sts()):
            request = make(service=made.signing_name)
            if made is asked:
                assert caller(request, service=asked)
            else:
                with pytest.raises(InvalidSignatureException, match="signature"):
                    caller(request, service=asked)


SIGNED = make({"x-overt-purpose": "car theft", "x-overt-legal-basis": "PACE s.1"})
PARTS = ["body", "path", *SIGNED.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")]


@settings(max_examples=2000, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(PARTS), st.integers(0, 1000), st.integers(1, 255))
def test_any_byte_changed_in_a_signed_part_is_found(part: str, at: int, flip: int) -> None:
    if part == "body":
        spoilt = bytearray(SIGNED.body)
        spoilt[at % len(spoilt)] ^= flip
        request = dataclasses.replace(SIGNED, body=bytes(spoilt))
    else:
        text = bytearray((SIGNED.path if part == "path" else SIGNED.headers[part]).encode("latin-1"))
        text[at % len(text)] ^= flip
        changed = text.decode("latin-1")
        request = dataclasses.replace(SIGNED, path=changed) if part == "path" else with_header(SIGNED, part, changed)
    with pytest.raises(WireError):
        caller(request)


@settings(max_examples=1000, derandomize=True, deadline=None, database=None)
@given(st.integers(0, 1000), st.integers(1, 255))
def test_any_byte_changed_in_the_scope_the_list_of_headers_or_the_signature_is_found(at: int, flip: int) -> None:
    header = bytearray(SIGNED.headers["authorization"].encode())
    offset = header.index(b"Credential=") + len(b"Credential=")
    place = offset + at % (len(header) - offset)
    if header[place : place + 2] == b", " or header[place - 1 : place + 1] == b", ":
        return  # what parts the three: a comma, a blank, or both will do
    header[place] ^= flip
    with pytest.raises(WireError):
        caller(with_header(SIGNED, "authorization", header.decode("latin-1")))
