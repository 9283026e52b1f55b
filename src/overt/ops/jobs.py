# SPDX-License-Identifier: Apache-2.0
"""What all operations on stored videos share: to begin a job, to read a page of what it found. Knows no task."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overt.engine import Engine
from overt.errors import LimitExceededException, ResourceNotFoundException
from overt.jobs import task as tasks
from overt.jobs.task import Task
from overt.media.fetch import named
from overt.ops import paging, show
from overt.ops.idempotency import once
from overt.stores.base import NotFoundError, Unit
from overt.types import Call, Finding, Job

_PAGE = 1000
"""Findings of a page, and the most that a caller gets by asking for more. Source: Rekognition's API reference."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what a job found, and what every answer says beside it. findings: none while the job goes on."""

    job: Job
    findings: Sequence[Finding]
    answer: Mapping[str, Any]


def begin(call: Call, engine: Engine, task: Task) -> Mapping[str, Any]:
    """Put a job into the queue. Raises: LimitExceededException; InvalidS3ObjectException; VideoTooLargeException."""
    video = named(call["Video"].get("S3Object") or {})
    account, most = call.caller.account, engine.settings.open_jobs

    def act(unit: Unit) -> Mapping[str, Any]:
        open_jobs = unit.jobs.open(account)
        if open_jobs >= most:
            raise LimitExceededException(
                f"{open_jobs} open Jobs for User arn:aws:iam::{account}:root Maximum limit: {most}",
                detail="wait until jobs are over, or raise the setting open_jobs",
            )
        channel = call.get("NotificationChannel") or {}
        job = Job(
            id=secrets.token_hex(32),
            account=account,
            key_id=call.caller.key_id,
            operation=call.operation,
            video=video,
            task=tasks.write(task),
            created=dt.datetime.now(dt.UTC),
            tag=call.get("JobTag"),
            topic=channel.get("SNSTopicArn"),
        )
        unit.jobs.add(job)
        return {"JobId": job.id}

    answer = once(call, engine, act, check=lambda: engine.media.check_video(video))
    engine.desk.wake()
    return answer


def results(call: Call, engine: Engine, *, view: str = tasks.FRAMES, by_name: bool = False) -> Found:
    """A page of findings, by time, or by name and then time. Raises: ResourceNotFoundException."""
    limit = min(call.get("MaxResults") or _PAGE, _PAGE)
    with engine.stores.read() as unit:
        job = _find(unit, call)
        is_done = job.status == "SUCCEEDED"
        after = tuple(paging.after(call, engine, []))
        rows = unit.jobs.findings(job.id, view, after, limit + 1, by_name=by_name) if is_done else ()
    page = paging.cut(call, engine, rows, limit, lambda row: row[0])
    answer = {
        "JobStatus": "IN_PROGRESS" if not job.is_over else job.status,
        "StatusMessage": job.message or None,
        "VideoMetadata": show.footage(job.footage) if is_done and job.footage else None,
        "NextToken": page.token,
        "JobId": job.id,
        "Video": {"S3Object": {"Bucket": job.video.bucket, "Name": job.video.name, "Version": job.video.version}},
        "JobTag": job.tag,
    }
    return Found(job, [finding for _, finding in page.rows], answer)


def _find(unit: Unit, call: Call) -> Job:
    try:
        job = unit.jobs.get(call.caller.account, call["JobId"])
    except NotFoundError:
        job = None
    if job is None or job.operation != call.operation.replace("Get", "Start", 1):
        raise ResourceNotFoundException(
            "Could not find JobId",
            detail="there is no such job of this account, it is over for more than seven days, or another operation "
            "began it",
        )
    return job
