# SPDX-License-Identifier: Apache-2.0
"""A model pack as a folder: its manifest pack.toml, read and checked. Loads no model and knows no task.

A pack says of every weight file where it came from, under which licence, and what it must hash to.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from overt.models.calibration import Calibration, Curve

_VERSION = re.compile(r"[a-z0-9][a-z0-9.-]*-[0-9.]+")
"""A name, and behind its last hyphen the digits and dots that the wire's IndexFacesModelVersion is made of."""


class PackError(ValueError):
    """A pack cannot be used; the message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a weight file was taken from: one member of one archive of a public registry."""

    registry: str
    package: str
    version: str
    archive: str
    archive_sha256: str
    member: str
    member_sha256: str
    upstream: str


@dataclass(frozen=True, slots=True)
class Model:
    """One weight file of a pack.

    task: the slot it fills (detect, embed, mesh, iris, age, gender, emotion). decoder: how its output is read.
    face_model_version: the name of its embedding space; embedders only. limits: what it cannot do, in words.
    """

    name: str
    task: str
    path: Path
    sha256: str
    size: int
    decoder: str
    licence_code: str
    licence_weights: str
    licence_files: tuple[Path, ...]
    limits: str
    sources: tuple[Source, ...]
    face_model_version: str | None = None

    def problems(self) -> list[str]:
        """What is wrong with its files, in words; empty when all is well. Reads the whole weight file."""
        found = [f"{self.name}: licence {path.name} is missing" for path in self.licence_files if not path.is_file()]
        if not self.licence_files:
            found.append(f"{self.name}: no licence file is named")
        if not self.path.is_file():
            return [*found, f"{self.name}: {self.path.name} is missing"]
        size = self.path.stat().st_size
        if size != self.size:
            found.append(f"{self.name}: {self.path.name} has {size} bytes instead of {self.size}")
        elif digest(self.path) != self.sha256:
            found.append(f"{self.name}: {self.path.name} does not have the sha256 that the pack states")
        return found


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of models. calibration: of its embedder, None when it has none."""

    folder: Path
    id: str
    version: str
    title: str
    summary: str
    limits: tuple[str, ...]
    models: tuple[Model, ...]
    calibration: Calibration | None = None

    @classmethod
    def read(cls, folder: Path) -> Pack:
        """Read and check <folder>/pack.toml; weight files are not opened. Raises: PackError."""
        file = folder / "pack.toml"
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            head = table["pack"]
            pack = cls(
                folder=folder,
                id=_text(head, "id"),
                version=_text(head, "version"),
                title=_text(head, "title"),
                summary=_text(head, "summary"),
                limits=_texts(head, "limits"),
                models=tuple(_model(folder, entry) for entry in table["models"]),
                calibration=_calibration(table.get("calibration")),
            )
        except OSError as error:
            msg = f"{file}: {error.strerror}"
            raise PackError(msg) from error
        except KeyError as error:
            msg = f"{file}: {error.args[0]} is missing"
            raise PackError(msg) from error
        except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
            msg = f"{file}: {error}"
            raise PackError(msg) from error
        pack._check()
        return pack

    def model(self, task: str) -> Model | None:
        """The model that fills a slot, or None."""
        return next((model for model in self.models if model.task == task), None)

    def verify(self) -> list[str]:
        """Problems of all its files, in words: checksums, sizes, licences. Empty when all is well."""
        return [problem for model in self.models for problem in model.problems()]

    def _check(self) -> None:
        names = [model.name for model in self.models]
        tasks = [model.task for model in self.models]
        embedder = self.model("embed")
        if not names or len(set(names)) < len(names) or len(set(tasks)) < len(tasks):
            msg = f"{self.folder}: each model needs a name and a task of its own"
        elif embedder is not None and not _VERSION.fullmatch(embedder.face_model_version or ""):
            msg = f"{self.folder}: the embedder {embedder.name} needs a face_model_version like sface-2021dec-1.0"
        elif embedder is not None and (self.calibration is None or self.calibration.model != embedder.name):
            msg = f"{self.folder}: the embedder {embedder.name} has no calibration"
        else:
            return
        raise PackError(msg)


def digest(path: Path) -> str:
    """The sha256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _model(folder: Path, entry: Mapping[str, Any]) -> Model:
    return Model(
        name=_text(entry, "name"),
        task=_text(entry, "task"),
        path=_inside(folder, _text(entry, "file")),
        sha256=_sha256(entry, "sha256"),
        size=_count(entry, "bytes"),
        decoder=_text(entry["output"], "decoder"),
        licence_code=_text(entry, "licence_code"),
        licence_weights=_text(entry, "licence_weights"),
        licence_files=tuple(_inside(folder, name) for name in _texts(entry, "licence_files")),
        limits=_text(entry, "limits"),
        sources=tuple(_source(source) for source in entry["source"]),
        face_model_version=_text(entry, "face_model_version") if "face_model_version" in entry else None,
    )


def _source(entry: Mapping[str, Any]) -> Source:
    words = {name: _text(entry, name) for name in ("registry", "package", "version", "archive", "member", "upstream")}
    return Source(
        **words, archive_sha256=_sha256(entry, "archive_sha256"), member_sha256=_sha256(entry, "member_sha256")
    )


def _calibration(entry: Mapping[str, Any] | None) -> Calibration | None:
    if entry is None:
        return None
    return Calibration(
        model=_text(entry, "model"),
        metric=_text(entry, "metric"),
        version=_text(entry, "version"),
        fitted_on=_text(entry, "fitted_on"),
        false_match_rates=_curve(entry["false_match_rates"]),
        similarities=_curve(entry["similarities"]),
        true_match_rates=_curve(entry.get("true_match_rates", [])),
    )


def _curve(points: list[list[float]]) -> Curve:
    return tuple((float(x), float(y)) for x, y in points)


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry[name]
    if not isinstance(value, str) or not value:
        msg = f"{name} must be a text, not {value!r}"
        raise ValueError(msg)
    return value


def _texts(entry: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = entry[name]
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        msg = f"{name} must be a list of texts, not {values!r}"
        raise ValueError(msg)
    return tuple(values)


def _count(entry: Mapping[str, Any], name: str) -> int:
    value = entry[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{name} must be a whole number, not {value!r}"
        raise ValueError(msg)
    return value


def _sha256(entry: Mapping[str, Any], name: str) -> str:
    value = _text(entry, name)
    if len(value) != 64 or not set(value) <= set("0123456789abcdef"):  # noqa: PLR2004 - hex digits of 256 bits
        msg = f"{name} is no sha256: {value!r}"
        raise ValueError(msg)
    return value


def _inside(folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        msg = f"{name!r} leaves the pack's folder"
        raise ValueError(msg)
    return folder / path
