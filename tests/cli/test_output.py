# SPDX-License-Identifier: Apache-2.0
"""What is printed can be read whole, copied and searched, and with --json parsed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import uuid

import pytest

from overt.cli import output

IDS = [str(uuid.UUID(int=number * 2**100 + 1)) for number in range(3)]


def on_a_terminal(program: str, columns: int) -> str:
    """What a program prints on a terminal of so many columns."""
    reader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=terminal, env=environment | {"TERM": "xterm", "NO_COLOR": "1"}
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(reader, 4096)
        except OSError:  # what Linux says at the end of a terminal
            break
        if not part:
            break
        shown += part
    os.close(reader)
    assert process.wait(60) == 0
    return shown.decode()


def words(shown: str) -> str:
    """The characters of a terminal's text, without styles and white space."""
    return "".join(re.sub(r"\x1b\[[\d;]*m", "", shown).split())


def test_ids_stay_whole_and_on_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """However many, `grep` and `cut` find them."""
    output.table(("face", "user", "collection"), [IDS, IDS[::-1]])
    heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["face", "user", "collection"]
    assert first.split() == IDS
    assert second.split() == IDS[::-1]


def test_the_longest_id_is_never_cut_short_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    name = "-".join(IDS * 3)[:255]  # as long as a CollectionId may be
    output.table(("collection",), [(name,)])
    assert words(capsys.readouterr().out) == f"collection{name}"


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_an_id_is_never_cut_short_on_a_terminal(columns: int) -> None:
    """Where the line ends it goes on in the next one."""
    name = "".join(IDS)
    program = f"from overt.cli import output; output.table(('collection',), [({name!r},)])"
    assert words(on_a_terminal(program, columns)) == f"collection{name}"


@pytest.mark.parametrize(
    "text", ["x:smile:y", "[admin] of the gate", "[bold]", "a[/b].jpg", "back\\slash", "\\[x]", "Ünïcode 名前", "=1+1"]
)
def test_text_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Names and labels are people's own: nothing in them is a command to the table. Colons are allowed in image ids."""
    output.table(("label",), [(text,)])
    assert capsys.readouterr().out.splitlines()[1].rstrip() == text


def test_anything_can_be_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("", ""), [("none", None), ("number", 1.5), ("flag", True)])
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["none", "None"], ["number", "1.5"], ["flag", "True"],
    ]  # fmt: skip


def test_a_table_without_rows_still_has_its_headings(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("collection", "faces"), [])
    assert capsys.readouterr().out.split() == ["collection", "faces"]


def test_an_error_is_told_in_words_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    output.fail("StoreError", "the database is damaged", "see `overt doctor`", as_json=False)
    output.fail("CommandError", "no photos", as_json=False)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "overt: the database is damaged\n       see `overt doctor`\novert: no photos\n"


def test_an_error_is_told_to_programs_as_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.fail("StoreError", 'says "no"\nand why', "détail", as_json=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert json.loads(shown.err) == {
        "error": {"code": "StoreError", "message": 'says "no"\nand why', "detail": "détail"}
    }


def test_a_result_is_json_or_words_and_never_both(capsys: pytest.CaptureFixture[str]) -> None:
    result = {"Name": "名前", "Path": output.Path("/x")}
    output.show(result, lambda: output.line("for people"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"Name": "名前", "Path": "/x"}
    output.show(result, lambda: output.line("for people"), as_json=False)
    assert capsys.readouterr().out == "for people\n"
