# SPDX-License-Identifier: Apache-2.0
"""Every operation of botocore's service model and of our own: what fits its shapes is served, the rest refused.

All inputs come from the models (wire_values.py), so an operation that a new botocore brings is tested unasked.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filming
import pytest
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_calls import FRONT_END, PATIENCE, Answer, Caller, base64_text, rows, shown
from wire_values import ACCEPTED, EITHER, SERIALIZATION, VALIDATION, Spoilt, good, misfits, spoilt

from overt.errors import SerializationException, ValidationException
from overt.ops import registry
from overt.wire import services, shapes
from overt.wire.awsjson import decode

MODEL = ServiceModel(Loader().load_service_model("rekognition", "service-2"), "rekognition")
OURS = ServiceModel(Loader(extra_search_paths=[str(services.FOLDER)]).load_service_model("overt", "service-2"), "overt")
OPERATIONS = {name: model.operation_model(name) for model in (MODEL, OURS) for name in model.operation_names}
PARSER = create_parser("json")
_REASON = r"Value (null|'.*') at '\S+' failed to satisfy constraint: Member must .+"
VIOLATION = re.compile(rf"(1 validation error|\d+ validation errors) detected: {_REASON}(; {_REASON})*", re.DOTALL)

OFFERED = sorted([*registry.offered(), *registry.offered("overt")])
OTHERS = sorted(OPERATIONS.keys() - set(OFFERED))

EVERY_OPERATION = pytest.mark.parametrize("name", OPERATIONS)
NAME = "Jane-Doe-4711"  # an ExternalImageId that must show up nowhere


NOT_OFFERED = {
    ("CreateStreamProcessor", "KmsKeyId"),
    ("DetectModerationLabels", "HumanLoopConfig"),
    ("DetectModerationLabels", "ProjectVersion"),
}
"""Parameters that are refused as long as what they name is not offered."""
ELSEWHERE = {"NotificationChannel"}
"""Parameters that would have the server call another one."""
CAMERA = "arn:aws:kinesisvideo:us-east-1:000000000001:stream/conformance/1"
HOME = {
    "Input": {"KinesisVideoStream": {"Arn": CAMERA}},
    "Output": {"S3Destination": {"Bucket": "conformance"}},
    "NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:000000000001:conformance"},
    "Settings": {"ConnectedHome": {"Labels": ["PERSON"]}},
    "RoleArn": "arn:aws:iam::000000000001:role/r",
}
"""A stream processor that takes all parameters of others."""


@dataclass
class World:
    """A collection with a user, a face of that user and a free one, a stream processor; known: names by shape."""

    caller: Caller
    known: dict[str, Any]
    free_face: str

    def input(self, operation: OperationModel, *, full: bool) -> Any:
        """A valid input that names what is there, or for something new what is not."""
        known = self.known | {"ClientRequestToken": uuid.uuid4().hex}
        if operation.name in ("AssociateFaces", "DeleteFaces"):
            known["FaceId"] = self.free_face
        if operation.name in ("CreateCollection", "CreateUser"):
            known |= {"CollectionId": f"{known['CollectionId']}-2"} if "Coll" in operation.name else {"UserId": "new"}
        if operation.name == "CreateRole":
            known["RoleName"] += "-2"
        if "JobId" in operation.input_shape.members and operation.name in OFFERED:
            known["JobId"] = self._job(OPERATIONS[operation.name.replace("Get", "Start", 1)])
        if operation.name == "CreateStreamProcessor":
            known["StreamProcessorName"] += "-2"
        if operation.name == "StopStreamProcessor":
            done(self.caller, "StartStreamProcessor", Name=known["StreamProcessorName"])
        made = good(operation.input_shape, known, full=full)
        return {
            name: value
            for name, value in made.items()
            if (operation.name, name) not in NOT_OFFERED and name not in ELSEWHERE
        }

    def _job(self, start: OperationModel) -> str:
        """A job that has succeeded."""
        job = done(self.caller, start.name, **self.input(start, full=False))
        get = start.name.replace("Start", "Get", 1)
        end = time.monotonic() + 60
        while done(self.caller, get, **job)["JobStatus"] == "IN_PROGRESS":
            assert time.monotonic() < end
            time.sleep(0.05)
        return str(job["JobId"])


@pytest.fixture
def world(caller: Caller, server: Any, jpeg: Callable[[str], bytes], photos: Path) -> Iterator[World]:
    clip = server.home / "buckets" / "conformance" / "a.mp4"
    if not clip.exists():
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(filming.film(filming.passing(photos / "biden.jpg", 0.6)))
    name = f"conformance-{uuid.uuid4().hex[:8]}"
    pictures = [base64_text(jpeg(photo)) for photo in ("obama.jpg", "astronaut.png")]
    made = done(caller, "CreateCollection", CollectionId=name)
    faces = []
    for picture in pictures:
        indexed = done(caller, "IndexFaces", CollectionId=name, Image={"Bytes": picture}, ExternalImageId=NAME)
        faces.append(indexed["FaceRecords"][0]["Face"]["FaceId"])
    done(caller, "CreateRole", RoleName=name, Kind="operator")
    done(caller, "CreateUser", CollectionId=name, UserId="ann")
    done(caller, "AssociateFaces", CollectionId=name, UserId="ann", FaceIds=faces[:1])
    known = {"CollectionId": name, "UserId": "ann", "FaceId": faces[0], "ResourceArn": made["CollectionArn"]}
    known |= {"RoleName": name, "ImageBlob": pictures[0], "GroundTruthBlob": "QUJD", "ExternalImageId": NAME}
    known |= {
        "Video": {"S3Object": {"Bucket": "conformance", "Name": "a.mp4"}},
        "RegionOfInterest": {"BoundingBox": {"Left": 0, "Top": 0, "Width": 1, "Height": 1}},
        "GeneralLabelsSettings": {"LabelInclusionFilters": ["Person"], "LabelExclusionFilters": ["Dog"]},
    }
    known |= {
        "StreamProcessorName": name,
        "StreamProcessorInput": HOME["Input"],
        "StreamProcessorOutput": {"KinesisDataStream": {"Arn": "arn:aws:kinesis:us-east-1:000000000001:stream/s"}},
        "StreamProcessorSettings": {"FaceSearch": {"CollectionId": name}},
        "StreamProcessingStartSelector": {"KVSStreamStartSelector": {"FragmentNumber": "1"}},
        "ConnectedHomeLabels": ["PERSON"],
    }
    done(caller, "CreateStreamProcessor", Name=name, **HOME)
    yield World(caller, known, faces[1])
    for processor in (name, f"{name}-2"):
        caller.call("StopStreamProcessor", {"Name": processor})
        end = time.monotonic() + 60
        while caller.call("DeleteStreamProcessor", {"Name": processor}).json.get("Code") == "ResourceInUseException":
            assert time.monotonic() < end
            time.sleep(0.1)
    for collection in (name, f"{name}-2"):
        caller.call("DeleteCollection", {"CollectionId": collection})
        caller.call("DeleteRole", {"RoleName": collection})


def done(caller: Caller, operation: str, **value: Any) -> dict[str, Any]:
    answer = caller.call(operation, value)
    assert answer.status == 200, answer
    return answer.json


@pytest.fixture(scope="session")
def strangers(jpeg: Callable[[str], bytes]) -> dict[str, Any]:
    """Pictures for inputs that are valid and name nothing that exists."""
    return {"ImageBlob": base64_text(jpeg("coffee.png")), "GroundTruthBlob": "QUJD"}


def log_of(server: Any) -> str:
    return (server.home.parent / f"{server.home.name}.log").read_text()


def faults(operation: OperationModel, answer: Answer) -> list[str]:
    """In what an answer, good or bad, breaks the contract, in words."""
    found = []
    if answer.seconds > PATIENCE:
        found.append(f"took {answer.seconds:.1f} s")
    if answer.headers.get("content-type") != "application/x-amz-json-1.1" or not _is_uuid(answer.id):
        found.append(f"headers {answer.headers}")
    shape = operation.output_shape if answer.status == 200 else None
    response = {"headers": answer.headers, "status_code": answer.status, "body": answer.body}
    parsed = PARSER.parse(response, shape)
    if answer.status == 200:
        return found + list(misfits(operation.output_shape, answer.json))
    declared = {error.name for error in operation.error_shapes} | FRONT_END
    if answer.status != 400 or answer.code not in declared:
        found.append("not an error of this operation")
    error = {"__type": answer.code, "Code": answer.code, "Message": answer.message, "Logref": answer.id}
    if answer.json != error or parsed["Error"]["Code"] != answer.code or not answer.message:
        found.append("not in the form of an error")
    return found


def _is_uuid(text: str) -> bool:
    return str(uuid.UUID(text)) == text


def no_faults(complaints: list[str]) -> None:
    if complaints:
        pytest.fail(f"{len(complaints)} faults, the first:\n" + "\n".join(complaints[:8]), pytrace=False)


@pytest.mark.parametrize("members", ["required", "all"])
@pytest.mark.parametrize("name", OFFERED)
def test_valid_input_to_an_offered_operation_is_answered_in_its_output_shape(
    name: str, members: str, world: World
) -> None:
    value = world.input(OPERATIONS[name], full=members == "all")
    answer = world.caller.call(name, value)
    assert answer.status == 200, f"{shown(value)}: {answer}"
    no_faults(faults(OPERATIONS[name], answer))


@pytest.mark.parametrize("name", OTHERS)
def test_valid_input_to_any_other_operation_is_refused_in_words_and_never_answered_with_something_made_up(
    name: str, caller: Caller, strangers: dict[str, Any]
) -> None:
    for full in (False, True):
        value = good(OPERATIONS[name].input_shape, strangers, full=full)
        answer = caller.call(name, value)
        no_faults(faults(OPERATIONS[name], answer))
        assert answer.code == "AccessDeniedException", f"{shown(value)}: {answer}"
        assert answer.message.startswith(f"{name} is not offered"), answer


@EVERY_OPERATION
def test_input_with_one_flaw_is_refused_by_the_member_that_has_it(
    name: str, caller: Caller, strangers: dict[str, Any]
) -> None:
    operation = OPERATIONS[name]
    value = good(operation.input_shape, strangers, full=True)
    complaints = []
    for flaw in spoilt(operation.input_shape, value):
        answer = caller.call(name, flaw.value)
        found = [*faults(operation, answer), *wrong_verdict(flaw, answer)]
        if found:
            complaints.append(f"{flaw.what}: {'; '.join(found)}\n  {shown(flaw.value)}\n  {answer}")
    if name == "CreateCollection":
        caller.call("DeleteCollection", value)
    no_faults(complaints)


def wrong_verdict(flaw: Spoilt, answer: Answer) -> Iterator[str]:
    """In what the answer is not the one that this flaw deserves, in words."""
    if answer.status == 200 or answer.code not in (VALIDATION, SERIALIZATION):
        if flaw.want not in (ACCEPTED, EITHER):
            yield f"wanted {flaw.want}"
    elif flaw.want not in (answer.code, EITHER):
        yield f"wanted {flaw.want}"
    elif flaw.at not in answer.message:
        yield f"the message does not name {flaw.at}"
    elif answer.code == VALIDATION and not VIOLATION.fullmatch(answer.message):
        yield "not AWS's words"


@EVERY_OPERATION
def test_a_body_that_is_no_json_object_is_refused(name: str, caller: Caller) -> None:
    bodies = [b"", b"{", b"[]", b'"text"', b"7", b"null", b"true", b"{}{}", b"\xff\xfe{}", b'{"a": NaN}', b"<xml/>"]
    complaints = []
    for body in bodies:
        answer = caller.call(name, body=body)
        complaints += [f"{body!r}: {fault}: {answer}" for fault in faults(OPERATIONS[name], answer)]
        if answer.code != SERIALIZATION:
            complaints.append(f"{body!r}: {answer}")
    no_faults(complaints)


@EVERY_OPERATION
def test_every_call_leaves_one_record_with_its_outcome(
    name: str, server: Any, caller: Caller, caller_with: Callable[..., Caller], strangers: dict[str, Any]
) -> None:
    value = good(OPERATIONS[name].input_shape, strangers, full=False)
    thief = caller_with(server.key_id, "not the secret")
    before = len(rows(server.home))
    answers = [caller.call(name, value), caller.call(name, []), caller.call(name, body=b"{"), caller.rest(name, value)]
    answers.append(thief.call(name, value))
    assert len(rows(server.home)) == before + len(answers)
    for answer in answers:
        (row,) = rows(server.home, answer.id)
        assert (row["operation"], row["outcome"]) == (name, answer.code)
        known = answer.code != "InvalidSignatureException"
        assert (row["key_id"], row["account"]) == ((server.key_id, "000000000001") if known else ("", ""))
    if name == "CreateCollection":
        caller.call("DeleteCollection", value)


def test_neither_records_nor_log_hold_a_secret_a_picture_or_a_name(server: Any, world: World) -> None:
    inputs = {operation: world.input(operation, full=True) for operation in OPERATIONS.values()}
    for operation, value in inputs.items():
        calls = [{**value, "ExternalImageId": [NAME]}, {**value, "UserId": f"{NAME} {server.secret}"}, value]
        calls += [{**value, "CollectionId": f"{NAME}!"}] if "CollectionId" in value else []
        for spoilt_or_not in calls:
            world.caller.call(operation.name, spoilt_or_not)
    written = json.dumps(rows(server.home)) + log_of(server)
    picture = world.known["ImageBlob"]
    for secret in (server.secret, picture[:40], picture[400:440], NAME, world.known["CollectionId"]):
        assert secret not in written, secret


def test_the_secret_key_and_the_pictures_lie_in_no_file_of_the_server(server: Any, world: World) -> None:
    picture = base64.b64decode(world.known["ImageBlob"])
    for file in (path for path in server.home.rglob("*") if path.is_file() and path.name != "credentials"):
        raw = file.read_bytes()
        for secret in (server.secret.encode(), picture[600:640], world.known["ImageBlob"][600:640].encode()):
            assert secret not in raw, file


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ListCollections", {}),
        ("ListCollections", {"MaxResults": 4097}),
        ("ListCollections", {"NextToken": "no token"}),
        ("DescribeCollection", {"CollectionId": "no-such"}),
        ("DescribeCollection", {}),
        ("DetectFaces", {"Image": {}}),
        ("DetectFaces", {"Image": {"Bytes": "PICTURE"}, "Attributes": ["ALL"]}),
        ("CompareFaces", {"SourceImage": {"Bytes": "PICTURE"}, "TargetImage": {"Bytes": "PICTURE"}}),
        ("DetectLabels", {"Image": {"Bytes": "PICTURE"}}),
        ("DetectLabels", []),
        ("NoSuchOperation", {}),
    ],
)
def test_the_plain_http_door_gives_the_same_answer(
    name: str, value: Any, caller: Caller, jpeg: Callable[[], bytes]
) -> None:
    value = json.loads(json.dumps(value).replace("PICTURE", base64_text(jpeg())))
    ours, theirs = caller.rest(name, value), caller.call(name, value)
    assert ours.headers["content-type"] == "application/json"
    assert theirs.headers["content-type"] == "application/x-amz-json-1.1"
    assert ours.status == theirs.status
    assert {**ours.json, "Logref": ""} == {**theirs.json, "Logref": ""}
    assert ours.headers.get("x-amzn-errortype") == theirs.headers.get("x-amzn-errortype")
    assert ours.id != theirs.id


def test_the_document_tells_which_operations_are_offered(caller: Caller) -> None:
    answer = caller.exchange("GET", "/v1/openapi.json", None, {})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    posts = [path["post"] for path in answer.json["paths"].values() if "post" in path]
    assert {post["operationId"] for post in posts} == set(OPERATIONS)
    assert {post["operationId"] for post in posts if post["x-overt-offered"]} == set(OFFERED)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 405),
        ("PUT", "/", 405),
        ("DELETE", "/", 405),
        ("OPTIONS", "/", 405),
        ("NONSENSE", "/", 405),
        ("GET", "/v1/DetectFaces", 405),
        ("POST", "/v1/openapi.json", 400),
        ("GET", "/healthz", 200),
        ("POST", "/healthz", 405),
        ("GET", "/v1", 404),
        ("GET", "/v2/DetectFaces", 404),
        ("POST", "/nowhere", 404),
        ("GET", "/../../../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("POST", "/v1/%2e%2e", 400),
        ("POST", "/v1/DetectFaces%00", 400),
        ("GET", "/?" + "a" * 8000, 405),
    ],
)
def test_other_methods_and_paths_are_turned_away_without_a_traceback(
    method: str, path: str, status: int, server: Any, caller: Caller
) -> None:
    logged = len(log_of(server))
    answer = caller.exchange(method, path, b"{}" if method in ("POST", "PUT") else None, {})
    caller.close()
    assert answer.status == status, answer
    assert "Traceback" not in answer.body.decode()
    assert "root:" not in answer.body.decode()
    assert "Traceback" not in log_of(server)[logged:]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", -0.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def near(shape: Any) -> st.SearchStrategy[Any]:
    """JSON values like those a shape allows, and now and then anything else in their place."""
    kind, limits = shape.type_name, shape.metadata
    number = st.integers(-2, 2**40) | st.floats(-1, 101) | st.sampled_from([limits.get("max", 1), 10**400])
    if kind == "structure":
        members = {name: near(member) for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        like = st.fixed_dictionaries(required, optional=members)
    elif kind == "list":
        like = st.lists(near(shape.member), max_size=3)
    elif kind == "map":
        like = st.dictionaries(near(shape.key).filter(lambda key: isinstance(key, str)), near(shape.value), max_size=3)
    elif kind == "string" and shape.enum:
        like = st.sampled_from(shape.enum)
    elif kind == "string":
        like = st.text(max_size=40) | st.just(good(shape, {}, full=True))
    elif kind == "blob":
        like = st.binary(max_size=40).map(base64_text)
    else:
        like = st.booleans() if kind == "boolean" else number
    return st.integers(0, 30).flatmap(lambda number: JSON if number == 30 else like)


CALLS = st.sampled_from(list(OPERATIONS.values())).flatmap(
    lambda operation: st.tuples(st.just(operation), near(operation.input_shape))
)


def bounded(examples: int) -> Callable[[Any], Any]:
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=checks)


def parsed_or_refused(operation: OperationModel, value: Any) -> None:
    """Raises anything but the two errors that a bad input deserves."""
    with contextlib.suppress(ValidationException, SerializationException):
        shapes.parse(operation.input_shape, decode(json.dumps(value).encode()))


def served_or_refused(caller: Caller, operation: OperationModel, value: Any) -> None:
    answer = caller.call(operation.name, value)
    no_faults([f"{operation.name} {shown(value)}: {fault}: {answer}" for fault in faults(operation, answer)])


@pytest.fixture(scope="module")
def fuzzed(start_server: Callable[..., Any]) -> Iterator[Caller]:
    """A server whose data nobody minds."""
    server = start_server()
    caller = Caller(server.url, server.key_id, server.secret)
    yield caller
    caller.close()


@bounded(800)
@given(CALLS)
def test_random_values_are_parsed_or_refused(call: tuple[OperationModel, Any]) -> None:
    parsed_or_refused(*call)


@bounded(800)
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_random_bytes_are_json_or_refused(body: bytes) -> None:
    with contextlib.suppress(SerializationException):
        decode(body)


@bounded(300)
@given(CALLS)
def test_random_calls_are_served_or_refused(fuzzed: Caller, call: tuple[OperationModel, Any]) -> None:
    served_or_refused(fuzzed, *call)


@pytest.mark.slow
@bounded(8_000)
@given(CALLS)
def test_many_random_values_are_parsed_or_refused(call: tuple[OperationModel, Any]) -> None:
    parsed_or_refused(*call)


@pytest.mark.slow
@bounded(4_000)
@given(CALLS)
def test_many_random_calls_are_served_or_refused(fuzzed: Caller, call: tuple[OperationModel, Any]) -> None:
    served_or_refused(fuzzed, *call)
