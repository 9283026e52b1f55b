# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from overt.engine import Engine
from overt.errors import (
    InvalidParameterException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    ValidationException,
)
from overt.wire import local


def call(engine: Engine, operation: str, **params: Any) -> dict[str, Any]:
    return local.call(engine, operation, service="overt", **params)


def test_a_role_is_made_changed_listed_and_removed(engine: Engine) -> None:
    terms = {"Trusted": ["*"], "RequiredTags": ["case"], "AllowedValues": {"purpose": ["theft"]}}
    made = call(engine, "CreateRole", RoleName="desk", Kind="operator", **terms)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{engine.settings.account}:role/desk"
    assert {name: made[name] for name in terms} == terms
    assert (made["MaxSessionDuration"], made["SessionNameIsOperator"]) == (3600, False)
    changed = call(engine, "UpdateRole", RoleName="desk", Trusted=[], MaxSessionDuration=900)["Role"]
    assert changed == made | {"Trusted": [], "MaxSessionDuration": 900}
    assert call(engine, "DescribeRole", RoleName="desk")["Role"] == changed
    assert call(engine, "ListRoles")["Roles"] == [changed]
    assert call(engine, "DeleteRole", RoleName="desk") == {}
    assert call(engine, "ListRoles") == {"Roles": []}


def test_roles_are_listed_by_name_a_page_at_a_time(engine: Engine) -> None:
    for name in ("c", "a", "b"):
        call(engine, "CreateRole", RoleName=name, Kind="auditor")
    first = call(engine, "ListRoles", MaxResults=2)
    rest = call(engine, "ListRoles", MaxResults=2, NextToken=first["NextToken"])
    assert [role["RoleName"] for role in first["Roles"] + rest["Roles"]] == ["a", "b", "c"]
    assert "NextToken" not in rest
    for name in "abc":
        call(engine, "DeleteRole", RoleName=name)


def test_what_cannot_be_is_refused(engine: Engine) -> None:
    call(engine, "CreateRole", RoleName="twin", Kind="auditor")
    with pytest.raises(ResourceAlreadyExistsException):
        call(engine, "CreateRole", RoleName="twin", Kind="auditor")
    call(engine, "DeleteRole", RoleName="twin")
    for operation in ("DescribeRole", "UpdateRole", "DeleteRole"):
        with pytest.raises(ResourceNotFoundException):
            call(engine, operation, RoleName="nowhere")
    with pytest.raises(ValidationException):
        call(engine, "CreateRole", RoleName="boss", Kind="owner")
    with pytest.raises(InvalidParameterException, match="written case"):
        call(engine, "CreateRole", RoleName="x", Kind="admin", RequiredTags=["Case"])
