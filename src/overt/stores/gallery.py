# SPDX-License-Identifier: Apache-2.0
"""The vectors of one collection, searchable as they were at any recent head: sealed segments and a growing tail.

Two readers may look at different snapshots of the database at once. A gallery serves both: rows remember the sequence
at which they were born, dead rows the head at which they died, and a search names the head it wants to see. Knows no
SQL: a feed brings the rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import structlog

from overt.stores.base import StoreError
from overt.stores.batching import Batcher
from overt.stores.block import Block, View, find
from overt.stores.codes import Halves, Numbers, Probe
from overt.stores.exact import Answer, Cosines, Scanner, SpoiledRowsError
from overt.stores.kernels.numpy import nth_best
from overt.stores.segment import Segment, SegmentError, Span
from overt.stores.segment_folder import SegmentFolder
from overt.types import Floats

log = structlog.get_logger(__name__)

SEALED = 65_536  # rows of a tail that become a segment: 25 MB, in memory until then
_READING = 1_048_576  # the same while a large collection is read from the database
_TIER = 8  # segments of like size that become one
_LARGEST = 4_194_304  # rows of a segment: merging larger ones would write gigabytes to save one file in a hundred
_DEAD_SHARE = 0.2  # of a segment: dead rows cost scan time, and are vectors that somebody deleted
# A snapshot older than this may have to read the collection anew. Calls are long over by then.
_PATIENCE = 60.0  # seconds
_ATTEMPTS = 3  # at a search that meets damaged files, each of which is put aside


class Feed(Protocol):
    """Where a gallery gets its rows: one collection as one snapshot of the database shows it."""

    @property
    def head(self) -> int:
        """The collection's head in this snapshot."""

    def born(self, after: int, until: int) -> Iterator[tuple[Numbers, Halves]]:
        """Living rows with after < sequence <= until, in batches: sequences (n,) ascending, vectors (n, dimension)."""

    def died(self, after: int) -> tuple[Numbers, Numbers]:
        """Deletions made above head `after`: the sequences of what went (n,), and the heads at which it went (n,)."""

    def lookup(self, sequences: Numbers) -> tuple[Numbers, Halves]:
        """Those of the sequences that live, ascending, and their vectors."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for.

    probe: (dimension,) unit float32. limit: at least 1. without: sequences to pass over. until: the highest sequence to
    look at, for a caller whose snapshot is older than the feed; None = all.
    """

    probe: Floats
    limit: int
    floor: float
    without: Numbers
    until: int | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query of a caller whose snapshot stands at `head`, and a view that is right for that head."""

    view: View
    query: Query
    head: int


class _SpoiledSegmentError(Exception):
    """A segment turned out to be damaged while it was searched."""

    def __init__(self, segment: Segment | None) -> None:
        super().__init__("a search segment is damaged")
        self.segment = segment


class Gallery:
    """The shared, growing view of one collection's faces or users. Safe for many threads."""

    def __init__(self, dimension: int, scanner: Scanner, folder: SegmentFolder | None = None) -> None:
        """Args: folder: where to keep segments; without one all rows stay in memory."""
        self._dimension = dimension
        self._scanner = scanner
        self._folder = folder
        self._lock = threading.Lock()  # held while the view changes
        self._tending = threading.Lock()
        self._view: View | None = None
        self._past: tuple[tuple[float, int], ...] = ()  # when the gallery stood at which head; about the last minute
        self._rests_until = 0.0  # monotonic time before which no merge is tried, as one failed
        self._batcher: Batcher[_Asked, Answer] = Batcher()

    def search(self, feed: Feed, query: Query) -> Answer:
        """The rows nearest to a probe at the feed's head; more than `query.limit` where they tie with the last."""
        for _ in range(_ATTEMPTS):
            try:
                return self._batcher.ask(_Asked(self.at(feed), query, feed.head), self._answer)
            except _SpoiledSegmentError as error:
                self._discard(error.segment)
        msg = "the search files of this collection are damaged again and again; is the disk failing? (`overt verify`)"
        raise StoreError(msg)

    def at(self, feed: Feed) -> View:
        """A view that is right for the feed's head; catches up first where that is needed."""
        view = self._view
        if view is None or view.head < feed.head:
            with self._lock:  # one thread reads the database, those that waited find the work done
                view = self._view
                if view is None or view.head < feed.head:
                    view = self._load(feed) if view is None else self._grown(view, feed)
                    self._publish(view)
        # Others have moved on from a snapshot this old; it is rare enough to read it anew for this one search.
        return view if view.since <= feed.head else self._load_in_memory(feed)

    @property
    def nbytes(self) -> int:
        """Memory held: the tail's. Segments are mapped, and the system takes their memory back when it needs it."""
        return 0 if self._view is None else self._view.tail.rows.nbytes

    @property
    def is_read(self) -> bool:
        """Whether it has been read from files or database."""
        return self._view is not None

    @property
    def living(self) -> int:
        """Rows alive when the gallery was last brought up to date."""
        return 0 if self._view is None else self._view.living

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments mapped."""
        return () if self._view is None else self._view.segments

    @property
    def wants_tending(self) -> bool:
        """Whether `tend` has something to do."""
        view = self._view
        if view is None or self._tending.locked() or time.monotonic() < self._rests_until:
            return False
        return self._tail_is_dirty(view) or (self._folder is not None and _plan(view, self._horizon(view)) is not None)

    def inspect(self, feed: Feed) -> Iterator[str]:
        """What is wrong with the files and with what would be searched, compared with the database row by row."""
        for path, fault in () if self._folder is None else self._folder.inspect():
            if fault is not None:
                yield f"{path.name}: {fault}"
        view, known = self.at(feed), 0
        for sequences, halves in feed.born(0, feed.head):
            held = view.lookup(sequences)
            known += len(sequences)
            for sequence in sequences[(held.view(np.uint16) != halves.view(np.uint16)).any(axis=1)].tolist():
                yield f"the row of sequence {sequence} would be searched with another vector than it has, or not at all"
        if (more := view.living - known) > 0:
            yield f"{more} rows would be searched that the database does not hold"

    def tend(self) -> None:
        """Merge small segments, and drop rows long dead from segments and tail. Searches go on meanwhile."""
        with self._tending:
            while True:
                with self._lock:
                    view = self._view
                    if view is None:
                        return
                    if self._tail_is_dirty(view):
                        horizon = self._horizon(view)
                        view = view.with_tail(view.tail.without(horizon), since=horizon)
                        self._view = view
                horizon = self._horizon(view)
                blocks = _plan(view, horizon)
                replaced = [] if blocks is None else self._merge(blocks, horizon)
                for segment in replaced:
                    segment.remove()
                if not replaced:
                    return

    def erase(self, feed: Feed) -> list[str]:
        """Blot out every row that was deleted, in memory and in every file of the folder.

        Returns: the names of the files that held some. Raises: StoreError when a file cannot be changed.
        """
        sequences, _ = feed.died(0)
        with self._tending:
            self.at(feed)
            names = self._blot(sequences)
            with self._lock:
                view = self._view
                if view is not None:
                    view.tail.blot(sequences)
                    self._view = view.with_tail(view.tail.without(view.head), since=view.head)
            return names

    # Reading

    def _load(self, feed: Feed) -> View:
        """Everything alive in the feed's snapshot: from segments where there are good ones, else from the database."""
        segments = [] if self._folder is None else self._folder.open(feed.head, feed.lookup)
        self._past = ()
        as_of = [segment.span.as_of for segment in segments]
        gone, died = feed.died(min(as_of, default=feed.head))
        view = View.empty(self._dimension, feed.head)
        is_whole = bool(segments)
        for segment in segments:
            if segment.span.first > view.sealed + 1:  # one in between was damaged
                is_whole = False
                view = self._read(view, feed, segment.span.first - 1)
                view = self._seal(view, segment.span.first - 1, feed.head)
            block = Block(segment.rows, segment=segment)
            view = view.with_sealed(block.with_dead(gone, died, after=segment.span.as_of), segment.span.last)
        if is_whole:
            # Callers whose snapshots are a little older are served as well, unless a row they see is in no file.
            lost = died[~np.logical_or.reduce([find(segment.rows.sequences, gone)[1] for segment in segments])]
            view = replace(view, since=max(*as_of, int(lost.max(initial=0))))
        view = self._read(view, feed, feed.head)
        return self._seal(view, feed.head, feed.head) if len(view.tail.rows) >= SEALED else view

    def _load_in_memory(self, feed: Feed) -> View:
        view = View.empty(self._dimension, feed.head)
        for sequences, halves in feed.born(0, feed.head):
            view = view.with_tail(view.tail.grown(sequences, halves))
        return view

    def _read(self, view: View, feed: Feed, until: int) -> View:
        """The view with rows born after all that it has; a long tail is sealed on the way."""
        for sequences, halves in feed.born(max(view.sealed, view.tail.last), until):
            view = view.with_tail(view.tail.grown(sequences, halves))
            if len(view.tail.rows) >= _READING:
                view = self._seal(view, int(sequences[-1]), feed.head)
        return view

    def _grown(self, view: View, feed: Feed) -> View:
        """The view caught up to the feed's snapshot."""
        before = view.head
        gone, died = feed.died(before)
        # What was born and died since the last look was never seen: heads in between would miss it.
        unseen = int(died[gone > before].max(initial=0))
        blocks = tuple(block.with_dead(gone, died) for block in view.blocks)
        view = replace(view, since=max(view.since, unseen), head=feed.head, blocks=blocks)
        for sequences, halves in feed.born(before, feed.head):
            view = view.with_tail(view.tail.grown(sequences, halves))
            if len(view.tail.rows) >= _READING:
                view = self._seal(view, int(sequences[-1]), self._horizon(view))
        if len(view.tail.rows) >= SEALED:
            view = self._seal(view, feed.head, self._horizon(view))
        return view

    def _publish(self, view: View) -> None:
        self._view = view
        now = time.monotonic()
        if not self._past or now - self._past[-1][0] >= _PATIENCE / 60:
            late = [number for number, (when, _) in enumerate(self._past) if when <= now - _PATIENCE]
            self._past = (*self._past[late[-1] if late else 0 :], (now, view.head))

    def _horizon(self, view: View) -> int:
        """A head that no living snapshot lies behind: what died up to there may go."""
        late = time.monotonic() - _PATIENCE
        return max([view.since, *(head for when, head in self._past if when <= late)])

    # Segments

    def _seal(self, view: View, last: int, horizon: int) -> View:
        """The view with its tail made a segment that covers sequences up to `last`; as it was where that fails."""
        if self._folder is None or not len(view.tail.rows):
            return view
        span = Span(view.sealed + 1, last, horizon)
        try:
            segment = self._folder.add(span, [(view.tail.rows, view.tail.kept(horizon))])
        except SegmentError as error:
            log.warning("search runs from memory: no segment could be kept", reason=str(error))
            self._folder = None
            return view
        sealed = Block(segment.rows, segment=segment).with_dead(*view.tail.deaths)
        return view.with_sealed(sealed, last, since=min(horizon, view.head)).with_tail(Block.empty(self._dimension))

    def _tail_is_dirty(self, view: View) -> bool:
        return bool((view.tail.died <= self._horizon(view)).any())

    def _merge(self, blocks: Sequence[Block], horizon: int) -> Sequence[Segment]:
        """Put one segment in the place of some, which are returned; of none where it could not be written."""
        folder = self._folder
        old = [block.segment for block in blocks if block.segment is not None]
        if folder is None or not old:
            return []
        span = Span(old[0].span.first, old[-1].span.last, horizon)
        try:
            segment = folder.add(span, [(block.rows, block.kept(horizon)) for block in blocks])
        except SegmentError as error:
            log.warning("search segments could not be merged", reason=str(error))
            self._rests_until = time.monotonic() + _PATIENCE
            return []
        with self._lock:
            if self._view is None or not set(old) <= set(self._view.segments):  # one of them was discarded meanwhile
                segment.remove()
                return []
            self._view = self._view.exchanged(old, segment, since=horizon)
        return old

    def _discard(self, segment: Segment | None) -> None:
        """Put a damaged segment aside; the next search reads its rows from the database."""
        with self._lock:
            if segment is None or (self._view is not None and segment in self._view.segments):
                log.warning("a damaged search segment is made anew from the database")
                self._view = None
        if segment is not None:
            segment.remove()

    def _blot(self, sequences: Numbers) -> list[str]:
        """Overwrite rows in all files, and put files without them in their place. Raises: StoreError."""
        view = self._view
        if self._folder is None or view is None:
            return []
        stale = {segment: find(segment.rows.sequences, sequences) for segment in self._folder.others(view.segments)}
        for block in view.blocks:
            if block.segment is not None:
                numbers, held = find(block.rows.sequences, sequences)
                stale[block.segment] = numbers, held
                # First the new file, so that the rows that stay are searched without a break.
                if held.any() and not self._merge([block], view.head):
                    self._discard(block.segment)
        names = []
        for segment, (numbers, held) in stale.items():
            if held.any():
                _overwrite(segment, numbers[held])
                segment.remove()
                names.append(segment.path.name)
        return names

    # Searching

    def _answer(self, asked: Sequence[_Asked]) -> list[Answer]:
        """One pass for all queries that one view can answer; a snapshot too old for it gets a pass of its own."""
        newest = max((each.view for each in asked), key=lambda view: view.head)
        together = [each for each in asked if each.head >= newest.since]
        answers = dict(zip(map(id, together), self._pass(newest, together), strict=True))
        for each in asked:
            if id(each) not in answers:
                answers[id(each)] = self._pass(each.view, [each])[0]
        return [answers[id(each)] for each in asked]

    def _pass(self, view: View, asked: Sequence[_Asked]) -> list[Answer]:
        """Each query sees the rows of its own head: others are searched too, and taken out of the answer."""
        low = min(each.head for each in asked)
        unwanted = [
            np.concatenate([each.query.without, view.unseen(low, each.head), view.born_after(each.query.until)])
            for each in asked
        ]
        probes = [
            Probe.of(each.query.probe, each.query.limit + others.size, each.query.floor)
            for each, others in zip(asked, unwanted, strict=True)
        ]
        parts, owners = view.parts(low)
        try:
            answers = self._scanner.search(parts, probes)
        except SpoiledRowsError as error:
            raise _SpoiledSegmentError(owners[error.part]) from error
        return [
            _without(answer, others, each.query.limit)
            for answer, others, each in zip(answers, unwanted, asked, strict=True)
        ]


