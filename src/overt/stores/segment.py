# SPDX-License-Identifier: Apache-2.0
"""Segments: files of coded rows, mapped into memory. A cache: whatever is wrong with one, the database has the rows.

A file is a header, then what a scan reads (codes, scales, sequences), then, on a new page, what only rescoring reads
(vectors and their marks). The header carries its own checksum and those of what a scan reads, all checked when the file
is opened; a row's vector is checked against its mark when it is used. Knows no database.

    magic 8 bytes | header length u32 | crc-32 of the rest of the header u32 | JSON, padded with spaces to whole pages
    codes int8 (rows, width) | scales float32 (rows,) | sequences int64 (rows,) | zeros up to a whole page
    halves float16 (rows, dimension) | marks uint32 (rows,)

Numbers are little-endian; each array starts at a multiple of 64 bytes.
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import struct
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

import numpy as np
import numpy.typing as npt

from overt.stores.codes import Numbers, Rows, mark, width
from overt.stores.exact import PART

SUFFIX = ".segment"
DRAFT = ".draft"
_MAGIC = b"OVERTSEG"
_VERSION = 1
_OPENING = struct.Struct("<8sII")
_PAGE = 4096
_ALIGNED = 64
_CHUNK = 64 * 2**20  # bytes under one checksum: several threads check one file

Kept = npt.NDArray[np.bool_]


class SegmentError(Exception):
    """A file that is not a whole segment of the rows asked for. Nothing is lost: the database has them."""


@dataclass(frozen=True, slots=True)
class Space:
    """Which rows a segment holds rows of. lineage: which database, hex. table: faces or users."""

    lineage: str
    collection: int
    table: str
    model: str
    dimension: int
    shard: int = 0
    shards: int = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a space's history a segment covers.

    All rows with a sequence from first to last that lived at head `last`, apart from those that had died long before;
    deletions made after head `as_of` are still to be applied to them.
    """

    first: int
    last: int
    as_of: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the arrays of a segment lie: offsets in bytes from the start of the file."""

    codes: int
    scales: int
    sequences: int
    halves: int
    marks: int
    end: int

    @classmethod
    def of(cls, header: int, rows: int, dimension: int) -> _Layout:
        scales = _up(header + rows * width(dimension), _ALIGNED)
        sequences = _up(scales + rows * 4, _ALIGNED)
        halves = _up(sequences + rows * 8, _PAGE)
        marks = _up(halves + rows * dimension * 2, _ALIGNED)
        return cls(header, scales, sequences, halves, marks, marks + rows * 4)


class Segment:
    """A segment that is mapped and was found whole. Rows stay readable after the file is unlinked."""

    def __init__(self, path: Path, span: Span, rows: Rows) -> None:
        self.path = path
        self.span = span
        self.rows = rows
        # Made once, so that a kernel may keep what it derives from them.
        self.parts = rows.parts(PART)

    @classmethod
    def open(cls, path: Path, space: Space) -> Segment:
        """Map a file and check it. Raises: SegmentError saying what is wrong with it."""
        try:
            with path.open("rb") as file:
                header, start = _read_header(file)
                _check_space(header, space)
                span = Span(**header["span"])
                count = header["rows"]
                layout = _Layout.of(start, count, space.dimension)
                if os.fstat(file.fileno()).st_size != layout.end:
                    raise SegmentError(f"{path.name} is not as long as its header says")
                scanned = mmap.mmap(
                    file.fileno(), layout.halves, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE, prot=mmap.PROT_READ
                )
                _check_sums(memoryview(scanned)[start : layout.halves], header["sums"], path)
                # Mapped apart: vectors are read a row here, a row there, and memory need hold no others.
                length = layout.end - layout.halves
                exact: mmap.mmap | bytes = b""
                if count:
                    exact = mmap.mmap(file.fileno(), length, prot=mmap.PROT_READ, offset=layout.halves)
                    exact.madvise(mmap.MADV_RANDOM)
        except OSError as error:
            raise SegmentError(f"{path.name} cannot be read: {error.strerror}") from error
        rows = Rows(
            np.frombuffer(scanned, "<i8", count, layout.sequences),
            np.frombuffer(scanned, np.int8, count * width(space.dimension), start).reshape(
                count, width(space.dimension)
            ),
            np.frombuffer(scanned, "<f4", count, layout.scales),
            np.frombuffer(exact, "<f2", count * space.dimension).reshape(count, space.dimension),
            header["residual"],
            header["reach"],
            np.frombuffer(exact, "<u4", count, layout.marks - layout.halves if count else 0),
        )
        return cls(path, span, rows)

    @classmethod
    def write(cls, folder: Path, space: Space, span: Span, pieces: Sequence[tuple[Rows, Kept | None]]) -> Segment:
        """Put rows into a new file, in the order given, and open it.

        Args: pieces: rows and which of them to keep, None = all. Raises: SegmentError when it cannot be written.
        """
        path = folder / f"{span.first}-{span.last}.{secrets.token_hex(4)}{SUFFIX}"
        draft = path.with_suffix(DRAFT)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.touch(mode=0o600, exist_ok=False)
            with draft.open("r+b") as file:
                _write(file, space, span, pieces)
            # Not synced: should power fail before it is on disk, the checksums tell, and the database has the rows.
            draft.rename(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise SegmentError(f"{folder} cannot be written: {error.strerror}") from error
        return cls.open(path, space)

    def remove(self) -> None:
        """Unlink the file; the rows can still be read as long as this object lives."""
        self.path.unlink(missing_ok=True)

    def overwrite(self, numbers: Numbers) -> None:
        """Put zeros over rows, codes and all, in the file itself; whoever has it mapped sees zeros at once.

        The file no longer matches its checksums and is to be replaced. Raises: OSError.
        """
        count, dimension = self.rows.halves.shape
        with self.path.open("r+b") as file:
            _, start = _read_header(file)
            layout = _Layout.of(start, count, dimension)
            lengths = {layout.codes: width(dimension), layout.scales: 4, layout.halves: dimension * 2, layout.marks: 4}
            for number in numbers.tolist():
                for offset, length in lengths.items():
                    file.seek(offset + number * length)
                    file.write(bytes(length))
            file.flush()
            os.fsync(file.fileno())


def _write(file: BinaryIO, space: Space, span: Span, pieces: Sequence[tuple[Rows, Kept | None]]) -> None:
    count = sum(len(rows) if kept is None else int(kept.sum()) for rows, kept in pieces)
    header: dict[str, Any] = {
        "version": _VERSION,
        "space": asdict(space),
        "span": asdict(span),
        "rows": count,
        "residual": max((rows.residual for rows, _ in pieces), default=0.0),
        "reach": max((rows.reach for rows, _ in pieces), default=0.0),
        "sums": [0] * (-(-count * (width(space.dimension) + 16) // _CHUNK) + 1),
    }
    start = _up(_OPENING.size + len(json.dumps(header)) + 11 * len(header["sums"]), _PAGE)
    layout = _Layout.of(start, count, space.dimension)
    _put(file, layout.codes, pieces, lambda rows: rows.codes)
    _put(file, layout.scales, pieces, lambda rows: rows.scales)
    _put(file, layout.sequences, pieces, lambda rows: rows.sequences)
    file.write(bytes(layout.halves - file.tell()))
    _put(file, layout.halves, pieces, lambda rows: rows.halves)
    _put(file, layout.marks, pieces, _marks)
    file.truncate(layout.end)
    file.flush()
    written = mmap.mmap(file.fileno(), layout.halves, prot=mmap.PROT_READ)  # closed when its last view goes
    header["sums"] = _sums(memoryview(written)[start : layout.halves])
    body = json.dumps(header).encode().ljust(start - _OPENING.size)
    file.seek(0)
    file.write(_OPENING.pack(_MAGIC, start, crc32(body)) + body)


def _put(
    file: BinaryIO,
    offset: int,
    pieces: Iterable[tuple[Rows, Kept | None]],
    column: Callable[[Rows], npt.NDArray[Any]],
) -> None:
    """One array of all pieces, from an offset on, a part at a time."""
    file.seek(offset)
    for rows, kept in pieces:
        for begin in range(0, len(rows), PART):
            values = column(rows.cut(begin, begin + PART))
            some = values if kept is None else values[kept[begin : begin + PART]]
            file.write(np.ascontiguousarray(some).data.cast("B") if some.size else b"")


def _marks(rows: Rows) -> npt.NDArray[np.uint32]:
    return mark(rows.sequences, rows.halves) if rows.marks is None else rows.marks


def _read_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The header and its length. Raises: SegmentError."""
    opening = file.read(_OPENING.size)
    if len(opening) == _OPENING.size:
        magic, length, checksum = _OPENING.unpack(opening)
        if magic == _MAGIC and length % _PAGE == 0:
            body = file.read(length - _OPENING.size)
            if len(body) == length - _OPENING.size and crc32(body) == checksum:
                header: dict[str, Any] = json.loads(body)
                return header, length
    raise SegmentError("the header is damaged")


def _check_space(header: dict[str, Any], space: Space) -> None:
    if header["version"] != _VERSION:
        raise SegmentError(f"it is of format {header['version']}, not {_VERSION}")
    if header["space"] != asdict(space):
        raise SegmentError("it holds rows of something else")


def _check_sums(scanned: memoryview, sums: list[int], path: Path) -> None:
    if _sums(scanned) != sums:
        raise SegmentError(f"{path.name} does not match its checksums")


def _sums(data: memoryview) -> list[int]:
    """The crc-32 of each chunk; on all cores, as crc32 lets other threads run."""
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    if len(chunks) == 1:
        return [crc32(chunks[0])]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(crc32, chunks))


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
