# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from overt.wire.http import Request


def test_the_digest_of_a_body_is_that_of_its_bytes() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Request("POST", "/").body_sha256 == empty
    assert Request("POST", "/", body=b"{}").body_sha256 != empty
