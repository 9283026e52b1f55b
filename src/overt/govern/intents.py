# SPDX-License-Identifier: Apache-2.0
"""What a call is for: told by the tags of a session, or by signed headers where the session leaves it open.

A session's word stands: a header may repeat or add to it, never change it. Knows no HTTP and no store.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from overt.errors import AccessDeniedException, InvalidParameterException
from overt.stores.base import AccessKey
from overt.types import Assumed, Intent

OPERATOR = "operator"
"""Named like a tag in a role's terms; on the wire it is SourceIdentity."""
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "case": "case",
        "purpose": "purpose",
        "legalBasis": "legal_basis",
        "probeKind": "probe_kind",
        "authorisation": "authorisation",
        OPERATOR: "operator",
    }
)
"""Names in tags and in roles' terms, and the fields of Intent that they fill."""
HEADER = "x-overt-"
HEADERS: Mapping[str, str] = MappingProxyType(
    {HEADER + field.replace("_", "-"): name for name, field in FIELDS.items()}
)
"""Request headers, and the names that they stand for."""
PROBE_KINDS = ("photo", "frame", "sketch", "composite", "edited")
DECLARING = frozenset({"owner", "operator", "service"})
"""Roles whose lasting keys may say by header what a call is for: those that act for people."""

# A value of a session tag, by the service model of STS, and at least one character of it.
_VALUE = re.compile(r"[\w \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]{1,256}")
# As SourceIdentity, but for the comma: two headers of one name arrive joined by one.
_IDENTITY = re.compile(r"[\w+=.@-]{2,64}", re.ASCII)


def of(assumed: Assumed | None) -> Intent:
    """What a key stands for; of one that was made by hand, nothing."""
    if assumed is None:
        return Intent()
    told = {field: assumed.tags.get(name, "") for name, field in FIELDS.items() if name != OPERATOR}
    return Intent(operator=assumed.operator, **told)


def declare(key: AccessKey, declared: Mapping[str, str]) -> Intent:
    """What a key stands for, with what signed headers add to it.

    Args: declared: values by header.
    Raises: AccessDeniedException when the key may not declare, or a header is unknown, contradicts the session or is
        not among the values its role allows. InvalidParameterException for a value in another form.
    """
    intent = of(key.assumed)
    if not declared:
        return intent
    first = min(declared)
    if key.assumed is None and key.role not in DECLARING:
        raise AccessDeniedException(
            f"A lasting key of the role {key.role} may not set {first}. Assume a role whose session carries it."
        )
    for header, value in sorted(declared.items()):
        if header not in HEADERS:
            raise AccessDeniedException(f"There is no request header {header}; there are {', '.join(sorted(HEADERS))}.")
        name = HEADERS[header]
        field = FIELDS[name]
        fixed = getattr(intent, field)
        if fixed and fixed != value:
            raise AccessDeniedException(f"{header} contradicts the session, whose {name} was fixed when it began.")
        check_value(name, value, header)
        if key.assumed is not None:
            check_allowed(name, value, key.assumed.allowed, header)
        intent = dataclasses.replace(intent, **{field: value})
    return intent


def check_value(name: str, value: str, shown: str) -> None:
    """Whether a value has the form of its name. Raises: InvalidParameterException naming `shown`."""
    pattern, told = (
        (_IDENTITY, "2 to 64 ASCII letters, digits and _+=.@-")
        if name == OPERATOR
        else (_VALUE, "1 to 256 letters, digits, spaces and _.:/=+-@")
    )
    if not pattern.fullmatch(value):
        raise InvalidParameterException(f"{shown} must be {told}.")
    if name == "probeKind" and value not in PROBE_KINDS:
        raise InvalidParameterException(f"{shown} must be one of {', '.join(PROBE_KINDS)}.")


def check_allowed(name: str, value: str, allowed: Mapping[str, Collection[str]], shown: str) -> None:
    """Whether a role allows a value. Raises: AccessDeniedException naming `shown`."""
    if name in allowed and value not in allowed[name]:
        raise AccessDeniedException(f"{shown}: the role does not allow this value of {name}.")
