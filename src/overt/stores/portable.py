# SPDX-License-Identifier: Apache-2.0
"""One collection as one file: its faces as JSON lines, their vectors as a numpy array, its users. Knows no database.

An archive with the parts `faces.jsonl`, `users.jsonl` and `vectors.npy` (float16, row i belongs to line i). Everything
is written and read a strip at a time, so that the number of faces is bounded by the disk alone.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from json.encoder import encode_basestring_ascii as _quoted
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from overt.stores import vectors
from overt.stores.archive import Advance, Archive, ArchiveError, ArchiveWriter
from overt.stores.base import Roll, StoreError, Unit
from overt.types import Collection

KIND, VERSION = "overt-collection", 2
WITHOUT_ENDS = 1  # the version of files in which no face has an end: an overt that knows no ends reads those alone
FACES, USERS, VECTORS = "faces.jsonl", "users.jsonl", "vectors.npy"
STRIP = 100_000  # faces in hand at a time: some hundred megabytes, and a second of the writer's time

_LONGEST_LINE = 4096  # bytes; a face with all its ids at their longest has about 700
_LARGEST_DIMENSION = 65_536
_MOST_TAGS = 200
_TYPE = np.dtype("<f2")

# As the wire has them: what it could not name, nobody could ever delete.
_NAME = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
_MODEL = re.compile(r"[ -~]{1,255}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_EXTERNAL = re.compile(r"[a-zA-Z0-9_.\-:]{1,255}")
_USER = re.compile(r"[a-zA-Z0-9_.\-:]{1,128}")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds. name: the collection's id where it was. dimension: of its vectors; None without faces."""

    name: str
    model: str
    dimension: int | None
    faces: int
    users: int
    tags: Mapping[str, str]


def write(unit: Unit, collection: Collection, tags: Mapping[str, str], path: Path, advance: Advance) -> Contents:
    """Fill an empty file. advance: told the faces, each of them twice.

    Raises: StoreError when the database does not hold as many faces as it says.
    """
    archive = ArchiveWriter(path, KIND, VERSION if unit.expiries.of(collection) else WITHOUT_ENDS)
    try:
        users = _write_users(archive, unit, collection)
        faces, dimension = _write_faces(archive, unit, collection, advance)
        if faces != collection.face_count:
            msg = f"{collection.face_count} faces are counted, but {faces} are there"
            raise StoreError(msg)
        _write_vectors(archive, unit, collection, (faces, dimension), advance)
        contents = Contents(collection.id, collection.model, dimension or None, faces, users, tags)
        archive.finish(
            collection=contents.name,
            model=contents.model,
            dimension=contents.dimension,
            faces=faces,
            users=users,
            tags=dict(tags),
            created=collection.created.isoformat(),
            exported=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        )
    finally:
        archive.abandon()
    return contents


def _write_users(archive: ArchiveWriter, unit: Unit, collection: Collection) -> int:
    after, count = "", 0
    with archive.part(USERS) as stream:
        while page := unit.users.page(collection, after, STRIP):
            for person in page:
                stream.write(f'{{"id":{_quoted(person.id)}}}\n'.encode())
            after, count = page[-1].id, count + len(page)
    return count


def _write_faces(archive: ArchiveWriter, unit: Unit, collection: Collection, advance: Advance) -> tuple[int, int]:
    """How many there were, and the dimension of their vectors, 0 without any."""
    count = dimension = 0
    with archive.part(FACES, packed=True) as stream:
        for roll in unit.faces.rolls(collection, STRIP):
            stream.writelines(_lines(roll))
            count, dimension = count + len(roll), roll.vectors.shape[1]
            advance(len(roll))
    return count, dimension


def _lines(roll: Roll) -> Iterator[bytes]:
    """One JSON object for each face. Written out, because an encoder made for each line takes four times as long."""
    columns = (roll.ids, roll.image_ids, roll.external_image_ids, *roll.boxes.T.tolist(), roll.confidences.tolist(),
               roll.user_ids)  # fmt: skip
    for face, image, external, left, top, width, height, confidence, user in zip(*columns, strict=True):
        end = f',"expires":"{roll.ends[face].isoformat()}"' if face in roll.ends else ""
        yield (
            f'{{"id":{_quoted(face)},"image":{_quoted(image)},"external":{_or_null(external)},'
            f'"box":[{left!r},{top!r},{width!r},{height!r}],"confidence":{confidence!r},"user":{_or_null(user)}{end}}}\n'
        ).encode()


