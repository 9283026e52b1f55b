# SPDX-License-Identifier: Apache-2.0
"""A gallery answers for each head as if it had been read at that moment, whatever became of its files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from overt.stores import gallery as module
from overt.stores.base import StoreError
from overt.stores.codes import Halves, Numbers, Rows, unit
from overt.stores.exact import Answer, Scanner, cosine
from overt.stores.gallery import Gallery, Query
from overt.stores.kernels.numpy import NumpyKernel
from overt.stores.segment import Space
from overt.stores.segment_folder import SegmentFolder
from overt.testing.stores import make_vectors

DIMENSION = 8
HALVES = make_vectors(5000, seed=1, dimension=DIMENSION).astype(np.float16)
SPACE = Space("ab" * 16, 7, "faces", "model-1", DIMENSION)


@dataclass
class FakeFeed:
    """A collection's whole history, seen as of one head. died_at: sequence -> the head at which it died."""

    head: int = 0
    died_at: dict[int, int] = field(default_factory=dict)
    reads: list[tuple[int, int]] = field(default_factory=list)

    def at(self, head: int) -> FakeFeed:
        return FakeFeed(head, self.died_at)

    def alive(self) -> list[int]:
        gone = {sequence for sequence, head in self.died_at.items() if head <= self.head}
        burials = set(self.died_at.values())  # a head that buried somebody bore nobody
        return [sequence for sequence in range(1, self.head + 1) if sequence not in gone | burials]

    def born(self, after: int, until: int) -> Iterator[tuple[Numbers, Halves]]:
        self.reads.append((after, until))
        rows = np.array([sequence for sequence in self.alive() if after < sequence <= until], np.int64)
        for start in range(0, len(rows), 37):
            yield rows[start : start + 37], HALVES[rows[start : start + 37]]

    def died(self, after: int) -> tuple[Numbers, Numbers]:
        pairs = [(sequence, head) for sequence, head in self.died_at.items() if after < head <= self.head]
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return table[:, 0], table[:, 1]

    def lookup(self, sequences: Numbers) -> tuple[Numbers, Halves]:
        known = np.array(sorted(set(sequences.tolist()) & set(self.alive())), np.int64)
        return known, HALVES[known]


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    scanner = Scanner(NumpyKernel(), 2)
    yield scanner
    scanner.close()


@pytest.fixture
def folder(tmp_path: Path) -> SegmentFolder:
    return SegmentFolder(tmp_path / "7-faces", SPACE)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of some rows, merged four at a time."""
    monkeypatch.setattr(module, "SEALED", 20)
    monkeypatch.setattr(module, "_READING", 100)
    monkeypatch.setattr(module, "_TIER", 4)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at an old snapshot."""
    monkeypatch.setattr(module, "_PATIENCE", 0.0)


def ask(gallery: Gallery, feed: FakeFeed, without: tuple[int, ...] = (), limit: int = 10_000) -> Answer:
    probe = unit(HALVES[:1])[0]
    return gallery.search(feed, Query(probe, limit, -1.0, np.array(without, np.int64)))


def found(gallery: Gallery, feed: FakeFeed, without: tuple[int, ...] = ()) -> list[int]:
    answer = ask(gallery, feed, without)
    expected = cosine(unit(HALVES[answer.sequences]), unit(HALVES[:1])[0])
    np.testing.assert_array_equal(answer.cosines, expected)
    assert not answer.scanned
    return sorted(answer.sequences.tolist())


def make_history(length: int, seed: int) -> FakeFeed:
    random = np.random.default_rng(seed)
    history = FakeFeed(length)
    for head in range(2, length):
        alive = [sequence for sequence in FakeFeed(head - 1, history.died_at).alive() if sequence < head]
        if random.random() < 0.3 and alive:
            history.died_at[int(random.choice(alive))] = head
    return history


@pytest.mark.parametrize("keeps_files", [False, True])
@pytest.mark.usefixtures("small")
def test_every_head_sees_its_own_rows_in_any_order_of_asking(
    scanner: Scanner, folder: SegmentFolder, *, keeps_files: bool
) -> None:
    random = np.random.default_rng(3)
    history = make_history(400, seed=3)
    gallery = Gallery(DIMENSION, scanner, folder if keeps_files else None)
    head = 1
    while head < 400:
        head = min(400, head + int(random.integers(1, 30)))
        for asked in (head, max(1, head - int(random.integers(1, 40))), head):
            feed = history.at(asked)
            assert found(gallery, feed) == feed.alive()
        gallery.tend()
    assert bool(gallery.segments) == keeps_files


