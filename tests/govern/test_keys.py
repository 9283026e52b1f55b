# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from overt.govern import keys
from overt.stores.sql import SqlStores
from overt.stores.vault import Vault


def test_a_lasting_key_has_a_secret_and_no_token() -> None:
    made = keys.make("000000000001", label="laptop")
    assert made.key.id.startswith("OVRT")
    assert len(made.key.id) == 20
    assert len(made.key.secret) == 40
    assert (made.token, made.key.token_digest, made.key.expires) == (None, None, None)
    assert (made.key.role, made.key.label) == ("owner", "laptop")


def test_a_temporary_key_has_a_token_kept_only_as_its_hash() -> None:
    made = keys.make("000000000001", lifetime=dt.timedelta(hours=1))
    assert made.key.id.startswith("OVTS")
    assert made.key.token_digest == hashlib.sha256(made.token.encode()).hexdigest()
    assert made.key.expires - made.key.created == dt.timedelta(hours=1)


def test_no_two_keys_are_alike_and_a_key_never_shows_its_secret() -> None:
    first, second = keys.make("000000000001"), keys.make("000000000001")
    assert first.key.id != second.key.id
    assert first.key.secret != second.key.secret
    assert first.key.secret not in repr(first)


def test_keys_in_force_of_another_master_key_are_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'overt.db'}"
    theirs, ours = (SqlStores.open(url, Vault.open(tmp_path / name)) for name in ("theirs.key", "ours.key"))
    hours = dt.timedelta(hours=1)
    lasting, revoked = keys.make("000000000001").key, keys.make("000000000001").key
    expired, living = keys.make("000000000001", lifetime=-hours).key, keys.make("000000000001", lifetime=hours).key
    with theirs.write() as unit:
        for key in (lasting, revoked, expired, living):
            unit.keys.add(key)
        unit.keys.revoke(revoked.id, dt.datetime.now(dt.UTC))
    with ours.write() as unit:
        unit.keys.add(keys.make("000000000001").key)
    assert sorted(keys.foreign(ours)) == sorted([lasting.id, living.id])
    assert len(keys.foreign(theirs)) == 1
    for each in (theirs, ours):
        each.close()
