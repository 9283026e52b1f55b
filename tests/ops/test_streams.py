# SPDX-License-Identifier: Apache-2.0
"""Stream processors through unmodified boto3: a camera with a real RTSP server, and moto's Kinesis behind it."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import filming
import pytest
from botocore.exceptions import ClientError
from services import free_port

ROLE = "arn:aws:iam::123456789012:role/rekognition"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
HERE = Path(__file__).parent
SYSTEM_PYTHON = "/usr/bin/python3"
DEADLINE = 90.0
Overt = Callable[..., subprocess.CompletedProcess[str]]


def until(happened: Callable[[], Any], seconds: float = DEADLINE) -> Any:
    end = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.2)
    return value


@pytest.fixture(scope="module")
def service(aws: str) -> Callable[[str], Any]:
    keys = {name.lower(): value for name, value in KEYS.items()}
    return lambda name: boto3.client(name, region_name="us-east-1", endpoint_url=aws, **keys)


@pytest.fixture(scope="module")
def home(start_server: Callable[..., Any], aws: str, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server whose outputs are moto's, with two people on a list."""
    endpoints = {f"OVERT_{name}_ENDPOINT": aws for name in ("S3", "SNS", "KINESIS")}
    server = start_server(tmp_path_factory.mktemp("streams"), **endpoints, **KEYS)
    client = server.client()
    client.create_collection(CollectionId="suspects")
    for name in ("obama", "biden"):
        image = {"Bytes": (photos / f"{name}.jpg").read_bytes()}
        client.index_faces(CollectionId="suspects", Image=image, ExternalImageId=name)
    return server


@pytest.fixture(scope="module")
def rekognition(home: Any) -> Any:
    return home.client()


def face_search(arn: str, **changes: Any) -> dict[str, Any]:
    return {
        "Input": {"KinesisVideoStream": {"Arn": arn}},
        "Output": {"KinesisDataStream": {"Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/records"}},
        "Settings": {"FaceSearch": {"CollectionId": "suspects", "FaceMatchThreshold": 85.5}},
        "RoleArn": ROLE,
        **changes,
    }


def connected_home(arn: str, **changes: Any) -> dict[str, Any]:
    return {
        "Input": {"KinesisVideoStream": {"Arn": arn}},
        "Output": {"S3Destination": {"Bucket": "pictures", "KeyPrefix": "home"}},
        "NotificationChannel": {"SNSTopicArn": "arn:aws:sns:us-east-1:123456789012:events"},
        "Settings": {"ConnectedHome": {"Labels": ["PERSON"], "MinConfidence": 60}},
        "RoleArn": ROLE,
        **changes,
    }


ARN = "arn:aws:kinesisvideo:us-east-1:000000000001:stream/nowhere/1"


def test_a_processor_is_described_as_it_was_created(rekognition: Any) -> None:
    made = rekognition.create_stream_processor(Name="described", **face_search(ARN), Tags={"a": "b"})
    assert made["StreamProcessorArn"] == "arn:aws:rekognition:us-east-1:000000000001:streamprocessor/described"
    found = rekognition.describe_stream_processor(Name="described")
    assert found["Status"] == "STOPPED"
    for name in ("Input", "Output", "RoleArn"):
        assert found[name] == face_search(ARN)[name]
    assert found["Settings"] == {"FaceSearch": {"CollectionId": "suspects", "FaceMatchThreshold": 85.5}}
    assert found["CreationTimestamp"] == found["LastUpdateTimestamp"]
    assert rekognition.list_tags_for_resource(ResourceArn=made["StreamProcessorArn"])["Tags"] == {"a": "b"}
    rekognition.delete_stream_processor(Name="described")
    with pytest.raises(rekognition.exceptions.ResourceNotFoundException):
        rekognition.describe_stream_processor(Name="described")


