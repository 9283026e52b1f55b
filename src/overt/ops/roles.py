# SPDX-License-Identifier: Apache-2.0
"""The five operations on roles."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from overt.engine import Engine
from overt.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from overt.govern import roles
from overt.ops import paging
from overt.ops.registry import operation
from overt.stores.base import ExistsError, NotFoundError
from overt.types import Call, Role

_PAGE = 100
_TERMS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "Kind": ("kind", str),
    "Trusted": ("trusted", tuple),
    "RequiredTags": ("required", tuple),
    "AllowedValues": ("allowed", lambda values: {name: tuple(some) for name, some in values.items()}),
    "MaxSessionDuration": ("longest", lambda seconds: dt.timedelta(seconds=seconds)),
    "SessionNameIsOperator": ("is_own_operator", bool),
}
"""Parameters, the fields of Role that they fill, and how."""


@operation("CreateRole", service="overt")
def create_role(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Make a role. Nobody but the owner may assume one that trusts nobody."""
    role = Role(call.caller.account, call["RoleName"], created=dt.datetime.now(dt.UTC), **_terms(call))
    roles.check(role)
    with engine.stores.write() as unit:
        try:
            unit.roles.add(role)
        except ExistsError:
            raise ResourceAlreadyExistsException(f"The role {role.name} exists already.") from None
    return {"Role": _shown(role)}


@operation("UpdateRole", service="overt")
def update_role(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Change the terms that are given."""
    with engine.stores.write() as unit:
        try:
            role = dataclasses.replace(unit.roles.get(call.caller.account, call["RoleName"]), **_terms(call))
        except NotFoundError:
            raise ResourceNotFoundException(f"There is no role {call['RoleName']}.") from None
        roles.check(role)
        unit.roles.change(role)
    return {"Role": _shown(role)}


@operation("DescribeRole", service="overt")
def describe_role(call: Call, engine: Engine) -> Mapping[str, Any]:
    """One role."""
    with engine.stores.read() as unit:
        try:
            return {"Role": _shown(unit.roles.get(call.caller.account, call["RoleName"]))}
        except NotFoundError:
            raise ResourceNotFoundException(f"There is no role {call['RoleName']}.") from None


@operation("ListRoles", service="overt")
def list_roles(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The account's roles by name, a page at a time."""
    limit = call.get("MaxResults", _PAGE)
    with engine.stores.read() as unit:
        rows = unit.roles.page(call.caller.account, paging.after(call, engine, ""), limit + 1)
    page = paging.cut(call, engine, rows, limit, lambda role: role.name)
    return {"Roles": [_shown(role) for role in page.rows], "NextToken": page.token}


@operation("DeleteRole", service="overt")
def delete_role(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Remove a role and end its sessions."""
    with engine.stores.write() as unit:
        try:
            unit.roles.remove(call.caller.account, call["RoleName"], dt.datetime.now(dt.UTC))
        except NotFoundError:
            raise ResourceNotFoundException(f"There is no role {call['RoleName']}.") from None
    return {}


def _terms(call: Call) -> dict[str, Any]:
    return {field: read(call[name]) for name, (field, read) in _TERMS.items() if name in call.params}


def _shown(role: Role) -> dict[str, Any]:
    return {
        "RoleName": role.name,
        "Arn": f"arn:aws:iam::{role.account}:role/{role.name}",
        "Kind": role.kind,
        "CreationTimestamp": role.created,
        "Trusted": role.trusted,
        "RequiredTags": role.required,
        "AllowedValues": role.allowed,
        "MaxSessionDuration": round(role.longest.total_seconds()),
        "SessionNameIsOperator": role.is_own_operator,
    }