def _or_null(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _write_vectors(
    archive: ArchiveWriter, unit: Unit, collection: Collection, shape: tuple[int, int], advance: Advance
) -> None:
    with archive.part(VECTORS) as stream:
        npy.write_array_header_1_0(stream, {"descr": _TYPE.str, "fortran_order": False, "shape": shape})
        for roll in unit.faces.rolls(collection, STRIP):
            stream.write(roll.vectors.tobytes())
            advance(len(roll))


class Parcel:
    """A collection in a file, checked."""

    def __init__(self, archive: Archive, contents: Contents) -> None:
        self._archive = archive
        self.contents = contents

    @classmethod
    @contextmanager
    def open(cls, path: Path, advance: Advance) -> Iterator[Parcel]:
        """Raises: ArchiveError when the file is damaged or no collection's. advance: told the bytes checked."""
        with Archive.open(path, KIND, VERSION) as archive:
            with _explained():
                contents = _contents(archive)
            archive.verify(advance)
            yield cls(archive, contents)

    def users(self) -> Iterator[list[str]]:
        """The ids of all users. Raises: ArchiveError."""
        with _explained(), self._archive.part(USERS) as stream:
            for lines in _strips(stream, self.contents.users):
                yield _matching(_USER, [line["id"] for line in lines])

    def rolls(self) -> Iterator[Roll]:
        """All faces. Raises: ArchiveError."""
        with _explained(), self._archive.part(FACES) as lines, self._archive.part(VECTORS) as rows:
            dimension = self.contents.dimension or 0
            _check_header(rows, (self.contents.faces, dimension))
            for faces in _strips(lines, self.contents.faces):
                data = rows.read(len(faces) * dimension * _TYPE.itemsize)
                yield _roll(faces, np.frombuffer(data, _TYPE).reshape(len(faces), dimension))
            if rows.read(1):
                msg = "there are more vectors than its manifest says"
                raise ValueError(msg)


def _contents(archive: Archive) -> Contents:
    told = archive.manifest
    lengths = archive.lengths
    if set(lengths) != {FACES, USERS, VECTORS}:
        msg = f"its parts are {', '.join(sorted(lengths))}"
        raise ValueError(msg)
    (name,), (model,) = _matching(_NAME, [told["collection"]]), _matching(_MODEL, [told["model"]])
    numbers = (told["faces"], told["users"], told["dimension"] or 0)
    if any(type(number) is not int or number < 0 for number in numbers) or numbers[2] > _LARGEST_DIMENSION:
        msg = "its counts are no counts"
        raise ValueError(msg)
    faces, users, dimension = numbers
    # The vectors are not packed, so this bounds the number of faces, and of all that is unpacked, by bytes on the disk.
    if (dimension == 0) != (faces == 0) or lengths[VECTORS] < faces * dimension * _TYPE.itemsize:
        msg = f"it has no room for {faces} vectors"
        raise ValueError(msg)
    if lengths[FACES] > faces * _LONGEST_LINE or lengths[USERS] > users * _LONGEST_LINE:
        msg = "its lines are too long"
        raise ValueError(msg)
    return Contents(name, model, dimension or None, faces, users, _tags(told["tags"]))


def _tags(tags: Any) -> dict[str, str]:
    fits = len(tags) <= _MOST_TAGS and all(
        isinstance(value, str) and 1 <= len(key) <= 128 and len(value) <= 256  # noqa: PLR2004 - as the wire has them
        for key, value in tags.items()
    )
    if not fits:
        msg = "its tags are none"
        raise ValueError(msg)
    return dict(tags)


def _strips(stream: BufferedReader, count: int) -> Iterator[list[dict[str, Any]]]:
    """The objects of exactly so many lines. Raises: ValueError."""
    for start in range(0, count, STRIP):
        lines = [stream.readline(_LONGEST_LINE) for _ in range(min(STRIP, count - start))]
        if not all(line.endswith(b"\n") for line in lines):
            msg = "a line is missing or too long"
            raise ValueError(msg)
        objects = json.loads(b"[" + b",".join(lines) + b"]")
        if len(objects) != len(lines):
            msg = "a line is no object of its own"
            raise ValueError(msg)
        yield objects
    if stream.read(1):
        msg = "there are more lines than its manifest says"
        raise ValueError(msg)


def _check_header(stream: BufferedReader, shape: tuple[int, int]) -> None:
    """Raises: ValueError unless rows of that shape follow."""
    if npy.read_magic(stream) != (1, 0) or npy.read_array_header_1_0(stream) != (shape, False, _TYPE):
        msg = f"{VECTORS} is no array of {shape[0]} x {shape[1]} float16"
        raise ValueError(msg)


def _roll(faces: list[dict[str, Any]], rows: np.ndarray[tuple[int, int], np.dtype[np.float16]]) -> Roll:
    confidences = np.array([face["confidence"] for face in faces], np.float64)
    if not ((confidences >= 0) & (confidences <= 1)).all():
        msg = "a confidence is not between 0 and 1"
        raise ValueError(msg)
    vectors.check_rows(rows)
    return Roll(
        ids=_matching(_UUID, [face["id"] for face in faces]),
        image_ids=_matching(_UUID, [face["image"] for face in faces]),
        external_image_ids=_optional(_EXTERNAL, [face["external"] for face in faces]),
        boxes=np.array([face["box"] for face in faces], np.float64),
        confidences=confidences,
        user_ids=_optional(_USER, [face["user"] for face in faces]),
        vectors=rows,
        ends={face["id"]: _moment(face["expires"]) for face in faces if "expires" in face},
    )


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = f"{text[:80]!r} is no moment with a zone"
        raise ValueError(msg)
    return moment


def _matching(pattern: re.Pattern[str], values: list[Any]) -> list[Any]:
    """The values. Raises: ValueError when one is not what the pattern says; TypeError when it is no text."""
    for value in values:
        if not pattern.fullmatch(value):
            msg = f"{value[:80]!r} is no id"
            raise ValueError(msg)
    return values


def _optional(pattern: re.Pattern[str], values: list[Any]) -> list[Any]:
    """As `_matching`, where null is a value too."""
    _matching(pattern, [value for value in values if value is not None])
    return values


@contextmanager
def _explained() -> Iterator[None]:
    """What a file's contents may raise, as an ArchiveError."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        msg = f"the file does not hold a collection: {error}"
        raise ArchiveError(msg) from error
