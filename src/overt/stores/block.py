# SPDX-License-Identifier: Apache-2.0
"""Blocks of rows with their dead, and views: immutable states of a gallery. Knows no file's bytes and no kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from overt.stores.codes import Halves, Numbers, Rows, quantise
from overt.stores.exact import PART, Part
from overt.stores.kernels.base import Hidden
from overt.stores.segment import Segment

_NONE: Numbers = np.empty(0, np.int64)


class Block:
    """Rows in the order of their sequences, and which of them died at which head. Never changes.

    dead: (m,) row numbers; died: (m,) the heads. segment: the file that the rows lie in, None for a tail in memory.
    """

    __slots__ = ("_hidden", "dead", "died", "parts", "rows", "segment")

    def __init__(
        self, rows: Rows, dead: Numbers = _NONE, died: Numbers = _NONE, segment: Segment | None = None
    ) -> None:
        self.rows = rows
        self.dead = dead
        self.died = died
        self.segment = segment
        self.parts = segment.parts if segment is not None else rows.parts(PART)
        self._hidden: Hidden | None = None

    @classmethod
    def empty(cls, dimension: int) -> Block:
        """A tail without rows."""
        return cls(quantise(_NONE, np.empty((0, dimension), np.float16)))

    @property
    def last(self) -> int:
        """The highest sequence, 0 without rows."""
        return int(self.rows.sequences[-1]) if len(self.rows) else 0

    @property
    def deaths(self) -> tuple[Numbers, Numbers]:
        """The sequences of the dead rows, and the heads at which they died."""
        return self.rows.sequences[self.dead], self.died

    def grown(self, sequences: Numbers, halves: Halves) -> Block:
        """With newer rows, whose vectors are copied."""
        old, new = self.rows, quantise(sequences, halves)
        rows = Rows(
            _append(old.sequences, new.sequences),
            _append(old.codes, new.codes),
            _append(old.scales, new.scales),
            _append(old.halves, new.halves),
            max(old.residual, new.residual),
            max(old.reach, new.reach),
        )
        return Block(rows, self.dead, self.died)

    def with_dead(self, sequences: Numbers, died: Numbers, after: int = 0) -> Block:
        """With more rows dead: those of the sequences that are here and died above head `after`."""
        numbers, held = find(self.rows.sequences, sequences)
        held &= died > after
        if not held.any():
            return self
        dead = np.concatenate([self.dead, numbers[held]])
        return Block(self.rows, dead, np.concatenate([self.died, died[held]]), self.segment)

    def without(self, horizon: int) -> Block:
        """A copy in memory without the rows that died up to a head."""
        kept = self.kept(horizon)
        if kept is None:
            return self
        rows = self.rows
        few = Rows(
            rows.sequences[kept], rows.codes[kept], rows.scales[kept], rows.halves[kept], rows.residual, rows.reach
        )
        late = self.died > horizon
        return Block(few, np.searchsorted(few.sequences, rows.sequences[self.dead[late]]), self.died[late])

    def kept(self, horizon: int) -> Hidden | None:
        """(n,) which rows did not die up to a head; None when none did."""
        gone = self.dead[self.died <= horizon]
        if not gone.size:
            return None
        kept = np.ones(len(self.rows), np.bool_)
        kept[gone] = False
        return kept

    def hidden(self, head: int) -> Hidden | None:
        """(n,) which rows were dead at a head; None when none was."""
        if not self.dead.size:
            return None
        everybody = head >= self.died.max()
        if everybody and self._hidden is not None:
            return self._hidden
        kept = self.kept(head)
        hidden = None if kept is None else ~kept
        if everybody:
            self._hidden = hidden
        return hidden

    def blot(self, sequences: Numbers) -> None:
        """Put zeros over rows in memory, wherever it is shared. They must be dead."""
        numbers, held = find(self.rows.sequences, sequences)
        for column in (self.rows.codes, self.rows.scales, self.rows.halves):
            column[numbers[held]] = 0


@dataclass(frozen=True, slots=True)
class View:
    """An immutable state of a gallery: right for every head from `since` to `head`.

    blocks: sealed ones in the order of their sequences, then the tail. sealed: the last sequence that the sealed cover.
    """

    since: int
    head: int
    sealed: int
    blocks: tuple[Block, ...]

    @classmethod
    def empty(cls, dimension: int, head: int) -> View:
        """A view without rows, right for one head."""
        return cls(head, head, 0, (Block.empty(dimension),))

    @property
    def tail(self) -> Block:
        """The rows not sealed yet."""
        return self.blocks[-1]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The files in use."""
        return tuple(block.segment for block in self.blocks if block.segment is not None)

    @property
    def living(self) -> int:
        """Rows alive at the view's head."""
        return sum(len(block.rows) - len(block.dead) for block in self.blocks)

    def lookup(self, sequences: Numbers) -> Halves:
        """The vectors (n, dimension) float16 of living rows; NaN for a sequence that is not among them."""
        found = np.full((len(sequences), self.tail.rows.halves.shape[1]), np.nan, np.float16)
        for block in self.blocks:
            numbers, held = find(block.rows.sequences, sequences)
            held &= ~np.isin(numbers, block.dead)
            found[held] = block.rows.halves[numbers[held]]
        return found

    def with_tail(self, tail: Block, since: int = 0) -> View:
        """With another tail."""
        return replace(self, since=max(self.since, since), blocks=(*self.blocks[:-1], tail))

    def with_sealed(self, block: Block, last: int, since: int = 0) -> View:
        """With one more sealed block, which covers sequences up to `last`."""
        blocks = (*self.blocks[:-1], block, self.tail)
        return replace(self, since=max(self.since, since), sealed=last, blocks=blocks)

    def exchanged(self, old: list[Segment], new: Segment, since: int) -> View:
        """With one segment in the place of some neighbours, the dead of these still dead."""
        gone = [block for block in self.blocks if block.segment in old]
        block = Block(new.rows, segment=new)
        for each in gone:
            block = block.with_dead(*each.deaths)
        place = self.blocks.index(gone[0])
        blocks = tuple(each for each in self.blocks if each not in gone)
        return replace(self, since=max(self.since, since), blocks=(*blocks[:place], block, *blocks[place:]))

    def parts(self, head: int) -> tuple[list[Part], list[Segment | None]]:
        """What to scan so that no row alive at a head is missed, and the segment that each part is of."""
        parts: list[Part] = []
        owners: list[Segment | None] = []
        for block in self.blocks:
            hidden = block.hidden(head)
            start = 0
            for rows in block.parts:
                parts.append(Part(rows, None if hidden is None else hidden[start : start + PART]))
                owners.append(block.segment)
                start += PART
        return parts, owners

    def unseen(self, low: int, head: int) -> Numbers:
        """Sequences among `parts(low)` that a reader at `head`, not below `low`, must not see."""
        between = [
            block.rows.sequences[block.dead[(block.died > low) & (block.died <= head)]]
            for block in self.blocks
            if block.dead.size
        ]
        return np.concatenate([self.born_after(head), *between])

    def born_after(self, sequence: int | None) -> Numbers:
        """Sequences above one; none for None."""
        numbers = [_NONE]
        for block in self.blocks:
            if sequence is not None and block.last > sequence:
                place = np.searchsorted(block.rows.sequences, sequence, side="right")
                numbers.append(block.rows.sequences[place:])
        return np.concatenate(numbers)


def find(sequences: Numbers, wanted: Numbers) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Row number of each wanted sequence among ascending ones, and whether it is there at all; both (m,)."""
    if sequences.size == 0 or wanted.size == 0:
        return np.zeros(wanted.shape, np.int64), np.zeros(wanted.shape, np.bool_)
    numbers = np.minimum(np.searchsorted(sequences, wanted), sequences.size - 1)
    return numbers, sequences[numbers] == wanted


def _append(old: npt.NDArray[Any], new: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Old rows and new, written into the spare room behind the old ones where there is some.

    Only the newest view is ever grown, so that room is free; older views keep their own, shorter slice of the buffer.
    """
    total = len(old) + len(new)
    buffer = old if old.base is None else old.base
    if len(buffer) < total:
        buffer = np.empty((total + total // 4, *new.shape[1:]), new.dtype)
        buffer[: len(old)] = old
    buffer[len(old) : total] = new
    return buffer[:total]