@pytest.mark.usefixtures("small", "impatient")
def test_files_outlive_the_gallery_and_spare_the_database(scanner: Scanner, folder: SegmentFolder) -> None:
    history = make_history(600, seed=4)
    gallery = Gallery(DIMENSION, scanner, folder)
    for head in range(10, 601, 10):
        assert found(gallery, history.at(head)) == history.at(head).alive()
        gallery.tend()
    again = Gallery(DIMENSION, scanner, folder)
    feed = history.at(600)
    assert found(again, feed) == feed.alive()
    read = sum(until - after for after, until in feed.reads)
    assert read <= 2 * 20  # the tail alone
    assert len(again.segments) < 12
    assert sorted(segment.path for segment in again.segments) == sorted(folder.path.iterdir())


@pytest.mark.usefixtures("small")
def test_a_large_collection_is_read_in_pieces(scanner: Scanner, folder: SegmentFolder) -> None:
    gallery = Gallery(DIMENSION, scanner, folder)
    assert found(gallery, FakeFeed(1000)) == list(range(1, 1001))
    assert len(gallery.segments) >= 8
    assert gallery.nbytes < 100 * 100


def test_a_caught_up_gallery_reads_only_what_is_new(scanner: Scanner) -> None:
    gallery = Gallery(DIMENSION, scanner)
    assert found(gallery, FakeFeed(10)) == list(range(1, 11))
    same, later = FakeFeed(10), FakeFeed(12)
    found(gallery, same)
    assert same.reads == []
    view = gallery.at(FakeFeed(10))
    assert found(gallery, later) == list(range(1, 13))
    assert later.reads == [(10, 12)]
    assert view.tail.rows.sequences.tolist() == list(range(1, 11))


def test_rows_may_be_passed_over(scanner: Scanner) -> None:
    gallery = Gallery(DIMENSION, scanner)
    assert found(gallery, FakeFeed(5), without=(2, 5, 99)) == [1, 3, 4]
    best = ask(gallery, FakeFeed(5), limit=3).sequences.tolist()
    rest = ask(gallery, FakeFeed(5), without=tuple(best[:1]), limit=2).sequences.tolist()
    assert rest == best[1:]


def test_younger_rows_may_be_passed_over(scanner: Scanner) -> None:
    gallery = Gallery(DIMENSION, scanner)
    query = Query(unit(HALVES[:1])[0], 2, -1.0, np.empty(0, np.int64), until=4)
    alone = Query(unit(HALVES[:1])[0], 2, -1.0, np.empty(0, np.int64))
    expected = Gallery(DIMENSION, scanner).search(FakeFeed(4), alone).sequences.tolist()
    assert gallery.search(FakeFeed(30), query).sequences.tolist() == expected


