# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_healthy_home_is_told_to_be(told: Callable[..., Any]) -> None:
    result = told("doctor")
    assert result["ok"] is True
    findings = {finding["subject"]: finding["told"] for finding in result["findings"]}
    assert findings["operations"] == "46 of 75 offered"
    assert "sha256" in findings["pack faces 1.0.0"]
    assert "sha256" in findings["pack vision 1.0.0"]
    assert {"python", "decoding", "database", "disk", "port", "pictures"} <= set(findings)


def test_a_damaged_database_is_found(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    told("collections", "create", "people")
    database = home / "overt.db"
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    database.write_bytes(content)
    done = overt("doctor", "--home", home, "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["subject"], finding["ok"]) == ("database", False)
    assert "malformed" in finding["told"]
    done = overt("collections", "list", "--home", home)
    assert done.returncode == 1
    assert "overt doctor" in done.stderr
