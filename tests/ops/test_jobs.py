# SPDX-License-Identifier: Apache-2.0
"""A client program of the usual shape: begin a job, wait for its notice in a queue behind a topic, page the results.

Buckets, topics and queues are those of moto's server; the program knows nothing of overt but its address.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import filming
import pytest

ROLE = "arn:aws:iam::123456789012:role/rekognition"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class VideoClient:
    """Runs jobs on one video and collects what they find."""

    def __init__(self, rekognition: Any, sns: Any, sqs: Any, video: dict[str, Any]) -> None:
        self._rekognition = rekognition
        self._sns = sns
        self._sqs = sqs
        self._video = video
        self._topic = sns.create_topic(Name="AmazonRekognition-ends")["TopicArn"]
        self._queue = sqs.create_queue(QueueName="ends")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        subscribed = sns.subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._subscription = subscribed["SubscriptionArn"]

    def run(self, start: Callable[..., Any], get: Callable[..., Any], items: str, **asked: Any) -> list[dict[str, Any]]:
        """All items that a job finds."""
        channel = {"SNSTopicArn": self._topic, "RoleArn": ROLE}
        job = start(Video=self._video, NotificationChannel=channel, JobTag="program", **asked)["JobId"]
        notice = self._notice(job)
        assert notice["Status"] == "SUCCEEDED"
        assert notice["JobTag"] == "program"
        assert notice["Video"] == {"S3Bucket": "films", "S3ObjectName": "a/b.mp4"}
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = get(JobId=job, MaxResults=10, **token)
            assert page["JobStatus"] == "SUCCEEDED"
            found += page[items]
            if "NextToken" not in page:
                return found
            token = {"NextToken": page["NextToken"]}

    def close(self) -> None:
        """Take away what was made for this program."""
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._queue)
        self._sns.delete_topic(TopicArn=self._topic)

    def _notice(self, job: str) -> dict[str, Any]:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            for received in self._sqs.receive_message(QueueUrl=self._queue, WaitTimeSeconds=1).get("Messages", ()):
                notice = json.loads(json.loads(received["Body"])["Message"])
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=received["ReceiptHandle"])
                if notice["JobId"] == job:
                    return dict(notice)
        raise AssertionError("no notice came")


@pytest.fixture(scope="module")
def service(aws: str) -> Callable[[str], Any]:
    keys = {name.lower(): value for name, value in KEYS.items()}
    return lambda name: boto3.client(name, region_name="eu-west-1", endpoint_url=aws, **keys)


@pytest.fixture(scope="module")
def rekognition(start_server: Callable[..., Any], aws: str, photos: Path) -> Any:
    client = start_server(OVERT_S3_ENDPOINT=aws, OVERT_SNS_ENDPOINT=aws, **KEYS).client()
    client.create_collection(CollectionId="staff")
    image = {"Bytes": (photos / "biden.jpg").read_bytes()}
    client.index_faces(CollectionId="staff", Image=image, ExternalImageId="biden")
    return client


@pytest.fixture(scope="module")
def program(rekognition: Any, service: Callable[[str], Any], photos: Path) -> Iterator[VideoClient]:
    place = {"LocationConstraint": "eu-west-1"}
    service("s3").create_bucket(Bucket="films", CreateBucketConfiguration=place)
    parts = (filming.passing(photos / "biden.jpg", 2), filming.sign("NO ENTRY", 1))
    service("s3").put_object(Bucket="films", Key="a/b.mp4", Body=filming.film(itertools.chain(*parts)))
    video = {"S3Object": {"Bucket": "films", "Name": "a/b.mp4"}}
    client = VideoClient(rekognition, service("sns"), service("sqs"), video)
    yield client
    client.close()


def test_labels(program: VideoClient, rekognition: Any) -> None:
    found = program.run(rekognition.start_label_detection, rekognition.get_label_detection, "Labels")
    assert "Person" in {each["Label"]["Name"] for each in found}


def test_faces(program: VideoClient, rekognition: Any) -> None:
    found = program.run(rekognition.start_face_detection, rekognition.get_face_detection, "Faces")
    assert {each["Timestamp"] for each in found} >= {0, 1000}


def test_face_search(program: VideoClient, rekognition: Any) -> None:
    start, get = rekognition.start_face_search, rekognition.get_face_search
    found = program.run(start, get, "Persons", CollectionId="staff")
    assert {match["Face"]["ExternalImageId"] for each in found for match in each["FaceMatches"]} == {"biden"}


def test_people(program: VideoClient, rekognition: Any) -> None:
    found = program.run(rekognition.start_person_tracking, rekognition.get_person_tracking, "Persons")
    assert 0 in {each["Person"]["Index"] for each in found}


def test_text(program: VideoClient, rekognition: Any) -> None:
    found = program.run(rekognition.start_text_detection, rekognition.get_text_detection, "TextDetections")
    assert {each["TextDetection"]["DetectedText"] for each in found} == {"NO ENTRY", "NO", "ENTRY"}


def test_moderation(program: VideoClient, rekognition: Any) -> None:
    start, get = rekognition.start_content_moderation, rekognition.get_content_moderation
    found = program.run(start, get, "ModerationLabels", MinConfidence=0)
    assert {"Explicit", "Violence"} <= {each["ModerationLabel"]["Name"] for each in found}


def test_segments(program: VideoClient, rekognition: Any) -> None:
    start, get = rekognition.start_segment_detection, rekognition.get_segment_detection
    found = program.run(start, get, "Segments", SegmentTypes=["SHOT", "TECHNICAL_CUE"])
    assert [each["ShotSegment"]["Index"] for each in found if each["Type"] == "SHOT"] == [0, 1]


def test_a_job_that_fails_is_told_too(rekognition: Any, service: Callable[[str], Any], program: VideoClient) -> None:
    service("s3").put_object(Bucket="films", Key="notes.mp4", Body=b"not a film")
    broken = VideoClient(
        rekognition, service("sns"), service("sqs"), {"S3Object": {"Bucket": "films", "Name": "notes.mp4"}}
    )
    channel = {"SNSTopicArn": broken._topic, "RoleArn": ROLE}
    job = rekognition.start_face_detection(Video=broken._video, NotificationChannel=channel)["JobId"]
    notice = broken._notice(job)
    assert (notice["Status"], notice["API"]) == ("FAILED", "StartFaceDetection")
    assert "JobTag" not in notice
