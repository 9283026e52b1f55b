# SPDX-License-Identifier: Apache-2.0
"""Of the files in a folder, those are used that are whole, of this database, and do not overlap."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from overt.stores.codes import Halves, Numbers, quantise
from overt.stores.segment import Space, Span
from overt.stores.segment_folder import SegmentFolder
from overt.testing.stores import make_vectors

HALVES = make_vectors(200, seed=1).astype(np.float16)


@pytest.fixture
def folder(tmp_path: Path) -> SegmentFolder:
    return SegmentFolder(tmp_path / "1-faces", Space("ab" * 16, 1, "faces", "model-1", 32))


def lookup(sequences: Numbers) -> tuple[Numbers, Halves]:
    return sequences, HALVES[sequences]


def add(folder: SegmentFolder, first: int, last: int) -> Path:
    sequences = np.arange(first, last + 1)
    rows = quantise(sequences, HALVES[sequences])
    return folder.add(Span(first, last, last), [(rows, None)]).path


def test_a_folder_that_is_not_there_is_empty(folder: SegmentFolder) -> None:
    assert folder.open(100, lookup) == []
    assert folder.others([]) == []


def test_the_longest_that_do_not_overlap_are_used_and_the_rest_goes(folder: SegmentFolder) -> None:
    paths = [add(folder, *ends) for ends in [(1, 50), (51, 60), (1, 20), (21, 40), (61, 99), (41, 70), (120, 130)]]
    chosen = folder.open(199, lookup)
    assert [segment.path for segment in chosen] == [paths[0], paths[1], paths[4], paths[6]]
    assert [path.exists() for path in paths] == [True, True, False, False, True, False, True]


def test_a_file_of_other_vectors_or_a_later_head_goes(folder: SegmentFolder) -> None:
    late, early = add(folder, 51, 100), add(folder, 1, 50)
    assert [segment.path for segment in folder.open(60, lookup)] == [early]
    assert not late.exists()
    assert folder.open(60, lambda sequences: (sequences, HALVES[sequences + 1])) == []
    assert not early.exists()


def test_rows_deleted_in_the_database_prove_nothing(folder: SegmentFolder) -> None:
    add(folder, 1, 50)
    assert len(folder.open(60, lambda sequences: lookup(sequences[:0]))) == 1


def test_files_unknown_to_a_gallery_are_told(folder: SegmentFolder) -> None:
    mine, other = add(folder, 1, 50), add(folder, 51, 60)
    (folder.path / "x.segment").write_bytes(b"no segment")
    known = [segment for segment in folder.open(60, lookup) if segment.path == mine]
    assert [segment.path for segment in folder.others(known)] == [other]


def test_drafts_of_processes_long_gone_are_removed(folder: SegmentFolder) -> None:
    add(folder, 1, 50)
    old, young = folder.path / "old.draft", folder.path / "young.draft"
    for draft in (old, young):
        draft.touch()
    os.utime(old, (0, time.time() - 7200))
    folder.open(60, lookup)
    assert (old.exists(), young.exists()) == (False, True)
