# SPDX-License-Identifier: Apache-2.0
"""Everything that may be sent to a server by mistake or malice. Each is refused in time, in the words of the contract,
and the same server goes on working for all of them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from PIL import Image
from wire_calls import FRONT_END, Answer, Caller, base64_text, rows
from wire_pictures import (
    bomb,
    bomb_behind_a_small_header,
    bomb_in_a_comment,
    encoded,
    png,
    sixteen_bit,
    transparent,
    turned,
    with_text,
    wrong_checksum,
)
from wire_values import good

from overt import settings
from overt.govern import keys
from overt.ops import registry
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault

IN_TIME = 5.0  # seconds: a refusal takes far less than one; this bound finds a hang, also on a busy machine
MODEL = ServiceModel(Loader().load_service_model("rekognition", "service-2"), "rekognition")
NO_FACE = "There are no faces in the image. Should be at least 1."
OTHER_ACCOUNT = "000000000002"
BUCKET = "pictures"


# The server, and that it lives on


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Any]) -> Any:
    """One server for all of this file."""
    return start_server()


@pytest.fixture(autouse=True)
def lives_on(caller: Caller, jpeg: Callable[..., bytes]) -> Iterator[None]:
    """After every test the server still finds the face in a picture."""
    yield
    caller.close()
    assert len(boxes(detect(caller, jpeg()))) == 1


@pytest.fixture
def collection(caller: Caller, jpeg: Callable[..., bytes]) -> Iterator[dict[str, Any]]:
    """A collection with a face of a user: names by name of shape."""
    name = "hostile"
    made = done(caller, "CreateCollection", CollectionId=name)
    indexed = done(caller, "IndexFaces", CollectionId=name, Image={"Bytes": base64_text(jpeg())})
    face = indexed["FaceRecords"][0]["Face"]["FaceId"]
    done(caller, "CreateUser", CollectionId=name, UserId="ann")
    done(caller, "AssociateFaces", CollectionId=name, UserId="ann", FaceIds=[face])
    yield {"CollectionId": name, "FaceId": face, "UserId": "ann", "ResourceArn": made["CollectionArn"]}
    caller.call("DeleteCollection", {"CollectionId": name})


@pytest.fixture
def bucket(server: Any, jpeg: Callable[..., bytes]) -> Path:
    """A local bucket with one good picture."""
    folder = server.home / "buckets" / BUCKET
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "good.jpg").write_bytes(jpeg())
    return folder


def done(caller: Caller, operation: str, **value: Any) -> dict[str, Any]:
    answer = caller.call(operation, value)
    assert answer.status == 200, answer
    return answer.json


def detect(caller: Caller, raw: bytes) -> Answer:
    return caller.call("DetectFaces", {"Image": {"Bytes": base64_text(raw)}})


def detect_object(caller: Caller, bucket: str, name: str) -> Answer:
    return caller.call("DetectFaces", {"Image": {"S3Object": {"Bucket": bucket, "Name": name}}})


def boxes(answer: Answer) -> list[dict[str, float]]:
    assert answer.status == 200, answer
    return [face["BoundingBox"] for face in answer.json["FaceDetails"]]


def refused(answer: Answer, code: str, message: str | None = None) -> None:
    """An error of the contract, in time."""
    assert (answer.status, answer.code) == (400, code), answer
    assert message is None or answer.message == message, answer
    assert answer.seconds < IN_TIME, answer


def overt(server: Any, *arguments: str) -> Any:
    """The result of a command of the command line, over the running server's home folder."""
    command = [sys.executable, "-m", "overt", *arguments, "--home", str(server.home), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def new_caller(server: Any, caller_with: Callable[..., Caller]) -> Callable[..., Caller]:
    """Makes callers with a key that the command line makes, given its options."""

    def make(*options: str) -> Caller:
        made = overt(server, "keys", "create", *options)
        return caller_with(made["aws_access_key_id"], made["aws_secret_access_key"], made.get("aws_session_token"))

    return make


# Pictures


def test_an_empty_picture_is_refused(caller: Caller) -> None:
    refused(detect(caller, b""), "ValidationException")


NO_PICTURES: dict[str, Callable[[Image.Image], bytes]] = {
    "one byte": lambda _: b"\xff",
    "zeros": lambda _: bytes(10_000),
    "text named .jpg": lambda _: b"this is not a picture\n" * 50,
    "JPEG cut short": lambda picture: encoded(picture)[: len(encoded(picture)) // 2],
    "JPEG without its last bytes": lambda picture: encoded(picture)[:-20],
    "JPEG of only a header": lambda picture: encoded(picture)[:600],
    "PNG cut short": lambda picture: encoded(picture, "PNG")[:5000],
    "PNG of only a header": lambda picture: encoded(picture, "PNG")[:33],
    "PNG of a wrong checksum": lambda picture: wrong_checksum(encoded(picture, "PNG")),
    "GIF": lambda picture: encoded(picture, "GIF"),
    "BMP": lambda picture: encoded(picture, "BMP"),
    "TIFF": lambda picture: encoded(picture, "TIFF"),
    "WebP": lambda picture: encoded(picture, "WEBP"),
    "ICO": lambda picture: encoded(picture, "ICO"),
    "JPEG 2000": lambda picture: encoded(picture, "JPEG2000"),
    "PDF": lambda picture: encoded(picture, "PDF"),
    "SVG": lambda _: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"/>',
    "EPS": lambda picture: encoded(picture, "EPS"),
    "ZIP": lambda _: b"PK\x03\x04" + bytes(200),
    "HEIC": lambda _: b"\x00\x00\x00\x18ftypheic" + bytes(200),
    "PNG of zero width": lambda picture: encoded(picture, "PNG")[:16] + bytes(4) + encoded(picture, "PNG")[20:],
}


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_whole_jpeg_or_png_is_refused(
    name: str, caller: Caller, portrait: Callable[[str], Image.Image]
) -> None:
    refused(detect(caller, NO_PICTURES[name](portrait("obama.jpg"))), "InvalidImageFormatException")


@pytest.mark.parametrize("side", [10_001, 20_000, 60_000])
def test_a_bomb_is_refused_by_the_size_it_claims(side: int, caller: Caller) -> None:
    raw = bomb(20_000) if side == 20_000 else png(side, 96, bytes(100))
    refused(detect(caller, raw), "ImageTooLargeException", "Image size is too large.")


@pytest.mark.parametrize("make", [bomb_behind_a_small_header, bomb_in_a_comment])
def test_a_bomb_that_hides_its_size_does_no_harm(make: Callable[[], bytes], caller: Caller) -> None:
    answer = detect(caller, make())
    assert answer.code in ("ok", "InvalidImageFormatException"), answer
    assert answer.seconds < IN_TIME, answer


def test_the_largest_picture_taken_is_answered(caller: Caller) -> None:
    answer = detect(caller, bomb(10_000))
    assert boxes(answer) == []
    assert answer.seconds < 10


def test_a_picture_of_a_side_under_80_pixels_is_refused(caller: Caller, portrait: Callable[[str], Image.Image]) -> None:
    small = portrait("obama.jpg").resize((100, 79))
    refused(detect(caller, encoded(small)), "InvalidParameterException", "Request has invalid parameters")


def test_a_picture_of_over_five_megabytes_is_refused(caller: Caller, jpeg: Callable[..., bytes]) -> None:
    most = 5 * 1024 * 1024
    longest = jpeg() + bytes(most - len(jpeg()))  # what follows the end of a JPEG is no part of it
    assert len(boxes(detect(caller, longest))) == 1
    answer = detect(caller, longest + b"\0")
    refused(answer, "ValidationException")
    assert answer.message.endswith(
        "at 'image.bytes' failed to satisfy constraint: Member must have length less than or equal to 5242880"
    )


UNUSUAL: dict[str, Callable[[Image.Image], bytes]] = {
    "CMYK JPEG": lambda picture: encoded(picture.convert("CMYK"), quality=95),
    "grey JPEG": lambda picture: encoded(picture.convert("L"), quality=95),
    "progressive JPEG": lambda picture: encoded(picture, quality=95, progressive=True),
    "JPEG with text behind it": lambda picture: encoded(picture, quality=95) + b"<script>",
    "JPEG with a broken colour profile": lambda picture: encoded(picture, quality=95, icc_profile=b"nonsense"),
    "JPEG of a wrong EXIF block": lambda picture: encoded(picture, quality=95, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "16-bit PNG": sixteen_bit,
    "grey 16-bit PNG": lambda picture: encoded(picture.convert("L").convert("I;16").point(lambda v: v * 257), "PNG"),
    "PNG with alpha": transparent,
    "grey PNG with alpha": lambda picture: encoded(picture.convert("LA"), "PNG"),
    "PNG with a palette": lambda picture: encoded(picture.quantize(256), "PNG"),
    "animated PNG": lambda picture: encoded(picture, "PNG", save_all=True, append_images=[picture.rotate(90)]),
    "PNG with a comment": with_text,
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_pictures_are_seen_like_ordinary_ones(
    name: str, caller: Caller, portrait: Callable[[str], Image.Image]
) -> None:
    picture = portrait("obama.jpg")
    (usual,) = boxes(detect(caller, encoded(picture, "PNG")))
    (unusual,) = boxes(detect(caller, UNUSUAL[name](picture)))
    assert unusual == pytest.approx(usual, abs=0.03)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_of_a_camera_held_otherwise_gives_the_same_boxes(
    orientation: int, caller: Caller, portrait: Callable[[str], Image.Image]
) -> None:
    picture = portrait("obama.jpg").crop((0, 0, 152, 192))  # of whole JPEG blocks, which turn without loss
    (upright,) = boxes(detect(caller, encoded(picture, quality=100, subsampling=0)))
    (box,) = boxes(detect(caller, turned(picture, orientation)))
    assert box == pytest.approx(upright, abs=0.01)


def test_a_png_is_never_turned(caller: Caller, portrait: Callable[[str], Image.Image]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = portrait("obama.jpg")
    assert boxes(detect(caller, encoded(picture, "PNG", exif=exif))) == boxes(detect(caller, encoded(picture, "PNG")))


def test_a_picture_without_a_face_is_no_error_where_none_is_needed(
    caller: Caller, jpeg: Callable[..., bytes], collection: dict[str, Any]
) -> None:
    value = {"CollectionId": collection["CollectionId"], "Image": {"Bytes": base64_text(jpeg("coffee.png"))}}
    assert done(caller, "DetectFaces", Image=value["Image"])["FaceDetails"] == []
    indexed = done(caller, "IndexFaces", **value)
    assert (indexed["FaceRecords"], indexed["UnindexedFaces"]) == ([], [])
    found = done(caller, "SearchUsersByImage", **value)
    assert found["UserMatches"] == []
    assert "SearchedFace" not in found


def test_a_picture_without_a_face_is_an_error_where_one_is_needed(
    caller: Caller, jpeg: Callable[..., bytes], collection: dict[str, Any]
) -> None:
    none, one = ({"Bytes": base64_text(jpeg(name))} for name in ("coffee.png", "obama.jpg"))
    value = {"CollectionId": collection["CollectionId"], "Image": none}
    refused(caller.call("SearchFacesByImage", value), "InvalidParameterException", NO_FACE)
    for source, target in ((none, one), (one, none)):
        answer = caller.call("CompareFaces", {"SourceImage": source, "TargetImage": target})
        refused(answer, "InvalidParameterException")


@pytest.mark.parametrize(
    "text", ["!!!!", "QUJ", "QUJD\n", "QU JD", "QUJD=", "_-8=", "\u2603", "data:image/jpeg;base64,/9j/"]
)
def test_wrong_base64_is_refused(text: str, caller: Caller) -> None:
    refused(caller.call("DetectFaces", {"Image": {"Bytes": text}}), "SerializationException")


def test_a_picture_is_given_once(caller: Caller, jpeg: Callable[..., bytes], bucket: Path) -> None:
    both = {"Bytes": base64_text(jpeg()), "S3Object": {"Bucket": BUCKET, "Name": "good.jpg"}}
    refused(caller.call("DetectFaces", {"Image": both}), "InvalidParameterException")
    refused(caller.call("DetectFaces", {"Image": {}}), "InvalidParameterException")


# Objects in buckets


def test_a_picture_in_a_local_bucket_is_seen(caller: Caller, bucket: Path) -> None:
    assert len(boxes(detect_object(caller, BUCKET, "good.jpg"))) == 1


@pytest.mark.parametrize(
    "name",
    [
        "absent.jpg",
        "good.jpg/",
        "./good.jpg",
        "/good.jpg",
        "../../etc/passwd",
        "../../../../../../../../etc/passwd",
        "../overt.db",
        "../../credentials",
        f"../{BUCKET}/good.jpg",
        "folder/../good.jpg",
        "/etc/passwd",
        "..\\..\\etc\\passwd",
        "%2e%2e/%2e%2e/credentials",
        "good.jpg\0",
        "\0",
        "folder",
        "link.jpg",
        "linked/good.jpg",
        "pipe",
        "zero",
        "n" * 1024,
        "d/" * 511,
        "\u202egpj.doog",
    ],
)
def test_an_object_that_is_no_file_of_the_bucket_is_refused(name: str, caller: Caller, bucket: Path) -> None:
    outside = bucket.parent.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "good.jpg").write_bytes((bucket / "good.jpg").read_bytes())
    (bucket / "folder").mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (bucket / "link.jpg").symlink_to(outside / "good.jpg")
        (bucket / "linked").symlink_to(outside)
        (bucket / "zero").symlink_to("/dev/zero")
        os.mkfifo(bucket / "pipe")
    answer = detect_object(caller, BUCKET, name)
    refused(answer, "InvalidS3ObjectException")
    assert "metadata from S3" in answer.message
    assert str(outside.parent) not in repr(answer)


@pytest.mark.parametrize("name", ["no-such-bucket", "...", "..", "a..", "-.-"])
def test_a_bucket_that_is_not_there_is_refused(name: str, caller: Caller, bucket: Path) -> None:
    refused(
        detect_object(caller, name, "good.jpg"),
        "ValidationException" if len(name) < 3 else "InvalidS3ObjectException",
    )


def test_an_object_of_over_fifteen_megabytes_is_refused(caller: Caller, bucket: Path) -> None:
    good_bytes = (bucket / "good.jpg").read_bytes()
    (bucket / "long.jpg").write_bytes(good_bytes + bytes(15 * 2**20 - len(good_bytes)))
    assert len(boxes(detect_object(caller, BUCKET, "long.jpg"))) == 1
    with (bucket / "longer.jpg").open("wb") as file:
        file.truncate(15 * 2**20 + 1)
    with (bucket / "endless.jpg").open("wb") as file:
        file.truncate(2**40)
    for name in ("longer.jpg", "endless.jpg"):
        refused(detect_object(caller, BUCKET, name), "ImageTooLargeException")


@pytest.mark.parametrize("raw", [b"", b"root:x:0:0::/root:/bin/sh\n"])
def test_an_object_that_is_no_picture_is_refused_without_a_word_of_it(raw: bytes, caller: Caller, bucket: Path) -> None:
    (bucket / "text.jpg").write_bytes(raw)
    answer = detect_object(caller, BUCKET, "text.jpg")
    refused(answer, "InvalidImageFormatException")
    assert "root" not in repr(answer)


def test_a_version_of_a_local_object_is_refused(caller: Caller, bucket: Path) -> None:
    asked = {"S3Object": {"Bucket": BUCKET, "Name": "good.jpg", "Version": "1"}}
    refused(caller.call("DetectFaces", {"Image": asked}), "InvalidS3ObjectException")


# Values


@pytest.mark.parametrize(
    "name",
    [
        "",
        "n" * 256,
        "a b",
        "a/b",
        "../x",
        "a\n",
        "\n",
        "a\0",
        "\u2603",
        "\ud800",
        "'; drop table records; --",
        "a%00",
        "{}",
    ],
)
def test_a_collection_id_too_long_or_of_wrong_letters_is_refused(name: str, caller: Caller) -> None:
    answer = caller.call("CreateCollection", {"CollectionId": name})
    refused(answer, "SerializationException" if name == "\ud800" else "ValidationException")


def test_the_longest_names_are_taken(caller: Caller) -> None:
    name = "n" * 255
    done(caller, "CreateCollection", CollectionId=name)
    done(caller, "CreateUser", CollectionId=name, UserId=":" * 128)
    done(caller, "DeleteCollection", CollectionId=name)


@pytest.mark.parametrize(
    ("threshold", "code"),
    [
        ("-1", "ValidationException"),
        ("-0.0001", "ValidationException"),
        ("101", "ValidationException"),
        ("100.0001", "ValidationException"),
        ("1e308", "ValidationException"),
        ("NaN", "SerializationException"),
        ("Infinity", "SerializationException"),
        ("-Infinity", "SerializationException"),
        ("1e999", "SerializationException"),
        ("1" + "0" * 400, "SerializationException"),
        ("1" + "0" * 5000, "SerializationException"),
        ("1" + "0" * 10_000_000, "SerializationException"),
        ("01", "SerializationException"),
        ('"80"', "SerializationException"),
        ("true", "SerializationException"),
        ("[80]", "SerializationException"),
    ],
)
def test_a_threshold_that_is_no_number_of_0_to_100_is_refused(threshold: str, code: str, caller: Caller) -> None:
    for name in ("FaceMatchThreshold", "X"):
        face = '"CollectionId": "none", "FaceId": "11111111-2222-4333-8444-555555555555"'
        answer = caller.call("SearchFaces", body=f'{{{face}, "{name}": {threshold}}}'.encode())
        if name == "FaceMatchThreshold":
            refused(answer, code)
        assert answer.status == 400, answer
        assert answer.seconds < IN_TIME, answer


@pytest.mark.parametrize("threshold", ["0", "100", "-0", "-0.0", "1e-320"])
def test_the_outermost_thresholds_are_taken(threshold: str, caller: Caller, collection: dict[str, Any]) -> None:
    asked = json.dumps(collection | {"FaceMatchThreshold": "HERE"}).replace('"HERE"', threshold)
    answer = caller.call("SearchFaces", body=asked.encode())
    assert answer.status == 200, answer


DEEP = 100_000
BAD_JSON = {
    "a member twice": b'{"MaxResults": 1, "MaxResults": 2}',
    "an inner member twice": b'{"X": {"a": 1, "a": 1}}',
    "a member twice, once escaped": b'{"MaxResults": 1, "\\u004daxResults": 2}',
    "deep arrays": b'{"X": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b'{"X": ' * DEEP + b"1" + b"}" * DEEP,
    "arrays without end": b"[" * DEEP,
    "no UTF-8": b'{"X": "\xff"}',
    "UTF-16": "{}".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two values": b"{} {}",
    "a comment": b"{} // nothing",
    "single quotes": b"{'MaxResults': 1}",
    "a comma too many": b'{"MaxResults": 1,}',
    "a raw line break in text": b'{"X": "\n"}',
    "NUL": b"{}\0",
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_is_refused(name: str, caller: Caller) -> None:
    refused(caller.call("ListCollections", body=BAD_JSON[name]), "SerializationException")


LONG_VALUES: dict[str, tuple[str, dict[str, Any]]] = {
    "a million bad items": ("DeleteFaces", {"CollectionId": "c", "FaceIds": [""] * 1_000_000}),
    "half a million tags": ("CreateCollection", {"CollectionId": "c", "Tags": {f"{n}!": "!" for n in range(500_000)}}),
    "an id of 10 MB": ("DescribeCollection", {"CollectionId": "n" * 10_000_000}),
    "a token of 10 MB": ("ListCollections", {"NextToken": "A" * 10_000_000}),
    "a name of 10 MB that fits its pattern": (
        "DetectModerationLabels",
        {"Image": {}, "HumanLoopConfig": {"HumanLoopName": "a" * 10_000_000, "FlowDefinitionArn": "a"}},
    ),
    "an ARN that takes its pattern quadratic time": (
        "StartFaceDetection",
        {
            "Video": {},
            "NotificationChannel": {
                "SNSTopicArn": "arn:aws:sns:" + ":000000000001:" * 10_000 + "\n",
                "RoleArn": "arn:aws:iam::000000000001:role/r",
            },
        },
    ),
}


@pytest.mark.parametrize("name", LONG_VALUES)
def test_values_of_megabytes_are_refused_in_time_and_in_few_words(name: str, caller: Caller) -> None:
    operation, value = LONG_VALUES[name]
    answer = caller.call(operation, value)
    assert answer.code in ("ValidationException", "InvalidPaginationTokenException"), answer
    assert answer.seconds < IN_TIME, answer
    assert len(answer.body) < 64 * 1024, answer


# Who is asking


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "DetectFaces",
        "RekognitionService.",
        "RekognitionService.NoSuch",
        "RekognitionService.detectfaces",
        "RekognitionService.DetectFaces.DetectFaces",
        "DynamoDB_20120810.ListTables",
        "RekognitionService.__class__",
        "RekognitionService.../../x",
        "x" * 8000,
        "RekognitionService.D\xe9tectFaces",
    ],
)
def test_an_unknown_operation_is_refused(target: str | None, caller: Caller) -> None:
    headers = {} if target is None else {"X-Amz-Target": target}
    signed = caller.sign("/", b"{}", headers if target and target.isascii() else {})
    answer = caller.exchange("POST", "/", b"{}", signed | headers)
    refused(answer, "UnknownOperationException")


def test_a_call_without_a_signature_is_refused(caller: Caller) -> None:
    for headers in ({}, {"Authorization": ""}):
        answer = caller.exchange("POST", "/", b"{}", {"X-Amz-Target": "RekognitionService.ListCollections", **headers})
        refused(answer, "MissingAuthenticationTokenException", "Missing Authentication Token")


AUTHORIZATIONS = [
    "Basic b3duZXI6c2VjcmV0",
    "Bearer x",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 Credential=",
    "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=0",
    "AWS4-HMAC-SHA256 Credential=//////, SignedHeaders=;;;, Signature=",
    "AWS4-HMAC-SHA256 Credential=SCOPE, SignedHeaders=host;x-amz-date, Signature=0",
    "AWS4-HMAC-SHA256 Credential='or'1'='1/SCOPE, SignedHeaders=ALL, Signature=0",
    "AWS4-HMAC-SHA256 Credential=SCOPE, SignedHeaders=ALL, Signature=" + "0" * 64,
    "AWS4-HMAC-SHA256 Credential=SCOPE, SignedHeaders=ALL, Signature=\xff\xfe",
    "AWS4-HMAC-SHA256 Credential=\xe9SCOPE, SignedHeaders=ALL, Signature=0",
    "AWS4-HMAC-SHA256 Credential=SCOPE, SignedHeaders=" + "host;" * 5000 + ", Signature=0",
    "AWS4-HMAC-SHA256 " + "Signature=0," * 4000,
    "AWS4-HMAC-SHA256 " + "\t ," * 8000,
]


@pytest.mark.parametrize("authorization", AUTHORIZATIONS, ids=range(len(AUTHORIZATIONS)))
def test_a_signature_that_is_nonsense_is_refused(authorization: str, caller: Caller) -> None:
    headers = caller.sign("/", b"{}", {"X-Amz-Target": "RekognitionService.ListCollections"})
    scope = f"{caller.key_id}/{headers['X-Amz-Date'][:8]}/us-east-1/rekognition/aws4_request"
    authorization = authorization.replace("SCOPE", scope).replace("ALL", "host;x-amz-date;x-amz-target")
    answer = caller.exchange("POST", "/", b"{}", headers | {"Authorization": authorization})
    assert answer.code in FRONT_END - {"ValidationException", "SerializationException"}, answer
    refused(answer, answer.code)


def test_a_wrongly_signed_call_is_refused(server: Any, caller: Caller, caller_with: Callable[..., Caller]) -> None:
    target = {"X-Amz-Target": "RekognitionService.ListCollections"}
    headers = caller.sign("/", b"{}", target)
    refused(caller_with(server.key_id, "x").call("ListCollections"), "InvalidSignatureException")
    refused(caller.exchange("POST", "/", b'{"MaxResults": 1}', headers), "InvalidSignatureException")
    other = headers | {"X-Amz-Target": "RekognitionService.DeleteCollection"}
    refused(caller.exchange("POST", "/", b"{}", other), "InvalidSignatureException")
    refused(caller.exchange("POST", "/?a=b", b"{}", headers), "InvalidSignatureException")
    refused(caller.exchange("POST", "/v1/ListCollections", b"{}", headers), "InvalidSignatureException")


@pytest.mark.parametrize(("minutes", "words"), [(-16, "expired"), (16, "not yet current"), (-60 * 24 * 365, "expired")])
def test_a_signature_of_another_time_is_refused(minutes: int, words: str, caller: Caller) -> None:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    answer = caller.call("ListCollections", at=at)
    refused(answer, "InvalidSignatureException")
    assert answer.message.startswith(f"Signature {words}: {at:%Y%m%dT%H%M%SZ} is now")


def test_a_clock_fourteen_minutes_off_does_no_harm(caller: Caller) -> None:
    for minutes in (-14, 14):
        at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
        assert caller.call("ListCollections", at=at).status == 200


@pytest.mark.parametrize("key_id", ["OVRTAAAAAAAAAAAAAAAA", "AKIAIOSFODNN7EXAMPLE", "local", "'or''='", "%00", "*"])
def test_a_key_that_was_never_made_is_refused(key_id: str, server: Any, caller_with: Callable[..., Caller]) -> None:
    refused(caller_with(key_id, server.secret).call("ListCollections"), "UnrecognizedClientException")


def test_a_revoked_key_is_refused_at_once(server: Any, new_caller: Callable[..., Caller]) -> None:
    fresh = new_caller()
    assert fresh.call("ListCollections").status == 200
    overt(server, "keys", "revoke", fresh.key_id)
    refused(fresh.call("ListCollections"), "UnrecognizedClientException")


def test_a_temporary_key_is_good_with_its_token_alone(
    caller: Caller, caller_with: Callable[..., Caller], new_caller: Callable[..., Caller]
) -> None:
    fresh = new_caller("--hours", "1")
    assert fresh.token
    assert fresh.call("ListCollections").status == 200
    for token in (None, "", fresh.token[:-1], fresh.token + "x", fresh.token.swapcase()):
        other = caller_with(fresh.key_id, fresh.secret, token)
        refused(other.call("ListCollections"), "UnrecognizedClientException")
    lasting = caller_with(caller.key_id, caller.secret, fresh.token)
    refused(lasting.call("ListCollections"), "UnrecognizedClientException")


def test_an_expired_key_is_refused(server: Any, caller_with: Callable[..., Caller]) -> None:
    made = keys.make("000000000001", lifetime=dt.timedelta(seconds=1))
    chosen = settings.load(home=server.home)
    stores = SqlStores.open(f"sqlite:///{chosen.database}", Vault.open(chosen.master_key))
    with stores.write() as unit:
        unit.keys.add(made.key)
    stores.close()
    time.sleep(1)
    fresh = caller_with(made.key.id, made.key.secret, made.token)
    refused(fresh.call("ListCollections"), "UnrecognizedClientException")


# Another account


def naming(shape: str) -> list[str]:
    """The offered operations whose input names something by that shape."""
    inputs = {name: MODEL.operation_model(name).input_shape for name in registry.offered()}
    return [name for name, shapes in inputs.items() if any(part.name == shape for part in shapes.members.values())]


@pytest.fixture(scope="module")
def strange_key(server: Any) -> dict[str, str]:
    return overt(server, "keys", "create", "--account", OTHER_ACCOUNT)


@pytest.fixture
def stranger(strange_key: dict[str, str], caller_with: Callable[..., Caller]) -> Caller:
    """A caller of another account."""
    return caller_with(strange_key["aws_access_key_id"], strange_key["aws_secret_access_key"])


@pytest.mark.parametrize("name", sorted(naming("CollectionId")))
def test_the_collection_of_another_account_is_as_if_it_were_not_there(
    name: str, stranger: Caller, caller: Caller, collection: dict[str, Any], jpeg: Callable[..., bytes]
) -> None:
    shape = MODEL.operation_model(name).input_shape
    known = collection | {"ImageBlob": base64_text(jpeg())}
    theirs = stranger.call(name, good(shape, known, full=False))
    absent = stranger.call(name, good(shape, known | {"CollectionId": "absent"}, full=False))
    assert theirs.status == absent.status
    if name == "CreateCollection":  # names are each account's own
        stranger.call("DeleteCollection", {"CollectionId": collection["CollectionId"]})
        stranger.call("DeleteCollection", {"CollectionId": "absent"})
    else:
        refused(theirs, "ResourceNotFoundException", absent.message.replace("absent", collection["CollectionId"]))
        assert theirs.headers.get("x-overt-detail") == absent.headers.get("x-overt-detail")
    still = done(caller, "DescribeCollection", CollectionId=collection["CollectionId"])
    assert (still["FaceCount"], still["UserCount"]) == (1, 1)


@pytest.mark.parametrize("name", sorted(naming("ResourceArn")))
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_tags_of_another_account_are_as_if_they_were_not_there(
    name: str, region: str, stranger: Caller, collection: dict[str, Any]
) -> None:
    arn = collection["ResourceArn"].replace("us-east-1", region)
    for forged in (arn, arn.replace("000000000001", OTHER_ACCOUNT)):
        value = good(MODEL.operation_model(name).input_shape, {"ResourceArn": forged}, full=False)
        refused(stranger.call(name, value), "ResourceNotFoundException")


def test_another_account_lists_none_of_ours(stranger: Caller, collection: dict[str, Any]) -> None:
    assert done(stranger, "ListCollections")["CollectionIds"] == []


def test_a_face_of_another_account_is_not_found_in_ones_own_collection(
    stranger: Caller, collection: dict[str, Any]
) -> None:
    done(stranger, "CreateCollection", CollectionId="mine")
    answer = stranger.call("SearchFaces", {"CollectionId": "mine", "FaceId": collection["FaceId"]})
    done(stranger, "DeleteCollection", CollectionId="mine")
    refused(answer, "InvalidParameterException", "faceId was not found in the collection.")


def test_a_page_token_of_another_account_is_refused(
    stranger: Caller, caller: Caller, collection: dict[str, Any]
) -> None:
    done(caller, "CreateCollection", CollectionId="second")
    token = done(caller, "ListCollections", MaxResults=1)["NextToken"]
    done(caller, "DeleteCollection", CollectionId="second")
    for value in (token, token[:-1], f"x{token}", token.split(".")[0], ".", "=", "\0", "\u2603"):
        refused(
            stranger.call("ListCollections", {"NextToken": value}),
            "InvalidPaginationTokenException",
            "Invalid Pagination Token",
        )


# Broken HTTP


def spoken(server: Any, *parts: bytes, patience: float = 5.0) -> bytes:
    """What the server says to raw bytes before it closes the connection, or falls silent."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=patience) as connection:
        heard = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            for part in parts:
                connection.sendall(part)
            connection.settimeout(0.5)
            while more := connection.recv(65536):
                heard += more
        return heard


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
BROKEN = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"POST / HTTP/9.9\r\nHost: x\r\n\r\n",
    "noise": bytes(range(256)) * 40,
    "no name": POST + b": value\r\n\r\n",
    "a space in a name": POST + b"X Amz Target: a\r\n\r\n",
    "NUL in a value": POST + b"X-Amz-Target: a\0b\r\n\r\n",
    "a folded line": POST + b"X-Amz-Target: a\r\n b\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a length in words": POST + b"Content-Length: ten\r\n\r\n",
    "a length of 40 digits": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of no number": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a chunk of 2^64": POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n{}\r\n0\r\n\r\n",
    "an unknown encoding": POST + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "ten thousand headers": POST + b"".join(b"X-%d: y\r\n" % number for number in range(10_000)) + b"\r\n",
    "a header of a megabyte": POST + b"X-Amz-Target: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "letters of no alphabet": POST + b"X-Amz-Target: \xff\xfe\r\nAuthorization: \x80\r\nContent-Length: 0\r\n\r\n",
    "everything twice": POST + b"X-Amz-Target: a\r\nAuthorization: b\r\nX-Amz-Date: c\r\n" * 2 + b"\r\n",
    "an upgrade": POST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_http_is_refused_or_hung_up_on(name: str, server: Any) -> None:
    heard = spoken(server, BROKEN[name])
    assert heard == b"" or heard.startswith(b"HTTP/1.1 4"), heard[:300]
    assert b"Traceback" not in heard


def test_a_request_hidden_behind_another_is_not_obeyed(server: Any, caller: Caller) -> None:
    body = b'{"CollectionId": "smuggled"}'
    signed = caller.sign("/", body, {"X-Amz-Target": "RekognitionService.CreateCollection"})
    inner = POST + b"".join(f"{name}: {value}\r\n".encode() for name, value in signed.items())
    inner = inner.replace(b"Host: x", b"Host: " + urlsplit(server.url).netloc.encode())
    inner += b"Content-Length: %d\r\n\r\n" % len(body) + body
    outer = POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(inner) + 5)
    spoken(server, outer + inner)
    refused(caller.call("DescribeCollection", {"CollectionId": "smuggled"}), "ResourceNotFoundException")


def test_a_body_in_chunks_is_read(caller: Caller, jpeg: Callable[..., bytes]) -> None:
    body = json.dumps({"Image": {"Bytes": base64_text(jpeg())}}).encode()
    headers = caller.sign("/", body, {"X-Amz-Target": "RekognitionService.DetectFaces"})
    pieces = (body[at : at + 100] for at in range(0, len(body), 100))
    answer = caller.exchange("POST", "/", pieces, headers | {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert len(boxes(answer)) == 1


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_longer_than_two_pictures_is_refused(chunked: bool, caller: Caller) -> None:  # noqa: FBT001
    body = b'{"X": "' + b"a" * (15 * 1024 * 1024) + b'"}'
    headers = caller.sign("/", body, {"X-Amz-Target": "RekognitionService.ListCollections"})
    if chunked:
        pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
        headers["Transfer-Encoding"] = "chunked"
        answer = caller.exchange("POST", "/", pieces, headers, encode_chunked=True)
    else:
        answer = caller.exchange("POST", "/", body, headers)
    refused(answer, "ImageTooLargeException", "Image size is too large.")


def test_a_body_without_end_is_cut_off(server: Any) -> None:
    started = time.perf_counter()
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    heard = spoken(server, POST + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 1024)
    assert heard == b"" or heard.startswith(b"HTTP/1.1 4"), heard[:300]
    assert time.perf_counter() - started < 5


def test_a_header_without_end_is_cut_off(server: Any, caller: Caller) -> None:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(POST + b"X-Amz-Target: ")
        with pytest.raises(ConnectionError):  # noqa: PT012
            for _ in range(64):
                connection.sendall(b"a" * 2**20)
            connection.sendall(b"\r\n")
    assert caller.call("ListCollections").seconds < IN_TIME


def test_a_client_that_hangs_up_halfway_leaves_nothing_behind(server: Any, caller: Caller) -> None:
    before = len(rows(server.home))
    address = urlsplit(server.url)
    for head in (b"Content-Length: 1000\r\n\r\n" + b"a" * 500, b"Transfer-Encoding: chunked\r\n\r\n3e8\r\naaa", b"X-"):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(POST + head)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell
    time.sleep(0.2)
    assert caller.call("ListCollections").status == 200
    assert len(rows(server.home)) == before + 1


def test_clients_that_fall_silent_hold_nobody_up(server: Any, caller: Caller, jpeg: Callable[..., bytes]) -> None:
    address = urlsplit(server.url)
    with contextlib.ExitStack() as open_ones:
        for _ in range(200):
            connection = open_ones.enter_context(socket.create_connection((address.hostname, address.port)))
            connection.sendall(POST + b"Content-Length: 1000\r\n\r\n{")
        answer = detect(caller, jpeg())
        assert len(boxes(answer)) == 1
        assert answer.seconds < IN_TIME, answer


@pytest.mark.slow
def test_clients_that_fall_silent_are_let_go_within_a_minute(server: Any, caller: Caller) -> None:
    address = urlsplit(server.url)
    with contextlib.ExitStack() as open_ones:
        for _ in range(1010):  # more than the server takes on
            open_ones.enter_context(socket.create_connection((address.hostname, address.port)))
        time.sleep(60)
        assert caller.call("ListCollections").status == 200


def test_clients_that_do_not_wait_for_their_answer_do_no_harm(
    server: Any, caller: Caller, jpeg: Callable[..., bytes]
) -> None:
    body = json.dumps({"Image": {"Bytes": base64_text(jpeg())}}).encode()
    headers = caller.sign("/", body, {"X-Amz-Target": "RekognitionService.DetectFaces"})
    address = urlsplit(server.url)
    text = f"POST / HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n"
    text += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    before = len(rows(server.home))
    for _ in range(20):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(text.encode() + b"\r\n" + body)
    deadline = time.monotonic() + 10
    while len(rows(server.home)) < before + 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [row["outcome"] for row in rows(server.home)[before:]] == ["ok"] * 20


# Too many, and broken underneath


def in_parallel(server: Any, count: int, raw: bytes) -> list[Answer]:
    """So many DetectFaces calls at once, each from a client of its own."""
    ready = threading.Barrier(count)

    def one(_number: int) -> Answer:
        caller = Caller(server.url, server.key_id, server.secret)
        ready.wait(timeout=30)
        answer = detect(caller, raw)
        caller.close()
        return answer

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_two_hundred_calls_at_once_are_done_or_told_to_come_again(server: Any, jpeg: Callable[..., bytes]) -> None:
    answers = in_parallel(server, 200, jpeg())
    codes = {answer.code for answer in answers}
    assert codes <= {"ok", "ThrottlingException", "ProvisionedThroughputExceededException"}, codes
    assert "ok" in codes
    for answer in answers:
        (row,) = rows(server.home, answer.id)
        assert row["outcome"] == answer.code
        assert answer.code != "ok" or len(boxes(answer)) == 1


def children(process: int) -> dict[int, str]:
    """The child processes of a process: number -> command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            number = int(folder.name)
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                found[number] = (folder / "cmdline").read_text().replace("\0", " ")
    return found


def process_of(server: Any) -> int:
    (number,) = (number for number, line in children(os.getpid()).items() if str(server.home) in line)
    return number


def decoders_of(server: Any) -> list[int]:
    """The server's decoding workers."""
    return [number for number, line in children(process_of(server)).items() if "overt.media.decoder" in line]


def kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def test_decoding_workers_killed_between_calls_are_replaced_unnoticed(
    server: Any, caller: Caller, jpeg: Callable[..., bytes]
) -> None:
    detect(caller, jpeg())
    killed = decoders_of(server)
    assert killed
    for process in killed:
        kill(process)
    time.sleep(0.1)
    for _ in range(len(killed) + 1):
        assert len(boxes(detect(caller, jpeg()))) == 1
    assert not set(decoders_of(server)) & set(killed)


@pytest.mark.parametrize("seconds", [0.05, 0.2])
def test_decoding_workers_killed_during_calls_fail_at_most_those_calls(seconds: float, server: Any) -> None:
    slow = bomb(1500)
    in_parallel(server, 2, slow)  # so that all workers run
    with ThreadPoolExecutor(1) as thread:
        calls = thread.submit(in_parallel, server, 6, slow)
        time.sleep(seconds)
        killed = decoders_of(server)
        for process in killed:
            kill(process)
        codes = [answer.code for answer in calls.result()]
    assert set(codes) <= {"ok", "InvalidImageFormatException"}, codes
    assert codes.count("ok") >= 6 - len(killed), codes


def test_whatever_was_answered_is_on_record_when_the_server_is_killed(
    start_server: Callable[..., Any], jpeg: Callable[..., bytes]
) -> None:
    doomed = start_server()
    answers: list[Answer] = []

    def call_until_it_dies() -> None:
        caller = Caller(doomed.url, doomed.key_id, doomed.secret)
        with contextlib.suppress(OSError, http.client.HTTPException):  # the caller closes its socket then
            while True:
                answers.append(detect(caller, jpeg()))

    threads = [threading.Thread(target=call_until_it_dies) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answers) <= 10 and any(thread.is_alive() for thread in threads):  # the first ones wait for the models
        time.sleep(0.05)
    kill(process_of(doomed))
    for thread in threads:
        thread.join()
    assert len(answers) > 10
    recorded = {row["call_id"] for row in rows(doomed.home)}
    assert {answer.id for answer in answers} <= recorded