def test_a_threshold_below_eighty_is_raised_to_it(rekognition: Any) -> None:
    settings = {"FaceSearch": {"CollectionId": "suspects", "FaceMatchThreshold": 10}}
    rekognition.create_stream_processor(Name="floor", **face_search(ARN, Settings=settings))
    found = rekognition.describe_stream_processor(Name="floor")
    assert found["Settings"]["FaceSearch"]["FaceMatchThreshold"] == 80
    rekognition.delete_stream_processor(Name="floor")


def test_processors_are_listed_by_the_page(rekognition: Any) -> None:
    names = [f"listed-{number}" for number in range(5)]
    for name in names:
        rekognition.create_stream_processor(Name=name, **face_search(ARN))
    pages = rekognition.get_paginator("list_stream_processors").paginate(PaginationConfig={"PageSize": 2})
    found = [each["Name"] for page in pages for each in page["StreamProcessors"]]
    assert [name for name in found if name.startswith("listed-")] == names
    for name in names:
        rekognition.delete_stream_processor(Name=name)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (face_search(ARN, Settings={}), "one of FaceSearch and ConnectedHome"),
        (face_search(ARN, Settings={"FaceSearch": {}}), "CollectionId"),
        (face_search(ARN, Input={}), "camera's ARN"),
        (face_search(ARN, KmsKeyId="key"), "KmsKeyId is not supported"),
        (connected_home(ARN, Output={}), "S3Destination"),
        (connected_home(ARN, Settings={"ConnectedHome": {"Labels": ["CAR"]}}), "PERSON, PET"),
        (connected_home(ARN, Settings={"ConnectedHome": {"Labels": ["PACKAGE"]}}), "no installed model finds PACKAGE"),
        (face_search(ARN, RegionsOfInterest=[{}]), "either a BoundingBox or a Polygon"),
        (face_search(ARN, RegionsOfInterest=[{"Polygon": [{"X": 0.1, "Y": 0.1}]}]), "RegionsOfInterest"),
    ],
)
def test_what_cannot_be_is_refused_in_words(rekognition: Any, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(rekognition.exceptions.InvalidParameterException) as caught:
        rekognition.create_stream_processor(Name="refused", **asked)
    assert words in caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-overt-detail"]


def test_a_list_that_is_not_there_is_told(rekognition: Any) -> None:
    settings = {"FaceSearch": {"CollectionId": "nobody"}}
    with pytest.raises(rekognition.exceptions.ResourceNotFoundException, match="nobody does not exist"):
        rekognition.create_stream_processor(Name="refused", **face_search(ARN, Settings=settings))


def test_states_that_do_not_fit_are_told(rekognition: Any) -> None:
    in_use = rekognition.exceptions.ResourceInUseException
    rekognition.create_stream_processor(Name="states", **face_search(ARN))
    with pytest.raises(in_use, match="name already in use"):
        rekognition.create_stream_processor(Name="states", **face_search(ARN))
    with pytest.raises(in_use, match="not available for stopping"):
        rekognition.stop_stream_processor(Name="states")
    with pytest.raises(rekognition.exceptions.InvalidParameterException):
        rekognition.start_stream_processor(Name="states", StopSelector={"MaxDurationInSeconds": 5})
    assert rekognition.start_stream_processor(Name="states")["SessionId"]
    with pytest.raises(in_use):
        rekognition.start_stream_processor(Name="states")
    with pytest.raises(in_use):
        rekognition.delete_stream_processor(Name="states")
    rekognition.stop_stream_processor(Name="states")
    until(lambda: rekognition.describe_stream_processor(Name="states")["Status"] == "STOPPED")
    rekognition.delete_stream_processor(Name="states")
    for name in ("start", "stop", "delete", "update"):
        with pytest.raises(ClientError, match="states does not exist"):
            getattr(rekognition, f"{name}_stream_processor")(Name="states")


def test_settings_of_a_connected_home_can_change(rekognition: Any) -> None:
    rekognition.create_stream_processor(Name="home", **connected_home(ARN))
    region = {"BoundingBox": {"Left": 0.0, "Top": 0.0, "Width": 0.5, "Height": 0.5}}
    rekognition.update_stream_processor(
        Name="home",
        SettingsForUpdate={"ConnectedHomeForUpdate": {"Labels": ["PET"]}},
        RegionsOfInterestForUpdate=[region],
        DataSharingPreferenceForUpdate={"OptIn": False},
    )
    found = rekognition.describe_stream_processor(Name="home")
    assert found["Settings"]["ConnectedHome"] == {"Labels": ["PET"], "MinConfidence": 60}
    assert found["RegionsOfInterest"] == [region]
    assert found["DataSharingPreference"] == {"OptIn": False}
    gone = ["ConnectedHomeMinConfidence", "RegionsOfInterest"]
    rekognition.update_stream_processor(Name="home", ParametersToDelete=gone)
    found = rekognition.describe_stream_processor(Name="home")
    assert found["Settings"]["ConnectedHome"] == {"Labels": ["PET"]}
    assert "RegionsOfInterest" not in found
    rekognition.delete_stream_processor(Name="home")
    rekognition.create_stream_processor(Name="search", **face_search(ARN))
    with pytest.raises(rekognition.exceptions.InvalidParameterException):
        rekognition.update_stream_processor(
            Name="search", SettingsForUpdate={"ConnectedHomeForUpdate": {"Labels": ["PET"]}}
        )
    rekognition.delete_stream_processor(Name="search")


class GstreamerCamera:
    """GStreamer's RTSP server, to be killed and started again at the same port."""

    def __init__(self, film: Path, port: int) -> None:
        self._film = film
        self.port = port
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        feeder = [sys.executable, str(HERE / "feeder.py"), str(self._film)]
        command = [SYSTEM_PYTHON, str(HERE / "gstreamer.py"), str(self.port), *feeder]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                pipe.close()
            self._process = None


def test_each_listed_person_is_told_once_a_visit_whatever_happens_to_the_camera(
    rekognition: Any,
    home: Any,
    overt: Overt,
    service: Callable[[str], Any],
    photos: Path,
    tmp_path: Path,
) -> None:
    has_gstreamer = subprocess.run(
        [SYSTEM_PYTHON, "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"], capture_output=True, check=False
    )
    if has_gstreamer.returncode:
        pytest.skip("GStreamer's RTSP server (gir1.2-gst-rtsp-server-1.0) is not installed")
    film, told = tmp_path / "film.mp4", tmp_path / "alerts.jsonl"
    parts = (
        filming.passing(photos / "obama2.jpg", 4),
        filming.empty(8),
        filming.passing(photos / "biden.jpg", 4),
        filming.empty(8),
    )
    film.write_bytes(filming.film(itertools.chain(*parts)))
    camera = GstreamerCamera(film, free_port())
    added = overt("cameras", "add", "gate", f"rtsp://127.0.0.1:{camera.port}/cam", "--json", "--home", home.home)
    assert added.returncode == 0, added.stderr
    arn = json.loads(added.stdout)["arn"]
    kinesis = service("kinesis")
    kinesis.create_stream(StreamName="records", ShardCount=1)
    rekognition.create_stream_processor(Name="gate", **face_search(arn))
    done = overt("streams", "set", "gate", "--quiet", "4", "--target", told.as_uri(), "--home", home.home)
    assert done.returncode == 0, done.stderr

    def events() -> list[tuple[str, str]]:
        lines = told.read_text().splitlines() if told.exists() else []
        parsed = [json.loads(line) for line in lines]
        return [(each["type"], each["data"]["Person"]) for each in parsed]

    obama, biden = "external obama", "external biden"
    expected = [("alert.begun", obama)]
    camera.start()
    try:
        rekognition.start_stream_processor(Name="gate")
        until(lambda: events() == expected)
        # In the middle of a visit: the camera goes, and comes back while the person is still there.
        camera.kill()
        camera.start()
        expected += [("alert.over", obama), ("alert.begun", biden), ("alert.over", biden)]
        until(lambda: len(events()) >= 4)
        assert events() == expected
        # While nobody is there, for longer: the film begins anew, and with it another visit.
        camera.kill()
        until(lambda: _message(rekognition).startswith(("waiting: ", "connecting: ")))
        camera.start()
        until(lambda: len(events()) >= 6)
        expected += [("alert.begun", obama), ("alert.over", obama)]
        assert events()[:6] == expected
        assert rekognition.describe_stream_processor(Name="gate")["Status"] == "RUNNING"
    finally:
        camera.kill()
        rekognition.stop_stream_processor(Name="gate")
    until(lambda: rekognition.describe_stream_processor(Name="gate")["Status"] == "STOPPED")
    shards = kinesis.describe_stream(StreamName="records")["StreamDescription"]["Shards"]
    place = kinesis.get_shard_iterator(
        StreamName="records", ShardId=shards[0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = [json.loads(each["Data"]) for each in kinesis.get_records(ShardIterator=place)["Records"]]
    assert len(records) > 50
    assert {record["InputInformation"]["KinesisVideo"]["StreamArn"] for record in records} == {arn}
    matched = {
        face["MatchedFaces"][0]["Face"]["ExternalImageId"]
        for record in records
        for face in record["FaceSearchResponse"]
        if face["MatchedFaces"]
    }
    assert matched == {"obama", "biden"}
    rekognition.delete_stream_processor(Name="gate")


def _message(rekognition: Any) -> str:
    return str(rekognition.describe_stream_processor(Name="gate").get("StatusMessage"))


def test_a_connected_home_tells_of_a_person_once_a_session(
    rekognition: Any, home: Any, overt: Overt, service: Callable[[str], Any], shared_data: Path
) -> None:
    film = shared_data / "video" / "intel_one-by-one-person-detection.mp4"
    added = overt("cameras", "add", "hall", f"{film.as_uri()}?loop=1", "--json", "--home", home.home)
    assert added.returncode == 0, added.stderr
    topic = service("sns").create_topic(Name="AmazonRekognition-home")["TopicArn"]
    queue = service("sqs").create_queue(QueueName="home")["QueueUrl"]
    attributes = service("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    service("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    service("s3").create_bucket(Bucket="pictures")
    rekognition.create_stream_processor(
        Name="hall",
        **connected_home(
            json.loads(added.stdout)["arn"],
            NotificationChannel={"SNSTopicArn": topic},
            Settings={"ConnectedHome": {"Labels": ["PERSON"]}},
        ),
    )
    started = rekognition.start_stream_processor(
        Name="hall",
        StartSelector={"KVSStreamStartSelector": {"ProducerTimestamp": 1655930623123}},
        StopSelector={"MaxDurationInSeconds": 30},
    )
    until(lambda: rekognition.describe_stream_processor(Name="hall")["Status"] == "STOPPED")
    told: list[dict[str, Any]] = []

    def complete() -> bool:
        for each in service("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            told.append(json.loads(json.loads(each["Body"])["Message"]))
            service("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
        return any(each["eventNamespace"]["type"] == "STREAM_PROCESSING_COMPLETE" for each in told)

    until(complete)
    assert [each["eventNamespace"]["type"] for each in told] == ["LABEL_DETECTED", "STREAM_PROCESSING_COMPLETE"]
    assert {each["sessionId"] for each in told} == {started["SessionId"]}
    (label,) = told[0]["labels"]
    assert label["name"] == "PERSON"
    keys = [each["Key"] for each in service("s3").list_objects_v2(Bucket="pictures")["Contents"]]
    assert {f"s3://pictures/{key}" for key in keys} == {label["frameImageUri"], label["croppedImageUri"]}
    rekognition.delete_stream_processor(Name="hall")
