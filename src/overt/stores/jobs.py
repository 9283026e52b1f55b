# SPDX-License-Identifier: Apache-2.0
"""Jobs and their findings in SQL; both are dropped, seven days after a job's end, by whoever adds the next one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from collections.abc import Collection as Ids
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, tuple_, update

from overt.stores.base import Checkpoint, Lease, LostError, NotFoundError, StoreError
from overt.stores.schema import findings, jobs
from overt.stores.shelf import AnyRow, among, held
from overt.types import Finding, Footage, Job, Sound, Stored

KEPT = dt.timedelta(days=7)  # as `base.Jobs` promises
# Whoever works on it finds its lease lost.
_RELEASED = {"owner": None, "leased": None, "epoch": jobs.c.epoch + 1, "releases": jobs.c.releases + 1}
_FOUND = (findings.c.time, findings.c.name, findings.c.view, findings.c.body)


class SqlJobs:
    """Implements `base.Jobs`. clock: gives the present time, with its zone."""

    def __init__(self, connection: Connection, clock: Callable[[], dt.datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def add(self, job: Job) -> None:
        """See `base.Jobs.add`."""
        old = select(jobs.c.number).where(jobs.c.ended <= self._clock() - KEPT).with_for_update(skip_locked=True)
        self._connection.execute(delete(jobs).where(jobs.c.number.in_(old)))
        self._connection.execute(
            insert(jobs).values(
                id=job.id,
                account=job.account,
                key_id=job.key_id,
                operation=job.operation,
                bucket=job.video.bucket,
                name=job.video.name,
                version=job.video.version,
                task=job.task,
                created=job.created,
                tag=job.tag,
                topic=job.topic,
                status=job.status,
                message="",
                progress=0.0,
                epoch=0,
                releases=0,
                looked=0.0,
                state="",
                is_told=False,
            )
        )

    def get(self, account: str, job_id: str) -> Job:
        """See `base.Jobs.get`."""
        return _job(self._row(account, job_id))

    def list(self, account: str | None, limit: int) -> Sequence[Job]:
        """See `base.Jobs.list`."""
        statement = select(jobs).where(self._is_kept()).order_by(jobs.c.number.desc()).limit(limit)
        if account is not None:
            statement = statement.where(jobs.c.account == account)
        return [_job(row) for row in self._connection.execute(statement)]

    def open(self, account: str) -> int:
        """See `base.Jobs.open`."""
        statement = select(func.count()).select_from(jobs).where(jobs.c.account == account, jobs.c.ended.is_(None))
        return self._connection.execute(statement).scalar_one()

    def due(self, owner: str) -> Sequence[tuple[str, int]]:
        """See `base.Jobs.due`."""
        free = or_(jobs.c.owner == owner, self._is_free())
        statement = select(jobs.c.id, jobs.c.releases).where(jobs.c.is_told.is_(False), free).order_by(jobs.c.number)
        return [(job_id, releases) for job_id, releases in self._connection.execute(statement)]

    def claim(self, job_id: str, owner: str, seconds: float) -> Lease | None:
        """See `base.Jobs.claim`."""
        mine = jobs.c.owner == owner
        statement = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.is_told.is_(False), or_(mine, self._is_free()))
            .values(owner=owner, leased=self._later(seconds), epoch=jobs.c.epoch + 1)
            .returning(jobs)
        )
        row = self._connection.execute(statement).first()
        return None if row is None else Lease(_job(row), Checkpoint(row.looked, row.state), row.epoch)

    def release(self, job_id: str) -> None:
        """See `base.Jobs.release`."""
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(**_RELEASED))

    def save(
        self,
        lease: Lease,
        checkpoint: Checkpoint,
        findings: Sequence[Finding],
        *,
        seconds: float,
        progress: float,
        footage: Footage,
    ) -> None:
        """See `base.Jobs.save`."""
        number = self._set(
            lease,
            status="RUNNING",
            leased=self._later(seconds),
            looked=checkpoint.time,
            state=checkpoint.state,
            progress=progress,
            footage=json.dumps(asdict(footage)),
        )
        self._append(number, findings)

    def end(self, lease: Lease, *, status: str, message: str = "") -> None:
        """See `base.Jobs.end`."""
        done = {"progress": 1.0} if status == "SUCCEEDED" else {}
        self._set(lease, status=status, message=message, ended=self._clock(), state="", **done)

    def told(self, job_id: str) -> None:
        """See `base.Jobs.told`."""
        self._connection.execute(update(jobs).where(jobs.c.id == job_id).values(is_told=True))

    def cancel(self, account: str, job_id: str, message: str) -> Job:
        """See `base.Jobs.cancel`."""
        row = self._row(account, job_id)
        if row.ended is not None:
            msg = f"job {job_id} is over already: {row.status}"
            raise StoreError(msg)
        values = {"status": "FAILED", "message": message, "ended": self._clock(), "state": ""}
        self._connection.execute(update(jobs).where(jobs.c.number == row.number).values(**values, **_RELEASED))
        return self.get(account, job_id)

    def retry(self, account: str, job_id: str) -> Job:
        """See `base.Jobs.retry`."""
        row = self._row(account, job_id)
        if row.status != "FAILED":
            msg = f"job {job_id} did not fail: {row.status}"
            raise StoreError(msg)
        self._connection.execute(delete(findings).where(findings.c.job == row.number))
        fresh = {"status": "QUEUED", "message": "", "progress": 0.0, "ended": None, "looked": 0.0, "state": ""}
        values = {**fresh, **_RELEASED, "is_told": False}
        self._connection.execute(update(jobs).where(jobs.c.number == row.number).values(**values))
        return self.get(account, job_id)

    def findings(
        self, job_id: str, view: str, after: tuple[Any, ...], limit: int, *, by_name: bool
    ) -> Sequence[tuple[tuple[Any, ...], Finding]]:
        """See `base.Jobs.findings`."""
        place = (*((findings.c.name,) if by_name else ()), findings.c.time, findings.c.number)
        statement = self._found(job_id, view).add_columns(*place).order_by(*place).limit(limit)
        if after:
            statement = statement.where(tuple_(*place) > tuple_(*after))
        width = len(_FOUND)
        return [(tuple(row[width:]), Finding(*row[:width])) for row in self._connection.execute(statement)]

    def named(self, job_id: str, view: str, names: Ids[str]) -> Sequence[Finding]:
        """See `base.Jobs.named`."""
        rows = among(self._connection, self._found(job_id, view), findings.c.name, names)
        return [Finding(*row) for row in rows]

    def _found(self, job_id: str, view: str) -> Any:
        number = select(jobs.c.number).where(jobs.c.id == job_id).scalar_subquery()
        return select(*_FOUND).where(findings.c.job == number, findings.c.view == view)

    def _append(self, number: int, found: Sequence[Finding]) -> None:
        if not found:
            return
        last = select(func.max(findings.c.number)).where(findings.c.job == number)
        first = (self._connection.execute(last).scalar() or 0) + 1
        rows = [
            {"job": number, "number": at, "view": each.view, "time": each.time, "name": each.name, "body": each.body}
            for at, each in enumerate(found, first)
        ]
        self._connection.execute(insert(findings), rows)

    def _set(self, lease: Lease, **values: Any) -> int:
        """Change a job that is leased; its number. Raises: LostError."""
        statement = (
            update(jobs)
            .where(jobs.c.id == lease.job.id, jobs.c.epoch == lease.epoch, jobs.c.ended.is_(None))
            .values(**values)
            .returning(jobs.c.number)
        )
        number: int | None = self._connection.execute(statement).scalar()
        if number is None:
            msg = f"job {lease.job.id} was ended or taken over"
            raise LostError(msg)
        return number

    def _row(self, account: str, job_id: str) -> AnyRow:
        statement = select(jobs).where(jobs.c.account == account, jobs.c.id == job_id, self._is_kept())
        row = self._connection.execute(held(self._connection, statement)).first()
        if row is None:
            msg = f"no job {job_id} in account {account}"
            raise NotFoundError(msg)
        return row

    def _is_kept(self) -> Any:
        return or_(jobs.c.ended.is_(None), jobs.c.ended > self._clock() - KEPT)

    def _is_free(self) -> Any:
        return or_(jobs.c.owner.is_(None), jobs.c.leased <= self._clock())

    def _later(self, seconds: float) -> dt.datetime:
        return self._clock() + dt.timedelta(seconds=seconds)


def _job(row: AnyRow) -> Job:
    return Job(
        id=row.id,
        account=row.account,
        key_id=row.key_id,
        operation=row.operation,
        video=Stored(row.bucket, row.name, row.version),
        task=row.task,
        created=row.created,
        tag=row.tag,
        topic=row.topic,
        status=row.status,
        message=row.message,
        progress=row.progress,
        footage=_footage(row.footage),
        ended=row.ended,
    )


def _footage(text: str | None) -> Footage | None:
    if text is None:
        return None
    fields = json.loads(text)
    return Footage(**{**fields, "sounds": tuple(Sound(**sound) for sound in fields["sounds"])})
