# SPDX-License-Identifier: Apache-2.0
"""A draft becomes the file, whole, or leaves no trace."""

from __future__ import annotations

from pathlib import Path

import pytest

from overt.stores.files import draft


def test_a_draft_takes_its_name_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file"
    with draft(file) as path:
        path.write_text("whole")
        assert not file.exists()
    assert file.read_text() == "whole"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_who_comes_second_uses_the_first(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with draft(file) as path:
        path.write_text("second")
        file.write_text("first")
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_draft_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), draft(tmp_path / "file"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
