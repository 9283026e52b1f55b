# SPDX-License-Identifier: Apache-2.0
"""Access keys: how a key pair is made, and which of them do not open here.

Keeping them is the store's work, checking signatures the wire's.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from overt.govern.gate import OWNER
from overt.stores.base import AccessKey, StoreError, Stores, Unit
from overt.types import Assumed

_LASTING, _TEMPORARY = "OVRT", "OVTS"  # as AWS tells AKIA from ASIA


def foreign(stores: Stores) -> list[str]:
    """Ids of the keys in force whose secrets this server's master key does not open: another server made them."""
    now = dt.datetime.now(dt.UTC)
    with stores.read() as unit:
        living = [key.id for key in unit.keys.list() if not key.revoked and (key.expires is None or key.expires > now)]
        return [key_id for key_id in living if not _opens(unit, key_id)]


def _opens(unit: Unit, key_id: str) -> bool:
    try:
        unit.keys.get(key_id)
    except StoreError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key; `token` is the session token of a temporary one, and is kept nowhere."""

    key: AccessKey
    token: str | None


def make(
    account: str,
    *,
    role: str = OWNER,
    label: str = "",
    lifetime: dt.timedelta | None = None,
    assumed: Assumed | None = None,
    now: dt.datetime | None = None,
) -> NewKey:
    """A key pair for a role of an account (12 digits).

    Args: lifetime: None for a lasting key; otherwise a temporary one, which comes with a session token. assumed: what
    a temporary key stands for. now: when it is made, by default at present.
    """
    now = now or dt.datetime.now(dt.UTC)
    token = secrets.token_urlsafe(48) if lifetime else None
    key = AccessKey(
        id=(_TEMPORARY if lifetime else _LASTING) + base64.b32encode(secrets.token_bytes(10)).decode(),
        account=account,
        role=role,
        secret=base64.b64encode(secrets.token_bytes(30)).decode(),
        created=now,
        expires=now + lifetime if lifetime else None,
        token_digest=hashlib.sha256(token.encode()).hexdigest() if token else None,
        label=label,
        assumed=assumed,
    )
    return NewKey(key, token)
