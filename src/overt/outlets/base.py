# SPDX-License-Identifier: Apache-2.0
"""What can go wrong on the way out, and how an address is shown to people. Knows no service."""

from __future__ import annotations

from urllib.parse import urlsplit

_PATHS_SHOWN = frozenset({"mqtt", "mqtts", "s3", "file"})
SECONDS = 10.0
"""How long one delivery may take."""


class SendError(Exception):
    """Something was not taken. is_permanent: it never will be, so trying again is of no use.

    The words say what happened and to whom, and hold no password, key or token.
    """

    def __init__(self, words: str, *, is_permanent: bool = False) -> None:
        super().__init__(words)
        self.is_permanent = is_permanent


def shown(url: str) -> str:
    """An address for people and logs: without user, password, query, and a path that may itself be a secret."""
    scheme, _, rest = url.partition(":")
    if not rest.startswith("//"):
        return f"{scheme}:{rest}" if rest.startswith("arn:") else f"{scheme}:"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return f"{scheme}://"
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{port}" if port else host
    return f"{scheme}://{place}{parts.path if scheme in _PATHS_SHOWN else ''}"
