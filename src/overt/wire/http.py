# SPDX-License-Identifier: Apache-2.0
"""One HTTP request and its answer as plain values, so that the wire can be tested without a server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Request:
    """path and query are as they came, still percent-encoded; header names are lower case, repeats joined by commas.

    oversized: the body was longer than any the contract allows, and is not here.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    oversized: bool = False

    @cached_property
    def body_sha256(self) -> str:
        """Hex digest of the body; computed once, as a body may be megabytes."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
