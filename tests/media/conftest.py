# SPDX-License-Identifier: Apache-2.0
"""A pool of decoding workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from overt.media.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(2)
    yield made
    made.close()
