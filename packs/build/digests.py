# SPDX-License-Identifier: Apache-2.0
"""sha256 digests: computing them and refusing content that has another."""

import hashlib

from stop import BuildStoppedError


def digest(content: bytes) -> str:
    """The sha256 of the content, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def require(content: bytes, expected: str, name: str) -> None:
    """Stop the build unless the content has the expected sha256.

    Args:
        content: the bytes to check.
        expected: sha256, 64 lower-case hexadecimal digits.
        name: what the content is, for the message.

    Raises:
        BuildStoppedError: the sha256 is another one.
    """
    actual = digest(content)
    if actual != expected:
        message = f"{name}: expected sha256 {expected}, got {actual}"
        raise BuildStoppedError(message)
