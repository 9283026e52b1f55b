# SPDX-License-Identifier: Apache-2.0
"""A collection survives its way through a file, and nothing that is no collection gets out of one."""

from __future__ import annotations

import datetime as dt
import io
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overt.stores import portable
from overt.stores.archive import Archive, ArchiveError, ArchiveWriter
from overt.stores.portable import FACES, KIND, USERS, VECTORS, Parcel
from overt.stores.sql import SqlStores
from overt.testing.stores import ACCOUNT, MODEL, NOON, make_roll, make_vectors

COUNT = 7
ROLL = replace(
    make_roll(make_vectors(COUNT, seed=1)),
    ids=[str(uuid.UUID(int=row)) for row in range(COUNT)],
    image_ids=[str(uuid.UUID(int=100 + row)) for row in range(COUNT)],
    user_ids=["ann", None, "ann", "bob:1", None, None, None],
)


@pytest.fixture(autouse=True)
def _small_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "STRIP", 3)


@pytest.fixture
def file(stores: SqlStores, tmp_path: Path) -> Path:
    """Seven faces of three users in a file."""
    told: list[int] = []
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        unit.users.load(people, ["ann", "bob:1", "nobody"])
        unit.faces.load(people, MODEL, ROLL)
    with stores.read() as unit:
        people = unit.collections.get(ACCOUNT, "people")
        contents = portable.write(unit, people, {"k": "v"}, tmp_path / "file", told.append)
    assert (contents.faces, contents.users, contents.dimension, sum(told)) == (7, 3, 32, 14)
    return tmp_path / "file"


def unpacked(path: Path) -> Iterator[Any]:
    with Parcel.open(path, lambda _: None) as parcel:
        yield parcel.contents
        yield list(parcel.users())
        yield list(parcel.rolls())


def test_what_was_written_is_read(file: Path) -> None:
    contents, users, rolls = unpacked(file)
    assert contents == portable.Contents("people", MODEL, 32, 7, 3, {"k": "v"})
    assert users == [["ann", "bob:1", "nobody"]]
    assert [len(roll) for roll in rolls] == [3, 3, 1]
    for column in ("ids", "image_ids", "external_image_ids", "user_ids"):
        assert [value for roll in rolls for value in getattr(roll, column)] == list(getattr(ROLL, column))
    np.testing.assert_array_equal(np.concatenate([roll.boxes for roll in rolls]), ROLL.boxes)
    np.testing.assert_array_equal(np.concatenate([roll.confidences for roll in rolls]), ROLL.confidences)
    np.testing.assert_array_equal(np.concatenate([roll.vectors for roll in rolls]), ROLL.vectors.astype(np.float16))


def test_ends_come_along_in_a_file_that_says_so(stores: SqlStores, file: Path, tmp_path: Path) -> None:
    """An overt that knows no ends refuses it, and takes the one without ends."""
    end = NOON + dt.timedelta(days=1, microseconds=7)
    with stores.write() as unit:
        people = unit.collections.get(ACCOUNT, "people")
        unit.expiries.set(people, ROLL.ids[3:5], end)
        portable.write(unit, people, {}, tmp_path / "ends", lambda _: None)
    _, _, rolls = unpacked(tmp_path / "ends")
    assert [roll.ends for roll in rolls] == [{}, dict.fromkeys(ROLL.ids[3:5], end), {}]
    versions = [Archive.open(path, KIND, portable.VERSION) for path in (file, tmp_path / "ends")]
    for opened, version in zip(versions, (portable.WITHOUT_ENDS, portable.VERSION), strict=True):
        with opened as archive:
            assert archive.manifest["version"] == version


@pytest.mark.parametrize("end", [None, 7, "soon", "2027-01-01T00:00:00", "x" * 90])
def test_an_end_that_is_no_moment_is_refused(tmp_path: Path, end: object) -> None:
    with pytest.raises(ArchiveError, match="is damaged or no file"):
        list(unpacked(made(tmp_path / "file", faces=lines({"expires": end}))))


def test_an_empty_collection_is_a_file_too(stores: SqlStores, tmp_path: Path) -> None:
    with stores.write() as unit:
        people = unit.collections.create(ACCOUNT, "people", MODEL, NOON)
        portable.write(unit, people, {}, tmp_path / "file", lambda _: None)
    contents, users, rolls = unpacked(tmp_path / "file")
    assert (contents.faces, contents.dimension, users, rolls) == (0, None, [], [])


LINE = {
    "id": ROLL.ids[0],
    "image": ROLL.image_ids[0],
    "external": None,
    "box": [0, 0, 1, 1],
    "confidence": 1,
    "user": None,
}


def lines(*changes: dict[str, Any]) -> bytes:
    both = [LINE | {"id": str(uuid.UUID(int=row))} for row in range(2)]
    faces = [face | change for face, change in zip(both, [*changes, {}, {}], strict=False)]
    return b"".join(json.dumps(face).encode() + b"\n" for face in faces)


