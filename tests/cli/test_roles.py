# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_role_is_made_changed_shown_and_removed(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    terms = ("--trust", "*", "--require", "case", "--require", "operator", "--allow", "purpose=theft,missing person")
    made = told("roles", "create", "desk", "--kind", "operator", *terms, "--hours", "2", "--own-name")
    assert made["Trusted"] == ["*"]
    assert made["AllowedValues"] == {"purpose": ["theft", "missing person"]}
    assert (made["MaxSessionDuration"], made["SessionNameIsOperator"]) == (7200, True)
    changed = told("roles", "set", "desk", "--kind", "auditor", "--require", "", "--no-own-name")
    assert changed == made | {"Kind": "auditor", "RequiredTags": [], "SessionNameIsOperator": False}
    assert told("roles", "show", "desk") == changed
    assert told("roles", "list")["Roles"] == [changed]
    table = overt("roles", "list", "--home", home).stdout
    assert "desk  auditor" in table
    assert told("roles", "delete", "desk", "--yes") == {"deleted": "desk"}
    assert told("roles", "list")["Roles"] == []


def test_what_is_wrong_is_said(overt: Callable[..., Any], home: Path) -> None:
    for arguments, words in (
        (("create", "x", "--kind", "owner"), "enum value set"),
        (("create", "x", "--kind", "admin", "--allow", "purpose"), "TAG=VALUE"),
        (("create", "x", "--kind", "admin", "--require", "Case"), "written case"),
        (("show", "x"), "no role x"),
    ):
        done = overt("roles", *arguments, "--home", home)
        assert done.returncode == 1
        assert words in done.stderr
