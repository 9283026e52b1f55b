# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path

import pytest

from overt.cli.login import address, login
from overt.cli.output import CommandError
from overt.media.soap import Login


def test_a_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("pass word\nnot this\n")
    assert login("ann", file) == Login("ann", "pass word")
    assert login(None, None) is None


def test_a_password_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    assert login("ann", None) == Login("ann", "typed")
    with pytest.raises(CommandError, match="Password of ann"):
        login("ann", None)


@pytest.mark.parametrize(("user", "text", "words"), [(None, "x", "needs a --user"), ("ann", "", "holds no password")])
def test_what_is_no_login_is_refused(tmp_path: Path, user: str | None, text: str, words: str) -> None:
    file = tmp_path / "password"
    file.write_text(text)
    with pytest.raises(CommandError, match=words):
        login(user, file)


def test_who_asks_is_part_of_an_address() -> None:
    assert (
        address("rtsp://127.0.0.1:8554/1?a=b", Login("ann", "p:w@/")) == "rtsp://ann:p%3Aw%40%2F@127.0.0.1:8554/1?a=b"
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("v4l2:///dev/video0", "take no --user"),
        ("gate", "take no --user"),
        ("rtsp://bob@127.0.0.1/", "names a user already"),
        ("rtsp://[::1", "is no address"),
        ("rtsp://127.0.0.1/\n1", "no blanks"),
    ],
)
def test_addresses_that_take_no_user_are_refused(given: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        address(given, Login("ann", "pw"))
