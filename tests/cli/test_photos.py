# SPDX-License-Identifier: Apache-2.0
"""Portraits are looked for where the user says; what is missing is told, and how to get it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli import photos as sample
from overt.cli.output import CommandError


@pytest.fixture
def portraits(photos: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "portraits"
    folder.mkdir()
    for name in sample.PORTRAITS:
        shutil.copy(photos / name, folder / name)
    return folder


def test_the_folder_given_comes_before_the_variable_and_that_before_the_folder_here(
    portraits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERT_PHOTOS", str(tmp_path / "nowhere"))
    assert sample.folder(portraits) == portraits
    monkeypatch.setenv("OVERT_PHOTOS", str(portraits))
    assert sample.folder(None) == portraits
    monkeypatch.setenv("OVERT_PHOTOS", "")
    portraits.rename(tmp_path / ".photos")
    monkeypatch.chdir(tmp_path)
    assert sample.folder(None) == Path(".photos")


def test_missing_portraits_are_told_by_name_and_only_they(portraits: Path) -> None:
    (portraits / "biden.jpg").unlink()
    (portraits / "obama3.jpg").unlink()
    with pytest.raises(CommandError) as caught:
        sample.folder(portraits)
    told = str(caught.value)
    assert told.startswith(f"{portraits} lacks obama3.jpg, biden.jpg.")
    assert "make photos" in told
    assert "--photos" in told
    assert "astronaut.png" not in told


def test_a_folder_of_that_name_is_no_portrait(portraits: Path) -> None:
    (portraits / "obama.jpg").unlink()
    (portraits / "obama.jpg").mkdir()
    with pytest.raises(CommandError, match=r"lacks obama\.jpg\."):
        sample.folder(portraits)


def test_a_folder_that_is_not_there_lacks_them_all(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        sample.folder(tmp_path / "nowhere")
    assert all(name in str(caught.value) for name in sample.PORTRAITS)


@pytest.mark.parametrize("command", [("demo",), ("bench", "faces")])
def test_commands_tell_it_and_do_nothing_else(
    overt: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = overt(*command, "--photos", tmp_path, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "make photos" in json.loads(done.stderr)["error"]["message"]
    assert list(tmp_path.iterdir()) == []
