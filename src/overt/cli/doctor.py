# SPDX-License-Identifier: Apache-2.0
"""`overt doctor`: is everything in order here? Exit code 1 when something is not."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from overt.cli import output
from overt.cli.home import engine
from overt.engine import Engine
from overt.govern import keys
from overt.ops import registry
from overt.stores import postgresql, urls
from overt.stores.base import StoreError
from overt.stores.kernels import choose
from overt.wire.services import rekognition

_LEAST_FREE = 1 << 30  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ok: False makes the command fail."""

    subject: str
    ok: bool
    told: str


def doctor(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Check models, licences, decoding, database, disk and port."""
    try:
        with engine(home) as opened:
            findings = list(_findings(opened))
    except StoreError as error:
        findings = [Finding("database", ok=False, told=str(error))]
    healthy = all(finding.ok for finding in findings)

    def people() -> None:
        for finding in findings:
            output.line(f"{'ok ' if finding.ok else 'BAD'}  {finding.subject}: {finding.told}")

    output.show({"ok": healthy, "findings": [asdict(finding) for finding in findings]}, people, as_json=as_json)
    if not healthy:
        raise typer.Exit(1)


def _findings(opened: Engine) -> Iterator[Finding]:
    settings = opened.settings
    yield Finding(
        "python", ok=True, told=f"{platform.python_version()} on {platform.machine()}, {os.cpu_count()} cores"
    )
    yield from _packs(opened)
    opened.media.start()
    yield Finding("decoding", ok=True, told=opened.media.confinement)
    yield _database(opened)
    yield Finding("search", ok=True, told=f"{choose(settings.search_kernel).name}, segments in {settings.segments}")
    yield _keys(opened)
    free = shutil.disk_usage(settings.home).free
    yield Finding("disk", ok=free > _LEAST_FREE, told=f"{free / 1e9:.1f} GB free for {settings.home}")
    yield _port(settings.host, settings.port)
    source = settings.s3_endpoint or ("AWS" if settings.uses_s3 else "not used")
    yield Finding("pictures", ok=True, told=f"local buckets in {settings.bucket_folder}; S3: {source}")
    yield Finding("operations", ok=True, told=f"{len(registry.offered())} of {len(rekognition().operations)} offered")


def _packs(opened: Engine) -> Iterator[Finding]:
    for pack in opened.models.packs:
        problems = pack.verify()
        told = "; ".join(problems) or f"{len(pack.models)} models, every sha256 and licence right"
        yield Finding(f"pack {pack.id} {pack.version}", ok=not problems, told=told)
    for task, words in opened.models.problems.items():
        yield Finding(task if task.startswith("pack ") else f"models for {task}", ok=False, told=words)


def _database(opened: Engine) -> Finding:
    url = opened.settings.store_url
    if urls.kind(url) == "postgresql":
        fine, told = postgresql.describe(url)
        return Finding("database", ok=fine, told=f"{urls.shown(url)}, {told}")
    file = Path(urls.shown(url))
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    connection.close()
    size = file.stat().st_size
    return Finding("database", ok=told == "ok", told=f"{file}, {size / 1e6:.1f} MB, quick check: {told}")


def _keys(opened: Engine) -> Finding:
    foreign = keys.foreign(opened.stores)
    if not foreign:
        return Finding("access keys", ok=True, told=f"all open with {opened.settings.master_key}")
    told = f"{len(foreign)} were made with another master key; copy the master.key of the server that made them here"
    return Finding("access keys", ok=False, told=told)


def _port(host: str, port: int) -> Finding:
    if port == 0:
        return Finding("port", ok=True, told="any free one")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        used = probe.connect_ex((host, port)) == 0
    return Finding("port", ok=True, told=f"{host}:{port} " + ("is in use (by a running overt?)" if used else "is free"))
