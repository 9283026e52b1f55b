# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.govern.card import MISSING


@pytest.fixture(scope="module")
def record(overt: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a small replay."""
    folder = tmp_path_factory.mktemp("card")
    path = folder / "replay.json"
    done = overt("report", "replay", "--probes", "20", "--gallery", "100", "--record", path, "--home", folder / "home")
    assert done.returncode == 0, done.stderr
    return path


def test_the_same_records_make_the_same_bytes(overt: Callable[..., Any], record: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = overt("report", "card", record, "--html", tmp_path / f"{name}.html", "--file", tmp_path / f"{name}.json")
        assert done.returncode == 0, done.stderr
        assert "Governance" in done.stdout
    for ending in ("html", "json"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    assert MISSING in (tmp_path / "a.html").read_text()


def test_a_missing_section_fails_where_the_card_is_to_be_complete(
    overt: Callable[..., Any], record: Path, tmp_path: Path
) -> None:
    done = overt("report", "card", record, "--complete")
    assert done.returncode == 1
    assert "governance" in done.stderr
    words = ("intended_use", "fairness", "explainability", "robustness", "privacy_security", "transparency")
    words += ("governance", "deployment", "further_information")
    (tmp_path / "ours.toml").write_text("".join(f'{key} = "We <say> so."\n' for key in words))
    page = tmp_path / "card.html"
    done = overt("report", "card", record, "--operator", tmp_path / "ours.toml", "--complete", "--html", page)
    assert done.returncode == 0, done.stderr
    assert "We &lt;say&gt; so." in page.read_text()
    assert MISSING not in page.read_text()


@pytest.mark.parametrize("text", ["x = ", "governance = 1", 'poetry = "x"'])
def test_an_operators_file_that_cannot_be_read_is_told(
    overt: Callable[..., Any], record: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "ours.toml").write_text(text)
    done = overt("report", "card", record, "--operator", tmp_path / "ours.toml")
    assert done.returncode == 1
    assert done.stderr.startswith("overt: ")
