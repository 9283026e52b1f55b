# SPDX-License-Identifier: Apache-2.0
"""A model pack as a folder: its manifest pack.toml, read and checked. Loads no model and knows no task.

A pack says of every weight file where it came from, under which licence, what it must hash to, how it is fed and how
it is read. The weights may lie in another installed distribution, which the manifest then names with `package`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from overt.models.calibration import UNCALIBRATED, Calibration, Confidences, Curve
from overt.models.inputs import Input

_VERSION = re.compile(r"[a-z0-9][a-z0-9.-]*-[0-9.]+")
"""A name, and behind its last hyphen the digits and dots that the wire's IndexFacesModelVersion is made of."""


LICENCE_USES = ("permissive", "attribution", "research-only", "unclear")
"""What a licence lets an operator do, coarsely."""


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

    task: the slot it fills, of `slots.SLOTS`. decoder: how its output is read. input: how pictures are fed to it; None
    when it takes none. output: what else the manifest says for its decoder. classes: its label map, in the model's
    order; "" = a class that means nothing here. confidences: of its scores. licence_use: one of LICENCE_USES.
    megabytes: of memory, once it has run; milliseconds: of one run on one thread, as the pack's maker measured them.
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
    licence_use: str
    limits: str
    sources: tuple[Source, ...]
    input: Input | None
    output: Mapping[str, Any]
    classes: tuple[str, ...]
    confidences: Confidences
    megabytes: float
    milliseconds: float
    face_model_version: str | None = None
    files: Mapping[str, Path] = field(default_factory=dict)  # further files it needs, such as a tokenizer, by purpose

    def problems(self) -> list[str]:
        """What is wrong with its files, in words; empty when all is well. Reads the whole weight file."""
        found = [f"{self.name}: licence {path.name} is missing" for path in self.licence_files if not path.is_file()]
        if not self.licence_files:
            found.append(f"{self.name}: no licence file is named")
        found += [f"{self.name}: {path.name} is missing" for path in self.files.values() if not path.is_file()]
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
            msg = f"{error.filename or file}: {error.strerror}"
            raise PackError(msg) from error
        except KeyError as error:
            msg = f"{file}: {error.args[0]} is missing"
            raise PackError(msg) from error
        except (tomllib.TOMLDecodeError, AttributeError, TypeError, ValueError) as error:
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
    output = entry["output"]
    home = _package(_text(entry, "package")) if "package" in entry else folder
    table = entry.get("input", {})
    use = _text(entry, "licence_use")
    if use not in LICENCE_USES:
        raise ValueError(f"licence_use must be one of {', '.join(LICENCE_USES)}, not {use!r}")
    return Model(
        name=_text(entry, "name"),
        task=_text(entry, "task"),
        path=_inside(home, _text(entry, "file")),
        sha256=_sha256(entry, "sha256"),
        size=_count(entry, "bytes"),
        decoder=_text(output, "decoder"),
        licence_code=_text(entry, "licence_code"),
        licence_weights=_text(entry, "licence_weights"),
        licence_files=tuple(_inside(folder, name) for name in _texts(entry, "licence_files")),
        licence_use=use,
        limits=_text(entry, "limits"),
        sources=tuple(_source(source) for source in entry["source"]),
        input=Input.read(table) if "layout" in table else None,
        output=MappingProxyType(output),
        classes=_classes(folder, output.get("classes")),
        confidences=_confidences(entry.get("calibration")),
        megabytes=_amount(entry, "megabytes"),
        milliseconds=_amount(entry, "milliseconds"),
        face_model_version=_text(entry, "face_model_version") if "face_model_version" in entry else None,
        files=MappingProxyType({use: _inside(folder, _text(entry["files"], use)) for use in entry.get("files", {})}),
    )


def _package(name: str) -> Path:
    """The folder of another installed package, found without importing it; a folder that is not there if it is not."""
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else Path("/") / f"package {name} is not installed"


def _classes(folder: Path, value: Any) -> tuple[str, ...]:
    """A label map: a list, or a file of the pack with one label a line. A bare count is none."""
    if isinstance(value, str):
        return tuple(_inside(folder, value).read_text(encoding="utf-8").splitlines())
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _confidences(entry: Mapping[str, Any] | None) -> Confidences:
    if entry is None:
        return UNCALIBRATED
    return Confidences(_curve(entry["confidences"]), _text(entry, "fitted_on"))


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


def _amount(entry: Mapping[str, Any], name: str) -> float:
    value = entry[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a number from 0 on, not {value!r}")
    return float(value)


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
