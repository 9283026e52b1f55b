# SPDX-License-Identifier: Apache-2.0
"""URLs are read, and never shown with what must stay secret."""

from __future__ import annotations

import pytest

from overt.stores import urls
from overt.stores.base import StoreError


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        ("sqlite:////var/lib/overt/overt.db", "sqlite", "/var/lib/overt/overt.db"),
        ("postgresql://ann:hush@host:5433/overt", "postgresql", "postgresql://ann@host:5433/overt"),
        ("postgresql+psycopg://ann:hu%40sh@host/overt", "postgresql", "postgresql://ann@host/overt"),
        ("postgresql:///overt?host=/run&sslpassword=hush", "postgresql", "postgresql:///overt"),
    ],
)
def test_a_url_is_shown_without_secrets(url: str, kind: str, shown: str) -> None:
    assert (urls.kind(url), urls.shown(url)) == (kind, shown)


@pytest.mark.parametrize(
    "url",
    ["", "hush", "mysql://ann:hush@host/db", "postgresql+asyncpg://ann:hush@host/db", "postgresql://a:b@c:hush/d"],
)
def test_what_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:////var") as caught:
        urls.read(url)
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
