# SPDX-License-Identifier: Apache-2.0
"""`overt jobs`: what becomes of jobs on stored videos, for whoever runs the server. Works beside a running one."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Any

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.engine import Engine
from overt.stores.base import Unit
from overt.types import Job

app = typer.Typer(help="Jobs on stored videos.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(help="Its id, or the first digits of it that no other has.")]
_MOST = 100_000
"""Jobs that an id is looked for among."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@app.command("list")
def list_jobs(
    account: Annotated[str | None, typer.Option(help="Only jobs of this account [default: of all].")] = None,
    most: Annotated[int, typer.Option("--max", min=1, max=_MOST, help="Most jobs to show, the newest first.")] = 100,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Show jobs that are open, and those that ended within seven days."""
    with engine(home) as opened, opened.stores.read() as unit:
        jobs = unit.jobs.list(account, most)
    cells = [
        (job.id[:12], job.account, _kind(job), _video(job), job.status, _percent(job), _age(job), job.message)
        for job in jobs
    ]

    def people() -> None:
        if cells:
            output.table(("job", "account", "kind", "video", "status", "done", "begun", "message"), cells)
        else:
            output.line("no jobs")

    output.show({"jobs": [_told(job) for job in jobs]}, people, as_json=as_json)


@app.command("show")
def show_job(job: JobArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Show all that is known of one job, but for what it found."""
    with engine(home) as opened, opened.stores.read() as unit:
        found = _find(unit, job)
    told = _told(found)
    rows = {**told, **(told["footage"] or {}), "footage": None}
    shown = [(name, value) for name, value in rows.items() if value not in (None, ())]
    output.show(told, lambda: output.table(("", ""), shown), as_json=as_json)


@app.command("cancel")
def cancel(
    job: JobArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """End a job that is not over: it fails, and whoever waits for it is told so."""
    with engine(home) as opened:
        found = _get(opened, job)
        question = f"End {_kind(found)} of {_video(found)}, {_percent(found)} done, for good?"
        if not yes and not typer.confirm(question, err=True):
            raise output.CommandError("nothing was cancelled")
        with recorded(opened, "CancelJob", found.id), opened.stores.write() as unit:
            done = unit.jobs.cancel(found.account, found.id, "cancelled by the operator")
    output.show(_told(done), lambda: output.line(f"cancelled {done.id}"), as_json=as_json)


@app.command("retry")
def retry(job: JobArgument, home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Begin a failed job again from the start; a running server takes it up, or the next one to be started."""
    with engine(home) as opened:
        found = _get(opened, job)
        with recorded(opened, "RetryJob", found.id), opened.stores.write() as unit:
            done = unit.jobs.retry(found.account, found.id)
    output.show(_told(done), lambda: output.line(f"queued {done.id}"), as_json=as_json)


def _get(opened: Engine, sought: str) -> Job:
    with opened.stores.read() as unit:
        return _find(unit, sought)


def _find(unit: Unit, sought: str) -> Job:
    """Raises: CommandError unless there is just one."""
    found = [job for job in unit.jobs.list(None, _MOST) if sought and job.id.startswith(sought.lower())]
    if not found:
        raise output.CommandError(f"there is no job {sought}, or it is over for seven days; see `overt jobs list`")
    if len(found) > 1:
        raise output.CommandError(f"{len(found)} jobs begin with {sought}; give more digits")
    return found[0]


def _told(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "account": job.account,
        "key": job.key_id,
        "operation": job.operation,
        "bucket": job.video.bucket,
        "name": job.video.name,
        "version": job.video.version,
        "status": job.status,
        "progress": round(job.progress, 4),
        "message": job.message or None,
        "created": job.created.isoformat(),
        "ended": job.ended.isoformat() if job.ended else None,
        "tag": job.tag,
        "topic": job.topic,
        "task": job.task,
        "footage": asdict(job.footage) if job.footage else None,
    }


def _kind(job: Job) -> str:
    return job.operation.removeprefix("Start")


def _video(job: Job) -> str:
    return f"{job.video.bucket}/{job.video.name}"


def _percent(job: Job) -> str:
    return f"{int(job.progress * 100)} %"


def _age(job: Job) -> str:
    seconds = (dt.datetime.now(dt.UTC) - job.created).total_seconds()
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return f"{max(int(seconds), 0)} s ago"
