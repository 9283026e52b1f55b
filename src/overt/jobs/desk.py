# SPDX-License-Identifier: Apache-2.0
"""Takes jobs from the store, looks at their videos, and keeps what they showed. One for each server."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import structlog

from overt.errors import WireError
from overt.jobs import analysis, task
from overt.jobs.analysis import Chunk
from overt.jobs.notices import Notices
from overt.jobs.task import Tools
from overt.media.pictures import Media
from overt.media.video import PlayerError, Video, VideoError
from overt.models.pack import PackError
from overt.stores.base import Lease, LostError, NotFoundError, StoreError, WrongModelError

log = structlog.get_logger(__name__)

_LEASE = 60.0  # seconds: many times what a chunk takes; after that another server may take a job over
_POLL = 1.0  # seconds between two looks for jobs that came by another process


class StoppedError(BaseException):
    """The server is about to end: the work is left as it is, and goes on when the server is there again.

    No Exception, as those end a workflow for good.
    """


class Desk:
    """Works on jobs, some at a time, from `open` to `close`."""

    def __init__(self, media: Media, tools: Tools, notices: Notices, *, file: Path, owner: str, workers: int) -> None:
        """Args: file, owner, workers: see `workflows.open_queue`."""
        self._media = media
        self._tools = tools
        self._notices = notices
        self._file = file
        self._owner = owner
        self._workers = workers
        self._queue: ModuleType | None = None  # opened for the first job: most servers never have one
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._clerk = threading.Thread(target=self._fetch, name="jobs", daemon=True)

    def open(self) -> None:
        """Begin to work on what is there and what comes."""
        self._clerk.start()

    def close(self) -> None:
        """Stop; what is under way goes on at the next `open` from its last chunk."""
        self._stopped.set()
        self._wake.set()
        if self._clerk.is_alive():
            self._clerk.join()
        if self._queue is not None:
            self._queue.close_queue()

    def wake(self) -> None:
        """There is a new job."""
        self._wake.set()

    def analyse(self, job_id: str) -> None:
        """Look at a job's video, from where an earlier attempt stopped.

        Raises: StoppedError; StoreError, after which it may be called again.
        """
        self._go_on()
        with self._tools.stores.write() as unit:
            lease = unit.jobs.claim(job_id, self._owner, _LEASE)
        if lease is None or lease.job.is_over:
            return
        with suppress(LostError):
            failure = self._look(lease)
            if failure is not None:
                with self._tools.stores.write() as unit:
                    unit.jobs.end(lease, status="FAILED", message=failure)
            status = "SUCCEEDED" if failure is None else "FAILED"
            log.info("job over", job=job_id, operation=lease.job.operation, status=status)

    def tell(self, job_id: str) -> None:
        """Tell whoever wants to know that a job is over.

        Raises: StoppedError; StoreError and NoticeError, after which it may be called again.
        """
        self._go_on()
        with self._tools.stores.write() as unit:
            lease = unit.jobs.claim(job_id, self._owner, _LEASE)
        if lease is None or not lease.job.is_over:
            return
        self._notices.send(lease.job)
        with self._tools.stores.write() as unit:
            unit.jobs.told(job_id)

    def _look(self, lease: Lease) -> str | None:
        """Work through the video, and end the job together with its last chunk.

        Returns: why it failed, None when it did not. Raises: StoppedError; StoreError.
        """
        job = lease.job
        try:
            self._work(lease)
        except (VideoError, PackError, NotFoundError, WrongModelError) as error:
            return str(error)
        except StoreError:
            raise
        except WireError as error:
            return error.detail or str(error)
        except Exception:
            log.exception("job failed", job=job.id)
            return f"an error of the server's; its log says more of job {job.id}"
        return None

    def _work(self, lease: Lease) -> None:
        """Keep chunk by chunk; a player that dies is replaced, but not twice at the same chunk.

        Raises: StoppedError; StoreError; VideoError, PackError, WireError and whatever else fails the job.
        """
        sought, checkpoint, died = task.read(lease.job.task), lease.checkpoint, False
        while True:
            try:
                with self._media.video(lease.job.video) as video:
                    for chunk in analysis.look(video, sought, self._tools, checkpoint):
                        self._keep(lease, chunk, video)
                        checkpoint, died = chunk.checkpoint, False
                        if not chunk.is_last:
                            self._go_on()
            except PlayerError:
                if died:
                    raise
                died = True
                log.warning("a player died and is replaced", job=lease.job.id)
            else:
                return

    def _keep(self, lease: Lease, chunk: Chunk, video: Video) -> None:
        with self._tools.stores.write() as unit:
            unit.jobs.save(
                lease,
                chunk.checkpoint,
                chunk.findings,
                seconds=_LEASE,
                progress=chunk.progress,
                footage=video.footage,
            )
            if chunk.is_last:
                unit.jobs.end(lease, status="SUCCEEDED", message=chunk.caution)

    def _go_on(self) -> None:
        """Raises: StoppedError when the server is about to end."""
        if self._stopped.is_set():
            raise StoppedError

    def _fetch(self) -> None:
        """Put what is due into the queue, until the end."""
        while not self._stopped.is_set():
            self._wake.wait(_POLL)
            self._wake.clear()
            try:
                self._enqueue()
            except StoreError as error:
                log.warning("no jobs could be fetched", reason=str(error))
            except Exception:  # the queue's own file may be what is wrong
                log.exception("no jobs could be put into the queue")

    def _enqueue(self) -> None:
        with self._tools.stores.read() as unit:
            due = unit.jobs.due(self._owner)
        if due and self._queue is None:
            from overt.jobs import workflows  # noqa: PLC0415 - half a second, and 60 MB

            workflows.open_queue(self, self._file, self._owner, self._workers)
            self._queue = workflows
        for job_id, attempt in due:
            self._push(job_id, attempt)

    def _push(self, job_id: str, attempt: int) -> None:
        """Put an attempt into the queue; one that gave up may have done so for reasons that passed."""
        if self._queue is not None and not self._queue.enqueue(job_id, attempt):
            with self._tools.stores.write() as unit:
                unit.jobs.release(job_id)
