# SPDX-License-Identifier: Apache-2.0
"""The folder with the segments of one space: which of them may be used, and which go. Knows no SQL.

Several processes may use one folder. Each file is written under a name of its own and never changed but to blot rows
out, so that they cannot spoil each other's; a file removed by one stays readable to whoever has it mapped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import structlog

from overt.stores.codes import Halves, Numbers, Rows
from overt.stores.segment import DRAFT, SUFFIX, Kept, Segment, SegmentError, Space, Span

log = structlog.get_logger(__name__)

Lookup = Callable[[Numbers], tuple[Numbers, Halves]]

_SAMPLE = 16  # rows of a segment compared with the database before it is trusted
_ABANDONED = 3600.0  # seconds after which a draft is one of a process that was ended


class SegmentFolder:
    """Keeps the segments of one space. Safe for many threads, as it holds nothing but a path."""

    def __init__(self, path: Path, space: Space) -> None:
        self.space = space
        self.path = path

    def open(self, head: int, lookup: Lookup) -> list[Segment]:
        """The segments to search, none overlapping another, in the order of their sequences.

        Files that are damaged, of something else, from after `head`, or covered by others are removed.
        Args: lookup: the stored vectors of those sequences that the database has. A segment of a database that was
            exchanged behind our back would differ from it.
        """
        usable: list[Segment] = []
        for path in self._files():
            try:
                segment = Segment.open(path, self.space)
                if segment.span.last > head or segment.span.as_of > head:
                    raise SegmentError(f"{path.name} is newer than the database")  # noqa: TRY301
                _compare(segment, lookup)
                usable.append(segment)
            except SegmentError as error:
                log.warning("a search segment is made anew from the database", reason=str(error))
                path.unlink(missing_ok=True)
        chosen = _cover([segment.span for segment in usable])
        for number, segment in enumerate(usable):
            if number not in chosen:
                segment.remove()
        return [usable[number] for number in chosen]

    def add(self, span: Span, pieces: Sequence[tuple[Rows, Kept | None]]) -> Segment:
        """See `Segment.write`."""
        return Segment.write(self.path, self.space, span, pieces)

    def inspect(self) -> Iterator[tuple[Path, str | None]]:
        """Each file of the folder, every byte of it checked, and what is wrong with it; nothing is removed."""
        for path in self._files():
            try:
                rows = Segment.open(path, self.space).rows
                spoiled = rows.spoiled(np.arange(len(rows))).size
                yield path, f"{spoiled} of its rows are damaged" if spoiled else None
            except SegmentError as error:
                yield path, str(error)

    def others(self, known: Sequence[Segment]) -> list[Segment]:
        """Segments in the folder beside those known: what another process has left or is using."""
        names = {segment.path for segment in known}
        found = []
        for path in self._files():
            if path not in names:
                try:
                    found.append(Segment.open(path, self.space))
                except SegmentError:
                    path.unlink(missing_ok=True)
        return found

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        for draft in self.path.glob(f"*{DRAFT}"):
            if time.time() - draft.stat().st_mtime > _ABANDONED:
                draft.unlink(missing_ok=True)
        return sorted(self.path.glob(f"*{SUFFIX}"))


def _compare(segment: Segment, lookup: Lookup) -> None:
    """Raises: SegmentError when sampled rows are not what the database holds; those deleted there prove nothing."""
    rows = segment.rows
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows))).astype(np.int64))
    known, halves = lookup(rows.sequences[chosen])
    mine = rows.halves[np.searchsorted(rows.sequences, known)]
    if rows.spoiled(chosen).size or mine.tobytes() != halves.tobytes():
        raise SegmentError(f"{segment.path.name} does not hold what the database holds")


def _cover(spans: Sequence[Span]) -> list[int]:
    """Numbers of spans that do not overlap, in their order; where several begin together, the longest is taken."""
    chosen: list[int] = []
    reached = 0
    for number in sorted(range(len(spans)), key=lambda each: (spans[each].first, -spans[each].last)):
        if spans[number].first > reached:
            chosen.append(number)
            reached = spans[number].last
    return chosen
