# SPDX-License-Identifier: Apache-2.0
"""What the tests over real HTTP share: a signing caller, and small pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from wire_calls import Caller


@pytest.fixture
def caller_with(server: Any) -> Iterator[Callable[..., Caller]]:
    """Makes callers by raw HTTP with a key: its id, its secret and perhaps its session token."""
    made: list[Caller] = []

    def make(key_id: str, secret: str, token: str | None = None) -> Caller:
        made.append(Caller(server.url, key_id, secret, token))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


@pytest.fixture
def caller(server: Any, caller_with: Callable[..., Caller]) -> Caller:
    """The server's owner."""
    return caller_with(server.key_id, server.secret)


@pytest.fixture(scope="session")
def portrait(photos: Path) -> Callable[[str], Image.Image]:
    """A photo of the folder by name, at most 192 pixels a side, RGB: quick to send and good enough to enrol."""

    def small(name: str) -> Image.Image:
        with Image.open(photos / name) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((192, 192))
        return picture

    return small


@pytest.fixture(scope="session")
def jpeg(portrait: Callable[[str], Image.Image]) -> Callable[[str], bytes]:
    """The same as a JPEG file's bytes."""

    def encoded(name: str = "obama.jpg") -> bytes:
        file = io.BytesIO()
        portrait(name).save(file, "JPEG", quality=92)
        return file.getvalue()

    return encoded
