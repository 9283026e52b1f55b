# SPDX-License-Identifier: Apache-2.0
"""Which roles there can be: the kinds, and terms that make sense. Who may assume one is told by `sessions`."""

from __future__ import annotations

from overt.errors import InvalidParameterException
from overt.govern import gate, intents
from overt.govern.sessions import ANYBODY, LONGEST, OF_ROLE, SHORTEST
from overt.types import Role

KINDS = tuple(kind for kind in gate.ROLES if kind != gate.OWNER)
"""What a role can be of; nobody can become the owner."""


def check(role: Role) -> None:
    """Raises: InvalidParameterException for terms that nobody could meet or that would never be looked at."""
    if role.kind not in KINDS:
        raise InvalidParameterException(f"A role is of one of these kinds: {', '.join(KINDS)}.")
    if not SHORTEST <= role.longest <= LONGEST:
        raise InvalidParameterException("A role's longest session is between 900 and 43200 seconds.")
    for trusted in role.trusted:
        if trusted in {"", OF_ROLE}:
            raise InvalidParameterException(f"A role trusts ids of access keys, {ANYBODY}, or {OF_ROLE}NAME.")
    _check_names(role)


def _check_names(role: Role) -> None:
    for name in (*role.required, *role.allowed):
        known = {each.casefold(): each for each in intents.FIELDS}.get(name.casefold(), name)
        if name != known:
            raise InvalidParameterException(f"The tag key is written {known}.")
    for name, values in role.allowed.items():
        if not values:
            raise InvalidParameterException(f"No value of {name} would be allowed.")
        if name in intents.FIELDS:
            for value in values:
                intents.check_value(name, value, f"an allowed value of {name}")
