# SPDX-License-Identifier: Apache-2.0
"""Pictures to enrol and where they lie: a folder, a bucket of this server, or S3. Knows names, not what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from overt.cli import source
from overt.cli.output import CommandError
from overt.settings import Settings

MOUNT = "import"
SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A file or object. key: its path in the folder or bucket. version: changes when its content does."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where pictures are looked for, as the operator wrote it. folder: None when it is a bucket."""

    written: str
    bucket: str
    prefix: str
    folder: Path | None = None

    @classmethod
    def parse(cls, written: str) -> Place:
        """`s3://bucket/prefix` or a folder. Raises: CommandError when it is neither."""
        if written.startswith("s3://"):
            bucket, _, prefix = written.removeprefix("s3://").partition("/")
            if not bucket:
                raise CommandError(f"{written} names no bucket; write s3://bucket/prefix")
            return cls(written, bucket, prefix)
        folder = Path(written).resolve()
        if not folder.is_dir():
            raise CommandError(f"{written} is neither a folder nor s3://bucket/prefix")
        return cls(str(folder), MOUNT, "", folder)

    @property
    def mounts(self) -> dict[str, Path]:
        """What the engine needs to read a folder."""
        return {} if self.folder is None else {self.bucket: self.folder}

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that an engine needs to read from here."""
        return {} if self.folder else {"s3": True}

    def image(self, picture: Picture) -> dict[str, Any]:
        """The wire's Image of a picture."""
        return {"S3Object": {"Bucket": self.bucket, "Name": picture.key}}

    def below(self, key: str) -> str:
        """A key without the prefix."""
        return key.removeprefix(self.prefix).lstrip("/")

    def pictures(self, settings: Settings) -> Sequence[Picture]:
        """Everything that may be a JPEG or PNG by its name, or whose name does not tell; by key.

        As for every request, a bucket folder of this server goes before the bucket of that name in S3.
        Raises: CommandError when there is none, or S3 cannot be asked.
        """
        folder = self.folder or settings.bucket_folder / self.bucket
        if self.folder or (folder.is_dir() and not folder.is_symlink()):
            found = [
                Picture(path.relative_to(folder).as_posix(), f"{status.st_size} {status.st_mtime_ns}")
                for path in folder.rglob("*")
                if path.is_file() and not path.is_symlink()
                for status in (path.stat(),)
            ]
            found = [picture for picture in found if picture.key.startswith(self.prefix)]
        else:
            listed = source.objects(self.bucket, self.prefix, settings.s3_endpoint)
            found = [Picture(key, tag) for key, tag in listed if not key.endswith("/")]
        pictures = sorted((item for item in found if _may_be_one(item.key)), key=lambda item: item.key)
        if not pictures:
            raise CommandError(f"there are no pictures ({', '.join(sorted(SUFFIXES))}) in {self.written}")
        return pictures


def _may_be_one(key: str) -> bool:
    path = PurePosixPath(key)
    return path.suffix.lower() in SUFFIXES or (not path.suffix and not path.name.startswith("."))
