# SPDX-License-Identifier: Apache-2.0
"""Sends parcels to a browser or phone by its push service: `webpush:` and the subscription, see `address`.

Source: RFC 8030. The push service sees sizes and times; what is told only the subscriber's browser can read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from overt.outlets.base import SendError
from overt.outlets.posting import post
from overt.streams.sinks import sealing
from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Parcel

_KEPT = 24 * 3600  # seconds for which the push service keeps it for a phone that is off
_PERMANENT = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
)
_HERE = ("localhost", "127.0.0.1", "::1")


class PushSink:
    """Implements `base.Sink`."""

    def __init__(self, url: str, surroundings: Surroundings) -> None:
        try:
            subscription = json.loads(sealing.data(url.partition(":")[2]))
            self._endpoint = str(subscription["endpoint"])
            self._receiver = sealing.data(subscription["keys"]["p256dh"])
            self._authentication = sealing.data(subscription["keys"]["auth"])
            sealing.seal(b"", self._receiver, self._authentication)
            place = urlsplit(self._endpoint)
            is_usable = place.scheme == "https" or (place.scheme == "http" and place.hostname in _HERE)
            is_usable = is_usable and bool(place.hostname) and "@" not in place.netloc and self._endpoint.isascii()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            is_usable = False
        if not is_usable:
            msg = "webpush: needs a push subscription as JSON in base64url, with an https endpoint and its two keys"
            raise TargetError(msg)
        self._origin = f"{place.scheme}://{place.netloc}"
        self._key = sealing.server_key(surroundings.push_secret)
        self._contact = surroundings.push_contact

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        if len(parcel.body) > sealing.LONGEST:
            msg = f"a push message has at most {sealing.LONGEST} bytes, not {len(parcel.body)}"
            raise SendError(msg, is_permanent=True)
        headers = {
            "authorization": sealing.authorization(self._key, self._origin, self._contact, time.time()),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(_KEPT),
            "urgency": "high",
        }
        body = sealing.seal(parcel.body, self._receiver, self._authentication)
        post(self._endpoint, body, headers, permanent=_PERMANENT)

    def close(self) -> None:
        """See `base.Sink.close`. Each post has a connection of its own."""


def address(subscription: Mapping[str, Any]) -> str:
    """The target of a subscription, as `PushSubscription.toJSON` of a browser has it. It is a secret."""
    kept = {"endpoint": subscription["endpoint"], "keys": dict(subscription["keys"])}
    return "webpush:" + sealing.text(json.dumps(kept, separators=(",", ":")).encode())


def application_server_key(secret: bytes) -> str:
    """What browsers subscribe with. Args: secret: see `base.Surroundings.push_secret`."""
    return sealing.text(sealing.point(sealing.server_key(secret)))
