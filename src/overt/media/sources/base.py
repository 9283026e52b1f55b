# SPDX-License-Identifier: Apache-2.0
"""What a source of live pictures is, and how its address may be shown. Knows no scheme and decodes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote, urlsplit

from overt.media.plan import Plan


class SourceError(Exception):
    """The source gives nothing, or nothing more; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a Kinesis video stream.

    number: as Kinesis counts. server_time, producer_time: seconds since 1970 of its start. start: that of its first
    frame in the stream's own time, in seconds.
    """

    number: str
    server_time: float
    producer_time: float
    start: float


@dataclass(frozen=True, slots=True)
class Services:
    """What sources are told of the server's settings.

    kinesis_endpoint: URL of a Kinesis Video Streams service, None = AWS's. silence: seconds without a sign of life
    after which a source has stalled.
    """

    kinesis_endpoint: str | None = None
    silence: float = 5.0


class Feed:
    """One connection to a source, by default one that the worker makes by itself. Made, and then closed, by its users.

    Args: plan: what the worker is to open.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Some bytes, at most `length`; none at the end.

        Args: number: 0, or one that `follow` gave. offset: where, for what can be sought in; else it only goes on.
        Raises: SourceError.
        """
        msg = f"there is nothing to read here ({number}, {offset}, {length})"
        raise SourceError(msg)

    def follow(self, url: str) -> int:
        """A number for what a playlist names. Raises: SourceError when it may not be opened, or does not open."""
        msg = f"it names {redacted(url)[:200]}, which may not be opened"
        raise SourceError(msg)

    def fragment(self, told: float) -> Fragment | None:
        """The piece that a frame belongs to. Args: told: the stream's own time of it, in seconds."""

    def interrupt(self) -> None:
        """Have a `read` or `follow` under way in another thread end soon."""

    def close(self) -> None:
        """Disconnect."""


class Source(Protocol):
    """Something that can be connected to again and again."""

    @property
    def label(self) -> str:
        """Its address as it may be shown: without names, passwords and keys."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not appear in any text."""

    def connect(self) -> Feed:
        """A new connection. Raises: SourceError."""


def redacted(url: str) -> str:
    """A URL without user, password and the values of its query."""
    shown = re.sub(r"//.*@", "//***@", url, count=1, flags=re.DOTALL)
    path, mark, query = shown.partition("?")
    names = [f"{part.partition('=')[0]}=***" if "=" in part else "***" for part in query.split("&") if part]
    return path + mark + "&".join(names)


def secrets_of(url: str) -> tuple[str, ...]:
    """User, password and the values of the query, as written and as meant, longest first."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return (url,)
    told = parts.netloc.rpartition("@")[0]
    found = {told, *told.partition(":")[::2], *(part.partition("=")[2] for part in parts.query.split("&"))}
    found |= {unquote(word) for word in found}
    return tuple(sorted((word for word in found if len(word) > 1), key=lambda word: (-len(word), word)))


def scrubbed(text: str, secrets: tuple[str, ...]) -> str:
    """A text on one line, without the secrets."""
    for secret in secrets:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)  # not the "pass" of "password"
    return " ".join(text.split())