def _without(answer: Answer, unwanted: Numbers, limit: int) -> Answer:
    if not unwanted.size:
        return answer
    kept = ~np.isin(answer.sequences, unwanted)
    cosines: Cosines = answer.cosines[kept]
    near = cosines >= nth_best(cosines, limit)
    return replace(answer, sequences=answer.sequences[kept][near], cosines=cosines[near])


def _plan(view: View, horizon: int) -> Sequence[Block] | None:
    """Neighbouring blocks that should become one: one with many dead rows, or the newest of a like size."""
    sealed = view.blocks[:-1]
    for block in sealed:
        if (block.died <= horizon).sum() > _DEAD_SHARE * len(block.rows):
            return [block]
    for start in range(len(sealed)):
        run = sealed[start:]
        if len(run) >= _TIER and max(map(_tier, run)) == _tier(run[-1]) and _size(run) <= _LARGEST:
            return run
    return None


def _size(blocks: Sequence[Block]) -> int:
    return sum(len(block.rows) for block in blocks)


def _tier(block: Block) -> int:
    """How many times a segment of the smallest size was merged to become as large as this one."""
    size, tier = SEALED, 0
    while size * _TIER <= len(block.rows):
        size, tier = size * _TIER, tier + 1
    return tier


def _overwrite(segment: Segment, numbers: Numbers) -> None:
    try:
        segment.overwrite(numbers)
    except FileNotFoundError:
        pass  # another process removed it
    except OSError as error:
        msg = f"the search file {segment.path.name} could not be overwritten: {error.strerror}"
        raise StoreError(msg) from error
