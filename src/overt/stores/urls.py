# SPDX-License-Identifier: Apache-2.0
"""The URL of a database: read, and shown without its password. Knows no database."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from overt.stores.base import StoreError

_KINDS = {"sqlite": "sqlite", "postgresql": "postgresql", "postgresql+psycopg": "postgresql"}


def read(url: str) -> URL:
    """The parts of a URL. Raises: StoreError, which does not repeat what it could not read: it may be a password."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is a ValueError
        parts = None
    if parts is None or parts.drivername not in _KINDS:
        msg = "the store needs a url like sqlite:////var/lib/overt/overt.db or postgresql://user:password@host/overt"
        raise StoreError(msg) from None
    return parts


def kind(url: str) -> str:
    """Its backend, "sqlite" or "postgresql". Raises: StoreError for any other."""
    return _KINDS[read(url).drivername]


def shown(url: str) -> str:
    """For people and logs: without password and parameters, and a SQLite database as its file. Raises: StoreError."""
    parts = read(url)
    if kind(url) == "sqlite":
        return parts.database or ""
    return URL.create("postgresql", parts.username, None, parts.host, parts.port, parts.database).render_as_string()
