# SPDX-License-Identifier: Apache-2.0
"""Access keys: how a key pair is made. Keeping them is the store's work, checking signatures the wire's."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

from overt.govern.gate import OWNER
from overt.stores.base import AccessKey

_LASTING, _TEMPORARY = "OVRT", "OVTS"  # as AWS tells AKIA from ASIA


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key; `token` is the session token of a temporary one, and is kept nowhere."""

    key: AccessKey
    token: str | None


def make(account: str, *, label: str = "", lifetime: dt.timedelta | None = None) -> NewKey:
    """A key pair for the owner role of an account (12 digits).

    Args: lifetime: None for a lasting key; otherwise a temporary one, which comes with a session token.
    """
    now = dt.datetime.now(dt.UTC)
    token = secrets.token_urlsafe(48) if lifetime else None
    key = AccessKey(
        id=(_TEMPORARY if lifetime else _LASTING) + base64.b32encode(secrets.token_bytes(10)).decode(),
        account=account,
        role=OWNER,
        secret=base64.b64encode(secrets.token_bytes(30)).decode(),
        created=now,
        expires=now + lifetime if lifetime else None,
        token_digest=hashlib.sha256(token.encode()).hexdigest() if token else None,
        label=label,
    )
    return NewKey(key, token)
