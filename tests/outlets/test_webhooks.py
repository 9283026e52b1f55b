# SPDX-License-Identifier: Apache-2.0
"""Web hooks: signed as Standard Webhooks says, checked against its own example."""

from __future__ import annotations

import base64

from takers import Web, verified

from overt.outlets import webhooks


def test_the_signature_is_that_of_the_standards_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = webhooks.signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_told_can_be_verified() -> None:
    web = Web()
    webhooks.tell(f"http://127.0.0.1:{web.port}/", b"s" * 24, "1", b'{"a": 1}')
    web.stop()
    ((_, headers, body),) = web.posts
    assert verified(b"s" * 24, headers, body)
    assert not verified(b"t" * 24, headers, body)
