# SPDX-License-Identifier: Apache-2.0
"""Tells that a job is over: to an SNS topic, or to a web hook that the settings put in a topic's place.

Source: Rekognition's developer guide, "Getting the analysis results of an Amazon Rekognition Video operation", with the
name of the Start operation in `API`, as the service itself has it; Standard Webhooks 1.0.0 for web hooks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog

from overt.outlets import webhooks
from overt.outlets.base import SendError
from overt.outlets.clients import Clients, taken_by
from overt.types import Job

log = structlog.get_logger(__name__)


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
        self._clients = Clients({"sns": endpoint})

    def send(self, job: Job) -> None:
        """Tell that a job is over, if anybody wants to know. Raises: NoticeError."""
        if job.topic is None:
            return
        text = json.dumps(message(job))
        hook = self._hooks.get(job.topic)
        try:
            if hook is None:
                self._publish(job.topic, text)
            else:
                webhooks.tell(hook, self._secret, job.id, text.encode())
        except SendError as error:
            msg = f"the end of job {job.id} was not told: {error}"
            raise NoticeError(msg) from error
        log.info("job told", job=job.id, to="web hook" if hook else "topic")

    def _publish(self, topic: str, text: str) -> None:
        with taken_by(f"the topic {topic}"):
            self._clients.sns(topic.split(":")[3]).publish(TopicArn=topic, Message=text)


def message(job: Job) -> dict[str, object]:
    """What is told: status, names and times, nothing of what was found."""
    video = {"S3ObjectName": job.video.name, "S3Bucket": job.video.bucket}
    told: dict[str, object] = {"JobId": job.id, "Status": job.status, "API": job.operation}
    if job.tag is not None:
        told["JobTag"] = job.tag
    ended = job.ended or job.created
    return {**told, "Timestamp": int(ended.timestamp() * 1000), "Video": video}
