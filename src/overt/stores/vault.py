# SPDX-License-Identifier: Apache-2.0
"""One master key in a file, and what is made with it: sealed secrets and keyed digests. Knows no table.

Source: AES-256-GCM as in NIST SP 800-38D (96-bit random nonce); subkeys by HKDF-SHA256, RFC 5869.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from overt.stores.base import StoreError
from overt.stores.files import draft

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals and signs with subkeys of one master key, which never leaves it."""

    def __init__(self, master: bytes) -> None:
        """Args: master: 32 random bytes. Most callers want `open`."""
        if len(master) != _KEY_BYTES:
            msg = f"a master key has {_KEY_BYTES} bytes, not {len(master)}"
            raise StoreError(msg)
        self._master = master
        self._subkeys: dict[str, bytes] = {}
        self._cipher = AESGCM(self._subkey("wrap"))

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Vault:
        """The vault of a key file; a new key is made where there is none, readable by its owner alone.

        Raises: StoreError when others may read the file, or it is no key.
        """
        file = Path(path)
        if not file.exists():
            with draft(file) as fresh:
                fresh.write_bytes(secrets.token_bytes(_KEY_BYTES))
        if (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
            msg = f"{file} can be read by others (mode {mode:04o}); run: chmod 600 {file}"
            raise StoreError(msg)
        try:
            return cls(file.read_bytes())
        except StoreError as error:
            msg = f"{file} is damaged or no key file: {error}; restore it from your backup"
            raise StoreError(msg) from error

    def wrap(self, secret: bytes, context: str) -> bytes:
        """Seal a secret; it opens only under the same context. Returns: nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, context.encode())

    def unwrap(self, sealed: bytes, context: str) -> bytes:
        """The secret. Raises: StoreError when it was changed, or sealed under another key or context."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            msg = f"the secret of {context} does not open: it was changed, or the master key is another one"
            raise StoreError(msg) from error

    def digest(self, purpose: str, data: bytes) -> str:
        """A keyed hash (HMAC-SHA256), hex. Digests of different purposes cannot be told to be of equal data."""
        return hmac.digest(self._subkey(f"digest:{purpose}"), data, "sha256").hex()

    def _subkey(self, purpose: str) -> bytes:
        if purpose not in self._subkeys:
            self._subkeys[purpose] = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"overt:{purpose}".encode()).derive(
                self._master
            )
        return self._subkeys[purpose]
