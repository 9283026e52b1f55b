# SPDX-License-Identifier: Apache-2.0
"""An archive gives back what was put in, or says that it is damaged; it never gives something else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.stores.archive import MANIFEST, Archive, ArchiveError, ArchiveWriter

LONG = np.random.default_rng(1).bytes(200_000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An archive of three parts."""
    path = tmp_path / "file"
    writer = ArchiveWriter(path, "kind", 1)
    for name, packed, content in (("a", False, LONG), ("b", True, b"line\n" * 1000), ("c", False, b"")):
        with writer.part(name, packed=packed) as stream:
            stream.write(content)
    writer.finish(told=7)
    return path


def check(path: Path) -> dict[str, bytes]:
    """All parts of a file that is in order."""
    with Archive.open(path, "kind", 1) as archive:
        archive.verify(lambda _: None)
        found = {}
        for name in archive.lengths:
            with archive.part(name) as stream:
                found[name] = stream.read()
        return found


def remade(path: Path, change: Callable[[dict[str, Any]], None], entries: dict[str, bytes]) -> Path:
    """The file again with another manifest and other entries, put together by hand."""
    with zipfile.ZipFile(path) as old:
        manifest = json.loads(old.read(MANIFEST))
        held = {name: old.read(name) for name in old.namelist() if name != MANIFEST} | entries
    change(manifest)
    with zipfile.ZipFile(path, "w") as new:
        for name, content in held.items():
            new.writestr(name, content)
        new.writestr(MANIFEST, json.dumps(manifest))
    return path


def test_parts_come_back(file: Path, tmp_path: Path) -> None:
    assert check(file) == {"a": LONG, "b": b"line\n" * 1000, "c": b""}
    done: list[int] = []
    with Archive.open(file, "kind", 1) as archive:
        assert archive.manifest["told"] == 7
        archive.verify(done.append)
        archive.copy("a", tmp_path / "copy")
        with pytest.raises(FileExistsError):
            archive.copy("a", tmp_path / "copy")
    assert sum(done) == len(LONG) + 5000
    assert (tmp_path / "copy").read_bytes() == LONG
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600


def test_no_flipped_byte_is_taken_for_the_truth(file: Path) -> None:
    whole, right = file.read_bytes(), check(file)
    places = [*range(64), *range(1000, len(whole), len(whole) // 20), *range(len(whole) - 800, len(whole))]
    refused = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        file.write_bytes(damaged)
        try:
            assert check(file) == right  # some bytes, as an entry's date, say nothing
        except ArchiveError:
            refused += 1
    assert refused > len(places) * 0.6


def test_no_cut_file_is_taken_for_the_truth(file: Path) -> None:
    whole = file.read_bytes()
    for length in [0, 1, 21, 22, 100, 4096, len(whole) // 2, len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(ArchiveError, match="damaged"):
            check(file)


def test_a_writer_that_was_abandoned_leaves_no_archive(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path / "file", "kind", 1)
    with writer.part("a") as stream:
        stream.write(b"a")
    writer.abandon()
    with pytest.raises(ArchiveError):
        check(tmp_path / "file")


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(format="other"),
        lambda told: told.update(version=2),
        lambda told: told.update(version=0),
        lambda told: told.update(version="1"),
        lambda told: told.pop("parts"),
        lambda told: told["parts"].pop("b"),
        lambda told: told["parts"].update(d=told["parts"]["a"]),
        lambda told: told["parts"]["a"].update(bytes=-1),
        lambda told: told["parts"]["a"].update(bytes=1 << 70),
        lambda told: told["parts"]["a"].update(bytes=float(len(LONG))),
        lambda told: told["parts"]["a"].update(sha256="0" * 64),
        lambda told: told["parts"]["c"].pop("sha256"),
        lambda told: told.update(parts=[]),
        lambda told: told.update(note="x" * (2 << 20)),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(ArchiveError):
        check(remade(file, change, {}))


@pytest.mark.parametrize("name", ["../escape", "/etc/escape", "d"])
def test_an_entry_that_no_manifest_names_is_refused(file: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="its parts are not those of its manifest"):
        check(remade(file, lambda _: None, {name: b"x"}))


def test_an_entry_that_is_there_twice_is_refused(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a", b"another")
    with pytest.raises(ArchiveError):
        check(file)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"7", b"[" * 100_000, b'{"format": "kind"}', b"\xff\xfe{}"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, manifest: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr(MANIFEST, manifest)
    with pytest.raises(ArchiveError):
        check(tmp_path / "file")


def test_a_part_longer_than_it_says_is_not_read_on(file: Path) -> None:
    """A bomb says that it is small: what it says is all that is ever unpacked."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b", bytes(50 << 20))
    content = bytearray(bomb.getvalue())
    for place in (content.index(b"PK\x03\x04") + 22, content.index(b"PK\x01\x02") + 24):
        content[place : place + 4] = (5000).to_bytes(4, "little")
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        assert archive.getinfo("b").file_size == 5000
        with pytest.raises(zipfile.BadZipFile), archive.open("b") as stream:
            assert len(stream.read()) <= 5000
