# SPDX-License-Identifier: Apache-2.0
"""Tokens are forgotten after seven days."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from overt.stores import schema
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault
from overt.testing.stores import ACCOUNT, NOON

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)


def test_a_token_is_forgotten_after_seven_days(url: str, vault: Vault) -> None:
    now = [NOON]
    stores = SqlStores.open(url, vault, clock=lambda: now[0])
    with stores.write() as unit:
        unit.tokens.keep(ACCOUNT, "StartX", "old", "digest", {"a": 1})
    now[0] = NOON + dt.timedelta(days=7, microseconds=-1)
    with stores.read() as unit:
        assert unit.tokens.seen(ACCOUNT, "StartX", "old") == ("digest", {"a": 1})
    now[0] = NOON + dt.timedelta(days=7)
    with stores.write() as unit:
        assert unit.tokens.seen(ACCOUNT, "StartX", "old") is None
        unit.tokens.keep(ACCOUNT, "StartX", "new", "digest", {})
    with stores.reading.connect() as connection:
        assert connection.execute(select(schema.tokens.c.token)).scalars().all() == ["new"]
    stores.close()


def test_a_clock_that_jumps_back_loses_no_token(url: str, vault: Vault) -> None:
    now = [NOON]
    stores = SqlStores.open(url, vault, clock=lambda: now[0])
    for jump in (0, -400, -1, 3):
        now[0] = NOON + dt.timedelta(days=jump)
        with stores.write() as unit:
            unit.tokens.keep(ACCOUNT, "StartX", f"token{jump}", "digest", {"jump": jump})
            unit.tokens.keep(ACCOUNT, "StartX", "same", "digest", {"jump": jump})
        with stores.read() as unit:
            assert unit.tokens.seen(ACCOUNT, "StartX", f"token{jump}") == ("digest", {"jump": jump})
            assert unit.tokens.seen(ACCOUNT, "StartX", "same") == ("digest", {"jump": jump})
            assert unit.tokens.seen(ACCOUNT, "StartX", "token0") == ("digest", {"jump": 0})
    stores.close()


@pytest.mark.parametrize("answer", [{"a": float("nan")}, {"a": NOON}])
def test_an_answer_must_be_plain_json(stores: SqlStores, answer: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)), stores.write() as unit:
        unit.tokens.keep(ACCOUNT, "StartX", "token", "digest", answer)
