# SPDX-License-Identifier: Apache-2.0
"""The commands without a cluster; with one they are in tests/scale."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from postgresql_server import PASSWORD


def test_the_commands_say_what_is_missing(overt: Callable[..., Any], home: Path, postgresql_url: str) -> None:
    for command in ("status", "roll", "stop"):
        refused = overt("cluster", command, "--home", home, OVERT_STORE=postgresql_url)
        assert refused.returncode == 1
        assert "give --ray auto" in refused.stderr
        refused = overt("cluster", command, "--home", home, "--ray", "127.0.0.1:1", OVERT_STORE=postgresql_url)
        assert refused.returncode == 1
        assert "no head of a Ray cluster answers at 127.0.0.1:1" in refused.stderr
        assert PASSWORD not in refused.stderr + refused.stdout


def test_sqlite_is_refused(overt: Callable[..., Any], home: Path) -> None:
    refused = overt("up", "--port", "0", "--home", home, "--ray", "auto")
    assert refused.returncode == 1
    assert "set `store` to a postgresql:// URL" in refused.stderr
    refused = overt("cluster", "status", "--home", home, "--ray", "auto")
    assert refused.returncode == 1
    assert "set `store` to a postgresql:// URL" in refused.stderr
