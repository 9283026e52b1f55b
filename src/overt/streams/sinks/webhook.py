# SPDX-License-Identifier: Apache-2.0
"""Posts parcels to a web hook, signed: `https://...` and, within a network that is trusted, `http://...`."""

from __future__ import annotations

from urllib.parse import urlsplit

from overt.outlets import webhooks
from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Parcel


class HookSink:
    """Implements `base.Sink`."""

    def __init__(self, url: str, surroundings: Surroundings) -> None:
        try:
            parts = urlsplit(url)
            is_usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            is_usable = False
        if not is_usable or not url.isascii() or any(letter <= " " for letter in url):
            msg = "a web hook is a URL with a host and without a user, like https://example.org/hook"
            raise TargetError(msg)
        if not surroundings.hook_secret:
            msg = "web hooks are signed: set webhook_secret"
            raise TargetError(msg)
        self._url = url
        self._secret = surroundings.hook_secret

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        webhooks.tell(self._url, self._secret, parcel.id, parcel.body)

    def close(self) -> None:
        """See `base.Sink.close`. Each post has a connection of its own."""
