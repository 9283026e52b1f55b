# SPDX-License-Identifier: Apache-2.0
"""The part of pack.toml that a build needs: which member of which archive becomes which file.

Knows nothing of downloads or of ONNX.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Archive:
    """One file that a package registry serves."""

    registry: str
    package: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive, by its path there."""

    archive: Archive
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """One ONNX file of the pack and the members it is made from."""

    name: str
    file: str
    sha256: str
    size: int
    members: tuple[Member, ...]


def read(path: Path) -> tuple[Model, ...]:
    """The models of a pack.toml that are built, in its order: neither trained by a script, nor lying in another package."""
    pack = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(_model(table) for table in pack["models"] if not {"package", "trained_by"} & table.keys())


def _model(table: dict[str, Any]) -> Model:
    members = tuple(_member(source) for source in table["source"])
    return Model(table["name"], table["file"], table["sha256"], table["bytes"], members)


def _member(source: dict[str, Any]) -> Member:
    archive = Archive(source["registry"], source["package"], source["version"], source["archive"], source["archive_sha256"])
    return Member(archive, source["member"], source["member_sha256"])
