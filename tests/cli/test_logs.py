# SPDX-License-Identifier: Apache-2.0
"""Log lines go to standard error: JSON for machines, text on a terminal, errors only where the output is a result."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from overt.cli import logs
logs.configure({form!r}, quiet={quiet})
log = structlog.get_logger()
log.debug("detail")
log.info("call", operation="DetectFaces", ms=1.5)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broke", id="x-1")
"""


def logged(form: str, *, quiet: bool = False) -> list[str]:
    """Lines on standard error, which is a pipe; nothing may reach standard output."""
    command = [sys.executable, "-c", PROGRAM.format(form=form, quiet=quiet)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def logged_on_a_terminal(form: str) -> str:
    reader, terminal = pty.openpty()
    command = [sys.executable, "-c", PROGRAM.format(form=form, quiet=False)]
    done = subprocess.run(command, stderr=terminal, stdout=subprocess.PIPE, timeout=60, check=True)
    os.close(terminal)
    shown = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert done.stdout == b""
    return shown


@pytest.mark.parametrize("form", ["auto", "json"])
def test_lines_are_json_where_nobody_is_watching(form: str) -> None:
    """A line for each event, with what happened, when and how bad it was."""
    call, broke = map(json.loads, logged(form))
    assert (call["event"], call["level"], call["operation"], call["ms"]) == ("call", "info", "DetectFaces", 1.5)
    assert call["timestamp"].endswith("Z")
    assert (broke["event"], broke["level"], broke["id"]) == ("broke", "error", "x-1")
    assert "ZeroDivisionError" in broke["exception"]


def test_lines_are_text_on_a_terminal() -> None:
    shown = logged_on_a_terminal("auto")
    assert "operation=DetectFaces" in shown
    assert not any(line.startswith("{") for line in shown.splitlines())


def test_who_asks_for_json_or_text_gets_it_anywhere() -> None:
    assert json.loads(logged_on_a_terminal("json").splitlines()[0])["event"] == "call"
    first = logged("text")[0]
    assert "operation=DetectFaces" in first
    assert "\x1b" not in first  # no colours in a file


@pytest.mark.parametrize("form", ["text", "json"])
def test_quiet_keeps_errors_only(form: str) -> None:
    shown = "\n".join(logged(form, quiet=True))
    assert "DetectFaces" not in shown
    assert "broke" in shown
    assert "ZeroDivisionError" in shown


def test_details_for_developers_are_not_logged() -> None:
    assert not any("detail" in line for line in logged("json"))
