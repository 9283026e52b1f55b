# SPDX-License-Identifier: Apache-2.0
"""Signed web hooks. Source: Standard Webhooks 1.0.0, signature scheme v1 (HMAC-SHA256)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

from overt.outlets.posting import post


def tell(url: str, secret: bytes, number: str, body: bytes) -> None:
    """Post a signed JSON text. Args: number: the same at every attempt. Raises: SendError."""
    now = str(int(time.time()))
    post(url, body, {"content-type": "application/json", **signed(secret, number, now, body)})


def signed(secret: bytes, number: str, now: str, body: bytes) -> dict[str, str]:
    """The headers that tell who sent it, and that it was not changed. Args: now: seconds since 1970."""
    digest = hmac.new(secret, b".".join([number.encode(), now.encode(), body]), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return {"webhook-id": number, "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}
