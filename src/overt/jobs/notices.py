# SPDX-License-Identifier: Apache-2.0
"""Tells that a job is over: to an SNS topic, or to a web hook that the settings put in a topic's place.

Source: Rekognition's developer guide, "Getting the analysis results of an Amazon Rekognition Video operation", with the
name of the Start operation in `API`, as the service itself has it; Standard Webhooks 1.0.0 for web hooks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from overt.types import Job

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

log = structlog.get_logger(__name__)

_SECONDS = 10.0


class NoticeError(Exception):
    """Nobody took the notice; it is worth trying again."""


class Notices:
    """Sends notices. Thread-safe.

    Args: hooks: URLs of web hooks, by the ARN of the topic in whose place they are. secret: that web hooks are signed
        with. endpoint: URL of an SNS service other than AWS.
    """

    def __init__(self, hooks: Mapping[str, str], secret: bytes, endpoint: str | None = None) -> None:
        self._hooks = dict(hooks)
        self._secret = secret
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._clients: dict[str, SNSClient] = {}

    def send(self, job: Job) -> None:
        """Tell that a job is over, if anybody wants to know. Raises: NoticeError."""
        if job.topic is None:
            return
        text = json.dumps(message(job))
        hook = self._hooks.get(job.topic)
        if hook is None:
            self._publish(job.topic, text)
        else:
            self._post(hook, job.id, text.encode())
        log.info("job told", job=job.id, to="web hook" if hook else "topic")

    def _publish(self, topic: str, text: str) -> None:
        import botocore.exceptions  # noqa: PLC0415 - 0.2 s that only users of topics pay

        try:
            self._sns(topic.split(":")[3]).publish(TopicArn=topic, Message=text)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            msg = f"the topic {topic} did not take the notice: {error}"
            raise NoticeError(msg) from error

    def _sns(self, region: str) -> SNSClient:
        with self._lock:
            client = self._clients.get(region)
            if client is None:
                import boto3  # noqa: PLC0415
                from botocore.config import Config  # noqa: PLC0415

                config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1})
                session = boto3.session.Session()
                client = session.client("sns", region_name=region, endpoint_url=self._endpoint, config=config)
                self._clients[region] = client
            return client

    def _post(self, url: str, number: str, body: bytes) -> None:
        now = str(int(time.time()))
        headers = {"content-type": "application/json", **signed(self._secret, number, now, body)}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - settings take http and https only
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
                status = response.status
        except OSError as error:
            msg = f"the web hook at {urlsplit(url).netloc} did not take the notice: {error}"
            raise NoticeError(msg) from error
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            msg = f"the web hook at {urlsplit(url).netloc} answered {status}"
            raise NoticeError(msg)


def message(job: Job) -> dict[str, object]:
    """What is told: status, names and times, nothing of what was found."""
    video = {"S3ObjectName": job.video.name, "S3Bucket": job.video.bucket}
    told: dict[str, object] = {"JobId": job.id, "Status": job.status, "API": job.operation}
    if job.tag is not None:
        told["JobTag"] = job.tag
    ended = job.ended or job.created
    return {**told, "Timestamp": int(ended.timestamp() * 1000), "Video": video}


def signed(secret: bytes, number: str, now: str, body: bytes) -> dict[str, str]:
    """The headers of a web hook. Source: Standard Webhooks 1.0.0, signature scheme v1 (HMAC-SHA256)."""
    digest = hmac.new(secret, b".".join([number.encode(), now.encode(), body]), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {"webhook-id": number, "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}
