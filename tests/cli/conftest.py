# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder of the test's own."""
    return tmp_path / "home"


@pytest.fixture
def told(overt: Callable[..., Any], home: Path) -> Callable[..., Any]:
    """Runs a command with --json on the home folder; gives what it printed."""

    def run(*arguments: str | Path) -> Any:
        done = overt(*arguments, "--home", home, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
