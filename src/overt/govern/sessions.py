# SPDX-License-Identifier: Apache-2.0
"""Assuming a role: who may, on which terms, and what the temporary key then stands for. Knows no wire and no table.

What a session says of its purpose never changes, and goes on into every session that is begun from it.
Source: AWS STS, AssumeRole: session tags, source identity and role chaining; conduct rules stricter where noted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from overt.errors import AccessDeniedException, InvalidParameterException
from overt.govern import intents, keys
from overt.govern.gate import OWNER
from overt.govern.intents import FIELDS, OPERATOR
from overt.govern.keys import NewKey
from overt.stores.base import AccessKey
from overt.types import Assumed, Role

ANYBODY = "*"
OF_ROLE = "role/"
LONGEST_CHAINED = dt.timedelta(hours=1)  # as AWS has it
USUAL = dt.timedelta(hours=1)
SHORTEST, LONGEST = dt.timedelta(seconds=900), dt.timedelta(seconds=43200)
"""What a role may have as its longest session."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What AssumeRole asks for. lifetime: None = as usual. operator: SourceIdentity, "" = none."""

    session: str
    lifetime: dt.timedelta | None = None
    operator: str = ""
    tags: Sequence[tuple[str, str]] = ()
    transitive: Sequence[str] = field(default_factory=tuple)


def trusts(role: Role, key: AccessKey) -> bool:
    """Whether a key may assume a role. An account's owner may: it could write itself into the role's terms."""
    if key.account != role.account:
        return False
    if key.assumed is not None:
        return OF_ROLE + key.assumed.role in role.trusted
    return key.role == OWNER or key.id in role.trusted or ANYBODY in role.trusted


def begin(role: Role, key: AccessKey, wish: Wish, now: dt.datetime) -> NewKey:
    """A temporary key of a role for who holds `key`.

    Raises: AccessDeniedException when the key is not trusted or the role's terms are not met.
        InvalidParameterException for tags or a duration that no role would take.
    """
    if not trusts(role, key):
        raise AccessDeniedException
    inherited = key.assumed or Assumed("", "", "")
    tags, transitive = _tags(wish, inherited)
    operator = _operator(role, wish, inherited)
    told = {**tags, **({OPERATOR: operator} if operator else {})}
    missing = [name for name in role.required if not told.get(name)]
    if missing:
        raise AccessDeniedException(
            f"The role {role.name} needs {', '.join(map(_shown, missing))}. Give it when you assume the role."
        )
    allowed = _narrowed(inherited.allowed, role.allowed)
    for name, value in told.items():
        intents.check_allowed(name, value, allowed, _shown(name))
    assumed = Assumed(
        role=role.name,
        session=wish.session,
        parent=key.id,
        operator=operator,
        tags=tags,
        transitive=transitive,
        allowed=allowed,
    )
    lifetime = _lifetime(role, key, wish, now)
    return keys.make(
        role.account, role=role.kind, label=OF_ROLE + role.name, lifetime=lifetime, assumed=assumed, now=now
    )


def _tags(wish: Wish, inherited: Assumed) -> tuple[dict[str, str], tuple[str, ...]]:
    """All tags of the new session, and which of them go on."""
    passed_on = {name: inherited.tags[name] for name in inherited.transitive}
    fixed = {name.casefold(): name for name in passed_on}
    meaning = {name.casefold(): name for name in FIELDS}
    given: dict[str, str] = {}
    for name, value in wish.tags:
        folded = name.casefold()
        if folded in (seen.casefold() for seen in given):
            raise InvalidParameterException("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        if folded.startswith("aws:"):
            raise InvalidParameterException("Tag keys must not begin with aws:.")
        if folded == OPERATOR:
            raise InvalidParameterException("Name the operator with SourceIdentity, not with a tag.")
        if folded in meaning:
            if name != meaning[folded]:
                raise InvalidParameterException(f"The tag key is written {meaning[folded]}.")
            intents.check_value(name, value, f"the tag {name}")
        if folded in fixed and (name, value) != (fixed[folded], passed_on[fixed[folded]]):
            raise AccessDeniedException(f"The tag {fixed[folded]} was fixed by the session that assumes this role.")
        given[name] = value
    tags = {**passed_on, **given}
    unknown = sorted(set(wish.transitive) - set(tags))
    if unknown:
        raise InvalidParameterException("TransitiveTagKeys names keys that are not among the session's tags.")
    # Unlike AWS: what a session is for goes on unasked, or chaining would be a way to drop it.
    return tags, tuple(sorted({*passed_on, *wish.transitive, *(FIELDS.keys() & tags.keys())}))


def _operator(role: Role, wish: Wish, inherited: Assumed) -> str:
    if inherited.operator:
        if wish.operator not in ("", inherited.operator):
            raise AccessDeniedException("SourceIdentity was fixed by the session that assumes this role.")
        return inherited.operator
    operator = wish.operator or (wish.session if role.is_own_operator else "")
    if operator:
        intents.check_value(OPERATOR, operator, "SourceIdentity" if wish.operator else "RoleSessionName")
    return operator


def _lifetime(role: Role, key: AccessKey, wish: Wish, now: dt.datetime) -> dt.timedelta:
    chained = key.assumed is not None
    if wish.lifetime is not None:
        if wish.lifetime > role.longest:
            raise InvalidParameterException(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        if chained and wish.lifetime > LONGEST_CHAINED:
            raise InvalidParameterException(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
            )
    lifetime = wish.lifetime or min(USUAL, role.longest)
    return lifetime if key.expires is None else min(lifetime, key.expires - now)


def _narrowed(before: Mapping[str, tuple[str, ...]], now: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Values that both roles allow."""
    both = {name: tuple(value for value in now[name] if value in before[name]) for name in before.keys() & now.keys()}
    return {**before, **now, **both}


def _shown(name: str) -> str:
    return "SourceIdentity" if name == OPERATOR else f"the tag {name}"