@pytest.mark.usefixtures("impatient")
def test_dead_rows_leave_memory_and_files(
    scanner: Scanner, folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEALED", 50)
    gallery = Gallery(DIMENSION, scanner, folder)
    assert found(gallery, FakeFeed(60)) == list(range(1, 61))
    found(gallery, FakeFeed(70))
    history = FakeFeed(110, {sequence: 70 + sequence for sequence in [*range(1, 31), *range(61, 71)]})
    history.died_at = {sequence: 71 + number for number, sequence in enumerate(history.died_at)}
    before = gallery.segments[0]
    assert found(gallery, history) == history.alive()
    assert gallery.wants_tending
    gallery.tend()
    assert found(gallery, history) == history.alive()
    assert not gallery.wants_tending
    assert not before.path.exists()
    (segment,) = gallery.segments
    assert segment.rows.sequences.tolist() == list(range(31, 61))
    assert gallery.at(history).tail.rows.sequences.tolist() == []


@pytest.mark.usefixtures("small")
def test_a_snapshot_older_than_what_was_dropped_is_read_anew(
    scanner: Scanner, folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    gallery = Gallery(DIMENSION, scanner, folder)
    history = make_history(300, seed=5)
    for head in (100, 200, 300):
        found(gallery, history.at(head))
        gallery.tend()
    assert found(gallery, history.at(150)) == history.at(150).alive()


@pytest.mark.usefixtures("small")
def test_who_came_just_before_a_restarted_gallery_was_read_makes_nobody_read_it_anew(
    scanner: Scanner, folder: SegmentFolder
) -> None:
    found(Gallery(DIMENSION, scanner, folder), FakeFeed(100))
    history = FakeFeed(107, {5: 103, 50: 105, 104: 106})
    again = Gallery(DIMENSION, scanner, folder)
    assert found(again, history) == history.alive()
    for head, reads in ((106, []), (105, [(0, 105)]), (101, [(0, 101)])):  # 104 was there at 105, and is in no file
        feed = history.at(head)
        assert found(again, feed) == feed.alive()
        assert feed.reads == reads


@pytest.mark.usefixtures("small")
def test_a_missing_file_is_made_anew_and_the_others_are_kept(scanner: Scanner, folder: SegmentFolder) -> None:
    history = make_history(500, seed=6)
    gallery = Gallery(DIMENSION, scanner, folder)
    found(gallery, history)
    middle = gallery.segments[len(gallery.segments) // 2]
    middle.remove()
    feed = history.at(500)
    again = Gallery(DIMENSION, scanner, folder)
    assert found(again, feed) == feed.alive()
    assert (middle.span.first - 1, middle.span.last) in feed.reads
    assert len(again.segments) == len(gallery.segments)


@pytest.mark.usefixtures("small")
def test_changed_bytes_never_answer_wrongly(scanner: Scanner, folder: SegmentFolder) -> None:
    history = make_history(120, seed=7)
    found(Gallery(DIMENSION, scanner, folder), history)
    path = next(folder.path.iterdir())
    whole = path.read_bytes()
    random = np.random.default_rng(8)
    for place in random.integers(len(whole), size=300).tolist():
        spoiled = bytearray(whole)
        spoiled[place] ^= int(random.integers(1, 256))
        for each in folder.path.iterdir():
            each.unlink()
        path.write_bytes(spoiled)
        assert found(Gallery(DIMENSION, scanner, folder), history) == history.alive()


@pytest.mark.usefixtures("small")
def test_a_file_spoiled_while_it_is_mapped_is_put_aside(scanner: Scanner, folder: SegmentFolder) -> None:
    history = make_history(120, seed=7)
    gallery = Gallery(DIMENSION, scanner, folder)
    found(gallery, history)
    segment = gallery.segments[0]
    size = segment.path.stat().st_size
    with segment.path.open("r+b") as file:
        file.seek(size - len(segment.rows) * (2 * DIMENSION + 4) - 40)
        file.write(bytes(range(1, 200)))
    assert found(gallery, history) == history.alive()
    assert not segment.path.exists()


@pytest.mark.usefixtures("small")
def test_files_that_spoil_again_and_again_are_an_error(
    scanner: Scanner, folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rows, "spoiled", lambda self, found: found[:1])
    with pytest.raises(StoreError, match="damaged again and again"):
        ask(Gallery(DIMENSION, scanner, folder), FakeFeed(100))


@pytest.mark.usefixtures("small")
def test_files_of_something_else_are_not_used(scanner: Scanner, folder: SegmentFolder) -> None:
    found(Gallery(DIMENSION, scanner, folder), FakeFeed(100))
    for other in (
        Space("cd" * 16, 7, "faces", "model-1", DIMENSION),
        Space("ab" * 16, 7, "faces", "model-2", DIMENSION),
        Space("ab" * 16, 7, "users", "model-1", DIMENSION),
    ):
        feed = FakeFeed(100)
        found(Gallery(DIMENSION, scanner, SegmentFolder(folder.path, other)), feed)
        assert feed.reads[0] == (0, 100)


@pytest.mark.usefixtures("small")
def test_files_from_after_the_database_went_back_are_not_used(scanner: Scanner, folder: SegmentFolder) -> None:
    found(Gallery(DIMENSION, scanner, folder), FakeFeed(100))
    assert found(Gallery(DIMENSION, scanner, folder), FakeFeed(50)) == list(range(1, 51))


@pytest.mark.usefixtures("small")
def test_files_of_a_database_that_was_exchanged_are_not_used(
    scanner: Scanner, folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(Gallery(DIMENSION, scanner, folder), FakeFeed(100))
    others = make_vectors(5000, seed=2, dimension=DIMENSION).astype(np.float16)
    others[0] = HALVES[0]
    monkeypatch.setitem(globals(), "HALVES", others)
    assert found(Gallery(DIMENSION, scanner, folder), FakeFeed(100)) == list(range(1, 101))


@pytest.mark.usefixtures("small")
def test_without_a_writable_folder_search_runs_from_memory(scanner: Scanner, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    gallery = Gallery(DIMENSION, scanner, SegmentFolder(tmp_path / "file" / "7-faces", SPACE))
    for head in (100, 200):
        assert found(gallery, FakeFeed(head)) == list(range(1, head + 1))
        gallery.tend()
    assert gallery.segments == ()


@pytest.mark.usefixtures("small", "impatient")
def test_two_galleries_may_share_a_folder(scanner: Scanner, folder: SegmentFolder) -> None:
    history = make_history(600, seed=9)
    one, other = Gallery(DIMENSION, scanner, folder), Gallery(DIMENSION, scanner, folder)
    for head in range(7, 601, 7):
        feed = history.at(head)
        gallery = one if head % 2 else other
        assert found(gallery, feed) == feed.alive()
        gallery.tend()
    for gallery in (one, other, Gallery(DIMENSION, scanner, folder)):
        assert found(gallery, history) == history.alive()


@pytest.mark.usefixtures("small")
def test_erased_rows_are_nowhere(scanner: Scanner, folder: SegmentFolder) -> None:
    gallery, neighbour = Gallery(DIMENSION, scanner, folder), Gallery(DIMENSION, scanner, folder)
    found(neighbour, FakeFeed(90))
    found(gallery, FakeFeed(90))
    found(gallery, FakeFeed(95))
    view = gallery.at(FakeFeed(95))
    stale = [path.open("rb") for path in folder.path.iterdir()]
    doomed = [5, 50, 93]
    history = FakeFeed(98, {5: 96, 50: 97, 93: 98})
    names = gallery.erase(history)
    assert len(names) == len(stale)
    assert found(gallery, history) == history.alive()
    held = [file.read() for file in stale] + [path.read_bytes() for path in folder.path.iterdir()]
    for file in stale:
        file.close()
    for sequence in doomed:
        assert not any(HALVES[sequence].tobytes() in data for data in held)
        assert not any((block.rows.halves == HALVES[sequence]).all(axis=1).any() for block in view.blocks)
    assert any(HALVES[6].tobytes() in data for data in held)
    assert found(neighbour, history) == history.alive()


@pytest.mark.usefixtures("small")
def test_an_inspection_compares_every_row_with_the_database(
    scanner: Scanner, folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = make_history(200, seed=11)
    gallery = Gallery(DIMENSION, scanner, folder)
    assert list(gallery.inspect(history)) == []
    path = gallery.segments[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert list(gallery.inspect(history)) == [f"{path.name}: 1 of its rows are damaged"]
    path.write_bytes(whole)
    others = HALVES.copy()
    others[history.alive()[7]] = HALVES[0]
    monkeypatch.setitem(globals(), "HALVES", others)
    (fault,) = gallery.inspect(history)
    assert f"sequence {history.alive()[7]} " in fault
    monkeypatch.undo()
    short = FakeFeed(200, history.died_at)
    monkeypatch.setattr(short, "alive", lambda: history.alive()[1:])
    assert list(gallery.inspect(short)) == ["1 rows would be searched that the database does not hold"]


@pytest.mark.usefixtures("small", "impatient")
def test_searches_go_on_while_rows_come_and_go_and_files_are_merged(scanner: Scanner, folder: SegmentFolder) -> None:
    history = make_history(600, seed=10)
    gallery = Gallery(DIMENSION, scanner, folder)
    head = [1]
    done = threading.Event()

    def write() -> None:
        for step in range(1, 601, 3):
            head[0] = step
            gallery.tend()
        done.set()

    def read() -> None:
        while not done.is_set():
            feed = history.at(head[0])
            assert sorted(ask(gallery, feed).sequences.tolist()) == feed.alive()

    with ThreadPoolExecutor(4) as threads:
        work = [threads.submit(read) for _ in range(3)]
        threads.submit(write).result()
        for each in work:
            each.result()
    assert found(gallery, history) == history.alive()
