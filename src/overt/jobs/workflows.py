# SPDX-License-Identifier: Apache-2.0
"""The durable part of jobs: a queue and its workflow, kept by DBOS in a file of this server.

DBOS begins again, after a crash, what it had begun; what a job had found by then lies in the store, which is the truth
and knows which server works on which job. DBOS is one for a process, so this module holds the one desk it works for.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TypedDict

from dbos import DBOS, DBOSConfig, SetWorkflowID

from overt.jobs.desk import Desk, StoppedError

QUEUE = "videos"


class _Again(TypedDict):
    """Which steps are taken again when they fail; see DBOS."""

    retries_allowed: bool
    max_attempts: int
    interval_seconds: float
    backoff_rate: float


_ALIVE = frozenset({"ENQUEUED", "PENDING", "DELAYED"})
_SELDOM = 60.0  # seconds
_POLL = 0.5  # seconds between two looks at the queue
# A database or a topic that cannot be reached is tried for some 70 minutes.
_AGAIN: _Again = {"retries_allowed": True, "max_attempts": 12, "interval_seconds": 1.0, "backoff_rate": 2.0}


class _Held:
    """The desk that this process's DBOS works for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.desk: Desk | None = None

    def get(self) -> Desk:
        if self.desk is None:
            raise StoppedError
        return self.desk


_HELD = _Held()


def open_queue(desk: Desk, file: Path, owner: str, workers: int) -> None:
    """Begin to work: on what was begun before, and on what `enqueue` brings.

    Args: file: where DBOS keeps its state, made if it is not there. owner: this server's name, the same after a
    restart. workers: jobs at the same time. Raises: RuntimeError when this process works for another desk already.
    """
    with _HELD.lock:
        if _HELD.desk is not None:
            msg = "this process works on the jobs of another engine already"
            raise RuntimeError(msg)
        _HELD.desk = desk
    config: DBOSConfig = {
        "name": "overt",
        "system_database_url": f"sqlite:///{file}",
        "executor_id": owner,
        "application_version": "1",  # of the workflow below: a change of its steps is a new one
        "console_log_level": "ERROR",
        "enable_otlp": False,
        # Nothing here is scheduled, sent or listened for.
        "scheduler_polling_interval_sec": _SELDOM,
        "notification_listener_polling_interval_sec": _SELDOM,
    }
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=workers, polling_interval_sec=_POLL)


def close_queue() -> None:
    """End the work. The desk has to raise StoppedError from what it is at."""
    with _HELD.lock:
        _HELD.desk = None
    DBOS.destroy()


def enqueue(job_id: str, attempt: int) -> bool:
    """Put a job's attempt into the queue unless it is there; False when that attempt is over."""
    name = f"{job_id}.{attempt}"
    status = DBOS.get_workflow_status(name)
    if status is None:
        with SetWorkflowID(name):
            DBOS.enqueue_workflow(QUEUE, work, job_id)
    return status is None or status.status in _ALIVE


@DBOS.workflow(name="video")
def work(job_id: str) -> None:
    """One job: look at the video, then tell."""
    analyse(job_id)
    tell(job_id)


@DBOS.step(name="analyse", **_AGAIN)
def analyse(job_id: str) -> None:
    """See `Desk.analyse`."""
    _HELD.get().analyse(job_id)


@DBOS.step(name="tell", **_AGAIN)
def tell(job_id: str) -> None:
    """See `Desk.tell`."""
    _HELD.get().tell(job_id)