def rows(array: Any, *, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


GOOD = make_vectors(2, seed=1).astype(np.float16)


def made(path: Path, told: dict[str, Any] | None = None, **parts: bytes) -> Path:
    """A file of two faces put together by hand, all lengths and digests right."""
    contents = {FACES: lines(), USERS: b'{"id":"ann"}\n', VECTORS: rows(GOOD)}
    contents |= {
        {"faces": FACES, "users": USERS, "vectors": VECTORS}.get(name, name): part for name, part in parts.items()
    }
    writer = ArchiveWriter(path, KIND, 1)
    for name, content in contents.items():
        with writer.part(name, packed=name == FACES) as stream:
            stream.write(content)
    manifest = {"collection": "people", "model": MODEL, "dimension": 32, "faces": 2, "users": 1, "tags": {}}
    writer.finish(**(manifest | (told or {})))
    return path


def test_a_file_made_by_hand_is_read(tmp_path: Path) -> None:
    _, users, (roll,) = unpacked(made(tmp_path / "file"))
    assert users == [["ann"]]
    assert roll.vectors.tobytes() == GOOD.tobytes()


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../etc/passwd"}, {"id": 7}, {"id": None}, {"id": "A" * 36}, {"image": None}, {"external": ""},
        {"external": "a b"}, {"external": "x" * 256}, {"external": ["a"]}, {"user": "a\n"}, {"user": "x" * 129},
        {"user": 1}, {"box": [0, 0, 1]}, {"box": [0, 0, 1, None]}, {"box": [0, 0, 1, float("nan")]}, {"box": "box"},
        {"box": [0, 0, 1, float("inf")]}, {"box": [[0], 0, 0, 0]}, {"confidence": 1.1}, {"confidence": -1},
        {"confidence": float("nan")}, {"confidence": None}, {"confidence": 10**400}, {"note": "x" * 5000},
    ],
)  # fmt: skip
def test_faces_that_are_none_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    file = made(tmp_path / "file", faces=lines({}, change))
    with pytest.raises(ArchiveError):
        list(unpacked(file))


@pytest.mark.parametrize(
    "faces",
    [
        b"", lines() + lines(), lines()[:-1], lines() + b"\n", b"[]\n[]\n", b"null\n7\n", b"{}\n{}\n",
        lines().replace(b"\n", b",", 1), b"[" * 4000 + b"\n" + lines(), b"x" * 5000 + b"\n", b"\xff\n\xff\n",
        lines().splitlines()[0] + b"," + lines().splitlines()[1] + b"\n \n",
    ],
)  # fmt: skip
def test_lines_that_are_none_are_refused(tmp_path: Path, faces: bytes) -> None:
    with pytest.raises(ArchiveError):
        list(unpacked(made(tmp_path / "file", faces=faces)))


@pytest.mark.parametrize(
    "users", [b"", b'{"id":"ann"}\n' * 2, b'{"id":null}\n', b'{"id":"a b"}\n', b"{}\n", b'"ann"\n']
)
def test_users_that_are_none_are_refused(tmp_path: Path, users: bytes) -> None:
    with pytest.raises(ArchiveError):
        list(unpacked(made(tmp_path / "file", users=users)))


BAD = GOOD.copy()
BAD[1, 3] = np.nan


@pytest.mark.parametrize(
    "vectors",
    [
        b"", b"\x93NUMPY", rows(GOOD)[:-1], rows(GOOD) + b"\0", rows(GOOD.astype(np.float32)), rows(GOOD.T),
        rows(np.asfortranarray(GOOD)), rows(GOOD[0]), rows(GOOD[None]), rows(GOOD.astype(">f2")), rows(BAD),
        rows(2 * GOOD), rows(0 * GOOD), rows(np.vstack([GOOD, GOOD])),
        rows(np.array([GOOD, None], object), pickled=True),
        rows(GOOD).replace(b"(2, 32)", b"(__, 2)"), rows(GOOD).replace(b"\x01\x00v\x00", b"\x02\x00v\x00"),
    ],
)  # fmt: skip
def test_vectors_that_are_none_are_refused(tmp_path: Path, vectors: bytes) -> None:
    with pytest.raises(ArchiveError):
        list(unpacked(made(tmp_path / "file", vectors=vectors)))


@pytest.mark.parametrize(
    "told",
    [
        {"collection": "../people"}, {"collection": None}, {"collection": ""}, {"model": ""}, {"model": 7},
        {"faces": -1}, {"faces": 3}, {"faces": 1}, {"faces": "2"}, {"faces": True}, {"faces": 10**18}, {"faces": 0},
        {"dimension": None}, {"dimension": 0}, {"dimension": 31},
        {"dimension": 10**9}, {"users": 10**18}, {"users": 0}, {"tags": None},
        {"tags": {"k": 7}}, {"tags": {"": "v"}}, {"tags": {"k": "v" * 257}}, {"tags": {str(n): "" for n in range(201)}},
    ],
)  # fmt: skip
def test_a_manifest_that_lies_is_refused(tmp_path: Path, told: dict[str, Any]) -> None:
    with pytest.raises(ArchiveError):
        list(unpacked(made(tmp_path / "file", told)))


@pytest.mark.parametrize("part", ["../escape", "overt.db"])
def test_a_part_too_many_is_refused(tmp_path: Path, part: str) -> None:
    with pytest.raises(ArchiveError, match="its parts are"):
        list(unpacked(made(tmp_path / "file", **{part: b"x"})))


def test_much_that_packs_well_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = made(tmp_path / "file", faces=b" " * (100 << 20))
    assert bomb.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match="its lines are too long"):
        list(unpacked(bomb))


def test_a_database_that_counts_wrongly_is_told(stores: SqlStores, file: Path, tmp_path: Path) -> None:
    del file
    with stores.read() as unit:
        people = replace(unit.collections.get(ACCOUNT, "people"), face_count=8)
        with pytest.raises(Exception, match="8 faces are counted, but 7 are there"):
            portable.write(unit, people, {}, tmp_path / "other", lambda _: None)


def test_only_so_much_is_in_hand_at_a_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    made_roll: Callable[..., Any] = portable._roll
    monkeypatch.setattr(portable, "_roll", lambda faces, rows: (sizes.append(len(rows)), made_roll(faces, rows))[1])
    list(unpacked(file))
    assert sizes == [3, 3, 1]
