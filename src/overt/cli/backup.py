# SPDX-License-Identifier: Apache-2.0
"""`overt backup` and `overt restore`: a home folder into one file beside a running server, and back."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from overt import settings
from overt.cli import logs, output, progress
from overt.cli.home import SERVER_LOCK, alone, engine
from overt.cli.record import recorded
from overt.settings import Settings
from overt.stores import backup as backups
from overt.stores import files, restore
from overt.stores.base import StoreError
from overt.stores.restore import Restored


def backup(
    target: Annotated[Path, typer.Argument(help="File to write, which is not there yet, or a folder to write one in.")],
    models: Annotated[bool, typer.Option("--with-models", help="Also save models that were added.")] = False,
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Leave out the master key and the owner's credentials.")
    ] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Save all data but the buckets to one file, beside a running server. Guard it as what it holds."""
    chosen = settings.load(home=home)
    backups.check_url(chosen.store_url)
    moment = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    file = target / f"overt-{moment}.backup" if target.is_dir() else target
    try:
        with engine(home) as opened, files.new(file) as path, recorded(opened, "BackupData", ""):
            size = sum(part.stat().st_size for part in chosen.home.glob("overt.db*"))  # with what is in its log
            with progress.steps("saving", 2 * size, quiet=as_json) as advance:
                saved = backups.write(chosen, path, advance, secrets=not without_secrets, models=models)
    except FileExistsError:
        raise output.CommandError(f"there is a file {file} already; choose another name") from None
    except backups.BackupError as error:
        raise output.CommandError(str(error)) from None
    size = file.stat().st_size

    def people() -> None:
        output.line(f"{saved.collections} collections with {saved.faces} faces are in {file}, {size / 1e6:.1f} MB")
        secrets = (
            "it holds no keys' secrets: keep master.key as well" if without_secrets else "it opens all access keys"
        )
        output.line(f"{secrets}; it holds biometric data: guard it, and delete it when its time has come")

    output.show({"file": str(file), "bytes": size, **asdict(saved)}, people, as_json=as_json)


def restore_backup(
    file: Annotated[Path, typer.Argument(help="File that `overt backup` wrote.")],
    told: Annotated[
        list[Path] | None,
        typer.Option("--deletions", help="JSON lines of deletions to make again: account, collection, face_id."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the replaced database in the home folder.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Put a backup in place of the home folder's data; what was deleted since stays deleted. End the server first."""
    chosen = settings.load(home=home)
    backups.check_url(chosen.store_url)
    logs.configure("text", quiet=True)
    with alone(chosen, SERVER_LOCK, "a server or a restore"):
        if chosen.database.exists() and not (
            yes or typer.confirm(f"Replace the data in {chosen.home} by {file}?", err=True)
        ):
            raise output.CommandError("nothing was restored")
        try:
            done = _restore(chosen, file, told or [], keep=keep, quiet=as_json)
        except StoreError as error:
            raise output.CommandError(f"nothing was restored: {error}") from None
    with engine(home) as opened, recorded(opened, "RestoreData", file.name):
        pass
    result = {"home": str(chosen.home), "deleted_again": done.again.counts, "replaced_unread": done.unread,
              "left_as_it_was": done.kept}  # fmt: skip
    output.show(result, lambda: _tell(done, chosen), as_json=as_json)


def _restore(chosen: Settings, file: Path, told: list[Path], *, keep: bool, quiet: bool) -> Restored:
    with (
        backups.open_backup(file) as archive,
        progress.steps("checking", sum(archive.lengths.values()), quiet=quiet) as advance,
    ):
        return restore.restore(chosen, archive, told, advance, keep=keep)


def _tell(done: Restored, chosen: Settings) -> None:
    output.line(f"restored {chosen.home}")
    counts = ", ".join(f"{count} {name}" for name, count in done.again.counts.items())
    output.line(f"deleted or revoked since the backup, and now again: {counts}")
    if done.unread:
        output.line(f"the replaced database cannot be read ({done.unread}) and lies beside the new one:")
        output.line("what was deleted since the backup is back, but for what --deletions told")
    for name in done.kept:
        output.line(f"{name} was there and stays as it was")
