# SPDX-License-Identifier: Apache-2.0
"""Models that an operator adds to the home folder: fetched once, checked, tried, and only then put in place.

Knows no command line.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import tomli_w

from overt.models import trial
from overt.models.downloads import Progress, download, read
from overt.models.hub import Hub
from overt.models.pack import Model, Pack, PackError
from overt.models.slots import SLOTS

_MANIFEST = 1 << 20
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asks for. slot, url and sha256 may be left out where the manifest states them.

    manifest: path or URL of a pack.toml; without it, that of the model with `.toml` in place of its suffix.
    """

    slot: str | None = None
    url: str | None = None
    sha256: str | None = None
    manifest: str | None = None


class Additions:
    """The operator's own models. Args: folder: where they lie, one folder each, named after the tasks it fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def fetched(self, wanted: Wanted, progress: Progress = lambda _done, _whole: None) -> Iterator[Pack]:
        """A pack, fetched and tried, in a place that is gone after the block unless `keep` was called in it.

        Raises: PackError saying what is wrong with manifest, files or answers.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=".adding-") as scratch:
            place = Path(scratch) / "pack"
            place.mkdir()
            table, base = _manifest(wanted)
            try:
                for entry in table["models"]:
                    _fetch_model(entry, place, base, progress)
            except (AttributeError, TypeError) as error:  # a word where a table should be, and the like
                raise PackError(f"{base}: no manifest of models: {error}") from error
            (place / "pack.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
            pack = Pack.read(place)
            self._refuse_taken(pack)
            yield self._tried(pack, table)

    def keep(self, pack: Pack) -> Path:
        """Put a fetched pack in place, for servers started from now on. Returns: its folder."""
        there = self.folder / _name(pack)
        pack.folder.rename(there)
        return there

    def remove(self, slot: str) -> Path:
        """Take the operator's model out of a slot. Returns: the folder it was in. Raises: PackError: there is none."""
        places = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        place = next((place for place in places if slot in place.name.split("+")), None)
        if place is None:
            raise PackError(f"nothing was added to the slot {slot}; `overt models list` shows what is in use")
        shutil.rmtree(place)
        return place

    def _refuse_taken(self, pack: Pack) -> None:
        taken = {task for place in self.folder.iterdir() for task in place.name.split("+")}
        for model in pack.models:
            if model.task not in SLOTS:
                raise PackError(f"{model.name}: there is no slot {model.task!r}; there are {', '.join(SLOTS)}")
            if model.task in taken:
                raise PackError(f"the slot {model.task} is filled already: `overt models remove slot={model.task}`")

    def _tried(self, pack: Pack, table: dict[str, Any]) -> Pack:
        """Run the pack's models, and note what they cost where the manifest does not say."""
        found = pack.verify()
        installed = [other for other in Hub.discover(self.folder).packs if other.folder.parent == self.folder]
        hub = Hub(Hub.discover().packs, [pack, *installed])
        for model, entry in zip(pack.models, table["models"], strict=True) if not found else ():
            before = _resident()
            found += trial.problems(hub, [model.task])
            entry["megabytes"] = entry["megabytes"] or round(max(_resident() - before, model.size / 1e6), 3)
            entry["milliseconds"] = entry["milliseconds"] or (0.0 if found else _milliseconds(hub, model))
        if found:
            raise PackError("; ".join(found))
        (pack.folder / "pack.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
        return Pack.read(pack.folder)


def _name(pack: Pack) -> str:
    return "+".join(model.task for model in pack.models)


def _manifest(wanted: Wanted) -> tuple[dict[str, Any], str]:
    """The manifest asked for, completed from the command's words, and where it lies. Raises: PackError."""
    where = wanted.manifest or (str(PurePosixPath(wanted.url).with_suffix(".toml")) if wanted.url else None)
    if wanted.url and not wanted.manifest and "://" in wanted.url:
        where = wanted.url.rpartition(".")[0] + ".toml"
    if where is None:
        raise PackError("give url=... of a model, or manifest=... of a pack.toml that names its models' urls")
    try:
        table = tomllib.loads(read(where, _MANIFEST).decode())
        models = table["models"]
        first = models[0]
        tasks = [model.get("task") for model in models]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise PackError(f"{where}: no manifest with [[models]]: {error}") from error
    if (wanted.url or wanted.sha256) and len(models) > 1:
        raise PackError(f"{where} describes {len(models)} models: their url and sha256 belong into it")
    given = {"task": wanted.slot, "sha256": wanted.sha256 and wanted.sha256.lower()}
    for name, value in given.items() if len(models) == 1 else ():
        if value is not None and first.setdefault(name, value) != value:
            raise PackError(f"{where}: {name} is {first[name]!r}, not {value!r}")
    if wanted.url:
        first["url"] = wanted.url
    if wanted.slot not in {None, first.get("task"), *tasks}:
        raise PackError(f"{where} has no model for the slot {wanted.slot}")
    return table, where


def _fetch_model(entry: dict[str, Any], place: Path, base: str, progress: Progress) -> None:
    """Bring a model's files into the pack's folder and complete its entry. Raises: PackError."""
    try:
        url, sha256 = str(entry.pop("url")), str(entry["sha256"])
    except KeyError as error:
        raise PackError(f"{base}: {error.args[0]} is missing") from error
    name = PurePosixPath(urlsplit(url).path).name or "model.onnx"
    size = download(_beside(url, base), place / name, sha256, progress)
    entry |= {"file": name, "bytes": size}
    entry.setdefault("megabytes", 0.0)
    entry.setdefault("milliseconds", 0.0)
    entry.setdefault("source", [_source(url, name, sha256, str(entry.get("upstream", "not stated")))])
    for use, further in list(entry.get("files", {}).items()):
        if not isinstance(further, Mapping) or not {"url", "sha256"} <= further.keys():
            raise PackError(f"{base}: files.{use} needs url and sha256")
        file = PurePosixPath(urlsplit(str(further["url"])).path).name
        download(_beside(str(further["url"]), base), place / file, str(further["sha256"]), progress)
        entry["files"][use] = file
    labels = entry.get("output", {}).get("classes")
    if isinstance(labels, str):
        (place / "classes.txt").write_bytes(read(_beside(labels, base), _MANIFEST))
        entry["output"]["classes"] = "classes.txt"
    texts = []
    for number, licence in enumerate(entry.get("licence_files", [])):
        (place / f"LICENSE-{name}-{number}.txt").write_bytes(read(_beside(str(licence), base), _MANIFEST))
        texts.append(f"LICENSE-{name}-{number}.txt")
    entry["licence_files"] = texts


def _source(url: str, name: str, sha256: str, upstream: str) -> dict[str, str]:
    return {
        "registry": "URL",
        "package": url,
        "version": sha256[:12],
        "archive": name,
        "archive_sha256": sha256,
        "member": name,
        "member_sha256": sha256,
        "upstream": upstream,
    }


def _beside(name: str, base: str) -> str:
    """An address that a manifest gives, which may be relative to the manifest's own."""
    if "://" in name or name.startswith("/"):
        return name
    return base.rpartition("/")[0] + "/" + name if "/" in base else name


def _resident() -> float:
    """Memory of this process in MB; 0 where nobody tells."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if status.exists() else 0.0


def _milliseconds(hub: Hub, model: Model) -> float:
    """CPU time of one run, about: of what rests on the model, so of the whole task for a model never run alone."""
    spent = []
    for _ in range(_ROUNDS):
        before = time.thread_time()
        trial.problems(hub, [model.task])
        spent.append((time.thread_time() - before) * 1000 / (2 * len(trial.pictures())))
    return round(sorted(spent)[_ROUNDS // 2], 2)
