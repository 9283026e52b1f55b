# SPDX-License-Identifier: Apache-2.0
"""Those who are told, for tests: an HTTP server, a broker, a push service; on this machine, on a port of their own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from amqtt.broker import Broker
from amqtt.contexts import BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BasePlugin
from amqtt.session import Session
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from overt.streams.sinks import sealing, webpush


class Web:
    """Remembers what is posted to it, and answers with `status`; stopped, it answers nobody."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.posts: list[tuple[str, Mapping[str, str], bytes]] = []
        self.tries = 0
        self.drip = False
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                web.tries += 1
                body = self.rfile.read(int(self.headers["content-length"]))
                if web.drip:
                    try:
                        while web.drip:
                            self.wfile.write(b"H")
                            time.sleep(0.05)
                    except OSError:
                        return
                if web.status < 300:
                    web.posts.append((self.path, {key.lower(): self.headers[key] for key in self.headers}, body))
                self.send_response(web.status)
                for name, value in web.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None:
            self.drip = False
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None


def verified(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a web hook's signature is right, as Standard Webhooks says."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return (
        headers["webhook-signature"] == f"v1,{expected}" and abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    )


class PushTaker:
    """A push service and the browser behind it, which opens what it gets. Source: RFC 8291, the receiver's part."""

    def __init__(self) -> None:
        self.web = Web()
        self.stop, self.start = self.web.stop, self.web.start
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.authentication = b"sixteen bytes ok"
        keys = {"p256dh": sealing.text(sealing.point(self.key)), "auth": sealing.text(self.authentication)}
        endpoint = f"http://127.0.0.1:{self.web.port}/push/a-capability"
        self.url = webpush.address({"endpoint": endpoint, "keys": keys, "expirationTime": None})
        self.secrets = ("a-capability", keys["auth"], self.url.partition(":")[2][:20])

    def taken(self) -> list[Any]:
        return [json.loads(self.opened(headers, body)) for _, headers, body in self.web.posts]

    def opened(self, headers: Mapping[str, str], body: bytes) -> bytes:
        assert headers["content-encoding"] == "aes128gcm"
        assert int(headers["ttl"]) > 0
        self.check(headers["authorization"])
        salt, length, sealed = body[:16], body[20], body[21:]
        sender, sealed = sealed[:length], sealed[length:]
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        info = b"WebPush: info\0" + sealing.point(self.key) + sender
        secret = HKDF(SHA256(), 32, self.authentication, info).derive(self.key.exchange(ec.ECDH(), point))
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
        message = AESGCM(key).decrypt(nonce, sealed, None)
        assert message[-1:] == b"\x02"
        return message[:-1]

    def check(self, authorization: str) -> None:
        scheme, _, rest = authorization.partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        head, claims, signature = fields["t"].split(".")
        raw = sealing.data(signature)
        pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        known = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sealing.data(fields["k"]))
        known.verify(pair, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
        told = json.loads(sealing.data(claims))
        assert scheme == "vapid"
        assert json.loads(sealing.data(head))["alg"] == "ES256"
        assert told["aud"] == f"http://127.0.0.1:{self.web.port}"
        assert told["sub"] == "mailto:operator@example.org"
        assert 0 < told["exp"] - time.time() <= 86400


class Remember(BasePlugin[BaseContext]):
    """Keeps what is published."""

    seen: list[tuple[str, bytes]]

    async def on_broker_message_received(self, *, client_id: str, message: Any) -> None:
        self.config.seen.append((message.topic, bytes(message.data)))

    @dataclass
    class Config:
        seen: list[tuple[str, bytes]] = field(default_factory=list)


class Password(BaseAuthPlugin):
    """Lets in who has the password."""

    async def authenticate(self, *, session: Session) -> bool | None:
        return (session.username, session.password) == ("camera", "a-password")

    @dataclass
    class Config:
        pass


class BrokerTaker:
    """A real broker."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"mqtt://camera:a-password@127.0.0.1:{port}/overt/alerts"
        self.secrets = ("a-password",)
        self.seen: list[tuple[str, bytes]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self.start()

    def taken(self) -> list[Any]:
        if self._loop is not None:  # it acknowledges before its plugins hear of it
            asyncio.run_coroutine_threadsafe(self._settle(), self._loop).result(10)
        return [json.loads(body) for topic, body in self.seen if topic == "overt/alerts"]

    async def _settle(self) -> None:
        await asyncio.sleep(0.05)
        await self._broker.plugins_manager.wait_fired_events()

    def start(self) -> None:
        started = threading.Event()

        def run() -> None:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self._serve(started))

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert started.wait(20)

    async def _serve(self, started: threading.Event) -> None:
        self._end = asyncio.Event()
        config = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"takers.Remember": {}, "takers.Password": {}},
        }
        self._broker = broker = Broker(config)
        await broker.start()
        broker.plugins_manager.get_plugin("Remember").config.seen = self.seen
        started.set()
        await self._end.wait()
        await broker.shutdown()

    def stop(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
            self._loop = None
