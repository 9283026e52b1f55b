# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from overt.errors import InvalidParameterException
from overt.govern import gate, roles
from overt.types import Role

ROLE = Role("000000000001", "r", "operator", dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


def test_nobody_can_become_the_owner() -> None:
    assert {"owner", *roles.KINDS} == set(gate.ROLES)
    roles.check(
        dataclasses.replace(ROLE, trusted=("*", "role/x"), required=("case", "operator"), allowed={"x": ("y",)})
    )


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "owner"},
        {"kind": "root"},
        {"longest": dt.timedelta(seconds=899)},
        {"longest": dt.timedelta(hours=13)},
        {"required": ("Case",)},
        {"allowed": {"legalbasis": ("x",)}},
        {"allowed": {"case": ()}},
        {"allowed": {"probeKind": ("drawing",)}},
        {"trusted": ("role/",)},
    ],
)
def test_terms_that_could_not_be_met_or_would_not_be_seen_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterException):
        roles.check(dataclasses.replace(ROLE, **terms))
