# SPDX-License-Identifier: Apache-2.0
"""Publishes parcels to an MQTT broker: `mqtt://USER:PASSWORD@HOST:PORT/TOPIC`, over TLS as `mqtts://`.

MQTT 3.1.1 with quality of service 1: the broker acknowledges each message before the next one is sent.
"""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from overt.outlets.base import SECONDS, SendError, shown
from overt.streams.sinks.base import Surroundings, TargetError
from overt.types import Parcel

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEP_ALIVE = 30


class MqttSink:
    """Implements `base.Sink`. The connection stays open from one parcel to the next."""

    def __init__(self, url: str, _surroundings: Surroundings) -> None:
        try:
            parts = urlsplit(url)
            self._host, port = parts.hostname or "", parts.port
        except ValueError:
            self._host, port = "", None
        self._topic = unquote(parts.path[1:]) if self._host else ""
        if not self._topic or set(self._topic) & set("+#\0") or set(url) & set("?#"):
            msg = "mqtt: needs a host and a topic without + and #, like mqtt://user:password@host:1883/overt/alerts"
            raise TargetError(msg)
        self._port = port or _PORTS[parts.scheme]
        self._is_secure = parts.scheme == "mqtts"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._who = f"the broker {shown(url)}"
        self._client: Client | None = None

    def send(self, parcel: Parcel) -> None:
        """See `base.Sink.send`."""
        try:
            client = self._client or self._connect()
            told = client.publish(self._topic, parcel.body, qos=1)
            told.wait_for_publish(SECONDS)
            is_taken = told.is_published()
        except ValueError as error:  # paho's word for a message that is too large
            msg = f"{self._who} cannot be sent this: {error}"
            raise SendError(msg, is_permanent=True) from error
        except (OSError, RuntimeError) as error:
            self.close()
            msg = f"{self._who} did not take it: {getattr(error, 'strerror', None) or error}"
            raise SendError(msg) from None
        if not is_taken:
            self.close()
            msg = f"{self._who} did not acknowledge it within {SECONDS:g} s"
            raise SendError(msg)

    def close(self) -> None:
        """See `base.Sink.close`."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connect(self) -> Client:
        """A client that the broker has welcomed. Raises: OSError."""
        from paho.mqtt.client import Client  # noqa: PLC0415 - only users of brokers pay for it
        from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415

        # A session of our own: no other client of that name is thrown out, and nothing is left at the broker.
        name = f"overt-{secrets.token_hex(8)}"
        client = Client(CallbackAPIVersion.VERSION2, client_id=name, reconnect_on_failure=False)
        client.connect_timeout = SECONDS
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._is_secure:
            client.tls_set()
        answers: list[str] = []
        has_answered = threading.Event()

        def welcome(_client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            answers.append(str(reason) if reason.is_failure else "")
            has_answered.set()

        client.on_connect = welcome
        client.connect(self._host, self._port, _KEEP_ALIVE)
        client.loop_start()
        self._client = client  # from here on `close` ends it
        if not has_answered.wait(SECONDS):
            msg = f"it did not answer within {SECONDS:g} s"
            raise OSError(msg)
        if answers[0]:
            msg = f"it refused the connection: {answers[0]}"
            raise OSError(msg)
        return client
