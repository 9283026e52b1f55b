# SPDX-License-Identifier: Apache-2.0
"""Notices: what they tell, that web hooks get them signed, and what becomes of one that nobody takes."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from takers import Web, verified

from overt.jobs.notices import NoticeError, Notices, message
from overt.types import Job, Stored

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ends"
SECRET = b"s" * 24


def job(**changes: Any) -> Job:
    created = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    fields = {
        "id": "f" * 64,
        "account": "000000000001",
        "key_id": "AKIA",
        "operation": "StartLabelDetection",
        "video": Stored("clips", "a/b.mp4"),
        "task": "{}",
        "created": created,
        "topic": TOPIC,
        "status": "SUCCEEDED",
        "ended": created + dt.timedelta(milliseconds=1),
    }
    return Job(**{**fields, **changes})


def test_a_notice_is_that_of_the_service() -> None:
    assert message(job()) == {
        "JobId": "f" * 64,
        "Status": "SUCCEEDED",
        "API": "StartLabelDetection",
        "Timestamp": 1767268800001,
        "Video": {"S3ObjectName": "a/b.mp4", "S3Bucket": "clips"},
    }
    assert message(job(tag="kitchen"))["JobTag"] == "kitchen"


def test_a_web_hook_gets_it_signed_in_the_topics_place() -> None:
    web = Web()
    Notices({TOPIC: f"http://127.0.0.1:{web.port}/"}, SECRET).send(job())
    web.stop()
    ((_, headers, body),) = web.posts
    assert verified(SECRET, headers, body)
    assert headers["webhook-id"] == "f" * 64
    assert json.loads(body) == message(job())


def test_a_job_without_a_topic_is_told_to_nobody() -> None:
    Notices({}, b"", "http://127.0.0.1:1").send(job(topic=None))


@pytest.mark.parametrize("hooks", [{}, {TOPIC: "http://127.0.0.1:1/hunter2"}])
def test_what_nobody_takes_is_told(hooks: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(NoticeError, match="was not told") as caught:
        Notices(hooks, SECRET, "http://127.0.0.1:1").send(job())
    assert "hunter2" not in str(caught.value)
