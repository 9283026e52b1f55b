# SPDX-License-Identifier: Apache-2.0
"""Who calls, and becoming somebody else for a while: STS's AssumeRole and GetCallerIdentity, and our GetIdentity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NoReturn

from overt.engine import Engine
from overt.errors import AccessDeniedException, InvalidParameterException
from overt.govern import sessions
from overt.govern.sessions import Wish
from overt.ops.registry import operation
from overt.stores.base import AccessKey, NotFoundError, Unit
from overt.types import Call, Intent

_NOT_OFFERED = (
    "Policy",
    "PolicyArns",
    "SerialNumber",
    "TokenCode",
    "ExternalId",
    "ProvidedContexts",
    "MinimumSessionTokenSize",
)
"""Parameters of AssumeRole that would narrow a session or prove more. Passed over, they would promise it."""


@operation("AssumeRole", service="sts")
def assume_role(call: Call, engine: Engine) -> Mapping[str, Any]:
    """A temporary key for a role, bound to what the session's tags and source identity say."""
    refused = [name for name in _NOT_OFFERED if call.get(name) is not None]
    if refused:
        raise InvalidParameterException(f"{', '.join(refused)} of AssumeRole is not offered. Nothing was done.")
    name = _role_name(call)
    wish = Wish(
        session=call["RoleSessionName"],
        lifetime=dt.timedelta(seconds=call["DurationSeconds"]) if call.get("DurationSeconds") else None,
        operator=call.get("SourceIdentity", ""),
        tags=[(tag["Key"], tag["Value"]) for tag in call.get("Tags", ())],
        transitive=call.get("TransitiveTagKeys", ()),
    )
    with engine.stores.write() as unit:
        key = _key(unit, call)
        try:
            role = unit.roles.get(call.caller.account, name)
        except NotFoundError:
            _refuse(call, key)
        if not sessions.trusts(role, key):
            _refuse(call, key)
        made = sessions.begin(role, key, wish, dt.datetime.now(dt.UTC))
        unit.keys.add(made.key)
    return {
        "Credentials": {
            "AccessKeyId": made.key.id,
            "SecretAccessKey": made.key.secret,
            "SessionToken": made.token,
            "Expiration": made.key.expires,
        },
        "AssumedRoleUser": {"AssumedRoleId": user_id(made.key), "Arn": arn(made.key)},
        "SourceIdentity": (made.key.assumed.operator or None) if made.key.assumed else None,
    }


@operation("GetCallerIdentity", service="sts")
def get_caller_identity(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The caller's account and name."""
    with engine.stores.read() as unit:
        key = _key(unit, call)
    return {"UserId": user_id(key), "Account": key.account, "Arn": arn(key)}


@operation("GetIdentity", service="overt")
def get_identity(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The caller with what it calls for, headers included."""
    with engine.stores.read() as unit:
        key = _key(unit, call)
    assumed = key.assumed
    return {
        "KeyId": key.id,
        "Account": key.account,
        "Arn": arn(key),
        "Kind": call.caller.role,
        "RoleName": assumed.role if assumed else None,
        "SessionName": assumed.session if assumed else None,
        "Expiration": key.expires,
        "Intent": _shown(call.caller.intent),
        "Tags": assumed.tags if assumed else None,
    }


def arn(key: AccessKey) -> str:
    """Whom a key stands for, as AWS writes it."""
    if key.assumed is None:
        return f"arn:aws:iam::{key.account}:user/{key.id}"
    return f"arn:aws:sts::{key.account}:assumed-role/{key.assumed.role}/{key.assumed.session}"


def user_id(key: AccessKey) -> str:
    """The same in short."""
    return key.id if key.assumed is None else f"{key.assumed.role}:{key.assumed.session}"


def _shown(intent: Intent) -> dict[str, str | None]:
    return {
        "Operator": intent.operator or None,
        "Purpose": intent.purpose or None,
        "Case": intent.case or None,
        "LegalBasis": intent.legal_basis or None,
        "ProbeKind": intent.probe_kind or None,
        "Authorisation": intent.authorisation or None,
    }


def _key(unit: Unit, call: Call) -> AccessKey:
    """The caller's key; for the command line, which needs none, one that opens nothing."""
    try:
        return unit.keys.get(call.caller.key_id)
    except NotFoundError:
        now = dt.datetime.now(dt.UTC)
        return AccessKey(call.caller.key_id, call.caller.account, call.caller.role, secret="", created=now)


def _role_name(call: Call) -> str:
    """The role asked for; "" when it is of another account, so that it is not found."""
    arn_of_roles = f"arn:aws:iam::{call.caller.account}:role/"
    wanted: str = call["RoleArn"]
    return wanted.removeprefix(arn_of_roles) if wanted.startswith(arn_of_roles) else ""


def _refuse(call: Call, key: AccessKey) -> NoReturn:
    """In the same words when there is no such role, so that nobody learns which there are."""
    raise AccessDeniedException(
        f"User: {arn(key)} is not authorized to perform: sts:AssumeRole on resource: {call['RoleArn']}",
        detail="no such role in your account, or it does not trust this key; see `overt roles show`",
    )
