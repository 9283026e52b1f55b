# SPDX-License-Identifier: Apache-2.0
"""The end of a job is told to a real topic (of moto's server) and to a real web hook, or the failure is."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from overt.jobs.notices import NoticeError, Notices, message
from overt.types import Job, Stored

SECRET = b"0123456789abcdef0123456789"
NOON = dt.datetime(2026, 1, 2, 12, 0, 0, 250000, tzinfo=dt.UTC)
JOB = Job(
    id="ab" * 32,
    account="000000000001",
    key_id="KEY",
    operation="StartLabelDetection",
    video=Stored("clips", "a/b.mp4"),
    task="{}",
    created=NOON,
    tag="holiday",
    topic="arn:aws:sns:eu-west-1:123456789012:ends",
    status="SUCCEEDED",
    ended=NOON,
)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Hook:
    """A web hook that answers with a status, and what came to it."""

    def __init__(self) -> None:
        self.status = 204
        self.came: list[tuple[dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                hook.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(hook.status)
                self.send_header("location", f"{hook.url}/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


def test_the_message_is_as_clients_of_the_service_expect_it() -> None:
    assert message(JOB) == {
        "JobId": "ab" * 32,
        "Status": "SUCCEEDED",
        "API": "StartLabelDetection",
        "JobTag": "holiday",
        "Timestamp": 1767355200250,
        "Video": {"S3ObjectName": "a/b.mp4", "S3Bucket": "clips"},
    }
    assert "JobTag" not in message(replace(JOB, tag=None))


def test_a_topic_is_told_and_its_queue_has_it(aws: str) -> None:
    def service(name: str) -> Any:
        return boto3.client(name, region_name="eu-west-1", endpoint_url=aws)

    topic = service("sns").create_topic(Name="ends")["TopicArn"]
    queue = service("sqs").create_queue(QueueName="ends")["QueueUrl"]
    arn = service("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    service("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    Notices({}, b"", aws).send(replace(JOB, topic=topic))
    (received,) = service("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(json.loads(received["Body"])["Message"]) == message(JOB)


def test_a_topic_that_is_not_there_is_an_error_to_try_again(aws: str) -> None:
    with pytest.raises(NoticeError, match="was not told"):
        Notices({}, b"", aws).send(replace(JOB, topic="arn:aws:sns:eu-west-1:123456789012:missing"))


def test_nobody_is_told_where_nobody_asked() -> None:
    Notices({}, b"", "http://127.0.0.1:1").send(replace(JOB, topic=None))


def test_a_web_hook_in_a_topics_place_is_told_with_a_signature(hook: Hook) -> None:
    Notices({JOB.topic or "": hook.url}, SECRET).send(JOB)
    ((headers, body),) = hook.came
    assert json.loads(body) == message(JOB)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == JOB.id
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_web_hook_that_does_not_take_it_is_an_error_to_try_again(hook: Hook, status: int) -> None:
    hook.status = status
    with pytest.raises(NoticeError, match="was not told"):
        Notices({JOB.topic or "": f"{hook.url}/secret-path"}, SECRET).send(JOB)
    assert len(hook.came) == 1


def test_an_error_names_no_path_of_a_web_hook() -> None:
    with pytest.raises(NoticeError) as caught:
        Notices({JOB.topic or "": "http://127.0.0.1:1/secret-path"}, SECRET).send(JOB)
    assert "secret-path" not in str(caught.value)
