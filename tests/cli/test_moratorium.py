# SPDX-License-Identifier: Apache-2.0
"""The moratorium from the command line: on by one, off by two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_it_is_begun_and_lifted_and_all_of_it_is_kept(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    assert told("moratorium", "status") == {"isOn": False, "moratoria": []}
    assert "never" in overt("moratorium", "status", "--home", home).stdout
    begun = told("moratorium", "on", "--by", "Ann", "--why", "a court", "--collection", "people")
    assert (begun["number"], begun["by"], begun["collection"], begun["lifted"]) == (1, "ann", "people", None)
    first = overt("moratorium", "approve-lift", "1", "--by", "ann", "--why", "over", "--home", home)
    assert "1 more, and not the same person" in first.stdout
    assert told("moratorium", "status")["isOn"]
    lifted = told("moratorium", "approve-lift", "1", "--by", "bob", "--why", "over")
    assert lifted["lifted"]
    status = told("moratorium", "status")
    assert not status["isOn"]
    assert [approval["by"] for approval in status["moratoria"][0]["approvals"]] == ["ann", "bob"]
    assert "collection people" in overt("moratorium", "status", "--home", home).stdout


def test_what_cannot_be_done_is_told(overt: Callable[..., Any], home: Path) -> None:
    done = overt("moratorium", "approve-lift", "7", "--by", "ann", "--why", "x", "--home", home)
    assert (done.returncode, "no moratorium 7 is in force" in done.stderr) == (1, True)
    for command in (("on",), ("approve-lift", "1")):
        done = overt("moratorium", *command, "--by", " ", "--why", "x", "--home", home)
        assert (done.returncode, "who wants it and why" in done.stderr) == (1, True)
