# SPDX-License-Identifier: Apache-2.0
"""Of the files in a folder, those are used that are whole, of this database, and do not overlap."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from overt.stores.archive import Archive
from overt.stores.codes import Halves, Numbers, quantise
from overt.stores.segment import Space, Span
from overt.testing.stores import make_vectors

HALVES = make_vectors(200, seed=1).astype(np.float16)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "1-faces", Space("ab" * 16, 1, "faces", "model-1", 32))


def lookup(sequences: Numbers) -> tuple[Numbers, Halves]:
    return sequences, HALVES[sequences]


def add(archive: Archive, first: int, last: int) -> Path:
    sequences = np.arange(first, last + 1)
    rows = quantise(sequences, HALVES[sequences])
    return archive.add(Span(first, last, last), [(rows, None)]).path


def test_a_folder_that_is_not_there_is_empty(archive: Archive) -> None:
    assert archive.open(100, lookup) == []
    assert archive.others([]) == []


def test_the_longest_that_do_not_overlap_are_used_and_the_rest_goes(archive: Archive) -> None:
    paths = [add(archive, *ends) for ends in [(1, 50), (51, 60), (1, 20), (21, 40), (61, 99), (41, 70), (120, 130)]]
    chosen = archive.open(199, lookup)
    assert [segment.path for segment in chosen] == [paths[0], paths[1], paths[4], paths[6]]
    assert [path.exists() for path in paths] == [True, True, False, False, True, False, True]


def test_a_file_of_other_vectors_or_a_later_head_goes(archive: Archive) -> None:
    late, early = add(archive, 51, 100), add(archive, 1, 50)
    assert [segment.path for segment in archive.open(60, lookup)] == [early]
    assert not late.exists()
    assert archive.open(60, lambda sequences: (sequences, HALVES[sequences + 1])) == []
    assert not early.exists()


def test_rows_deleted_in_the_database_prove_nothing(archive: Archive) -> None:
    add(archive, 1, 50)
    assert len(archive.open(60, lambda sequences: lookup(sequences[:0]))) == 1


def test_files_unknown_to_a_gallery_are_told(archive: Archive) -> None:
    mine, other = add(archive, 1, 50), add(archive, 51, 60)
    (archive.folder / "x.segment").write_bytes(b"no segment")
    known = [segment for segment in archive.open(60, lookup) if segment.path == mine]
    assert [segment.path for segment in archive.others(known)] == [other]


def test_drafts_of_processes_long_gone_are_removed(archive: Archive) -> None:
    add(archive, 1, 50)
    old, young = archive.folder / "old.draft", archive.folder / "young.draft"
    for draft in (old, young):
        draft.touch()
    os.utime(old, (0, time.time() - 7200))
    archive.open(60, lookup)
    assert (old.exists(), young.exists()) == (False, True)
