# SPDX-License-Identifier: Apache-2.0
"""Addresses and passwords of cameras as commands get them: not in the shell's history or the list of processes."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

import typer

from overt.cli.output import CommandError
from overt.media.soap import Login
from overt.media.sources.base import SourceError
from overt.media.sources.catalogue import find

UserOption = Annotated[str | None, typer.Option("--user", help="Name to log in to the camera with.")]
PasswordOption = Annotated[
    Path | None,
    typer.Option("--password-file", help="File whose first line is the password; without one you are asked."),
]

_TAKING = ("rtsp", "rtsps", "http", "https")
"""Schemes whose addresses have a place for who asks."""


def login(user: str | None, password_file: Path | None) -> Login | None:
    """Who logs in; None = nobody. Raises: CommandError."""
    if user is None:
        if password_file is not None:
            raise CommandError("a password needs a --user")
        return None
    if password_file is None:
        return Login(user, _asked(f"Password of {user}: "))
    lines = password_file.read_text(encoding="utf-8").splitlines()
    if not lines or not lines[0]:
        raise CommandError(f"{password_file} holds no password in its first line")
    return Login(user, lines[0])


def address(given: str, who: Login | None = None) -> str:
    """A camera's URL, read from standard input where it is given as `-`, with who asks in it.

    Raises: CommandError for one that nothing reads. Nothing is connected to.
    """
    url = (_asked("Address: ") if given == "-" else given).strip()
    if not url.isprintable() or " " in url:
        raise CommandError("an address has no blanks and no control characters in it: write them as %20 and so on")
    try:
        if who is not None:
            url = _with(url, who)
        find(url)
    except SourceError as error:
        raise CommandError(str(error)) from None
    return url


def _with(url: str, who: Login) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise CommandError("that is no address: write one as rtsp://host/path") from None
    if parts.scheme not in _TAKING:
        raise CommandError(f"addresses with {parts.scheme or 'no scheme'} take no --user")
    if "@" in parts.netloc:
        raise CommandError("the address names a user already: leave that out, or --user")
    told = f"{quote(who.user, safe='')}:{quote(who.password, safe='')}"
    return urlunsplit((parts.scheme, f"{told}@{parts.netloc}", *parts[2:]))


def _asked(question: str) -> str:
    """A line that is not shown while it is typed. Raises: CommandError when there is none."""
    answer = getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not answer:
        raise CommandError(f"nothing was given on standard input for: {question.strip(': ')}")
    return answer
