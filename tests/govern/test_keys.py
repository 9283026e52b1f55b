# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt
import hashlib

from overt.govern import keys


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
