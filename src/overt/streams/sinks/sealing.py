# SPDX-License-Identifier: Apache-2.0
"""Seals messages for one browser, and signs who sends them. Knows no HTTP and no URL but its origin.

Source: RFC 8291 (message encryption), RFC 8188 (aes128gcm coding), RFC 8292 (VAPID).
"""

from __future__ import annotations

import base64
import json
import secrets
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LONGEST = 3993
"""Bytes of a message that every push service takes. Source: RFC 8030 section 7.2 less the coding's 103 bytes."""
_RECORD = 4096
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256
_VALID = 12 * 3600  # seconds; at most a day


def seal(
    message: bytes,
    receiver: bytes,
    authentication: bytes,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a push message.

    Args: receiver: public key of the subscription, 65 bytes. authentication: its secret, 16 bytes. key, salt: fresh
        ones unless given; giving them is for checking against known answers.
    Raises: ValueError when the receiver's key is no point of the curve.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or secrets.token_bytes(16)
    own = point(key)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), receiver))
    secret = _derive(authentication, shared, b"WebPush: info\0" + receiver + own, 32)
    content_key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    header = salt + struct.pack(">IB", _RECORD, len(own)) + own
    return header + AESGCM(content_key).encrypt(nonce, message + b"\x02", None)


def server_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    """The key that push services know this server by, always the same for one secret of 32 bytes."""
    wide = HKDF(SHA256(), 48, salt=None, info=b"overt: VAPID").derive(secret)  # 16 bytes more, so no key is likelier
    return ec.derive_private_key(int.from_bytes(wide, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, uncompressed: 65 bytes. Its base64url is the `applicationServerKey` of a browser."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def authorization(key: ec.EllipticCurvePrivateKey, origin: str, contact: str | None, now: float) -> str:
    """The header of that name. Args: origin: scheme and host of the push service. now: seconds since 1970."""
    claims: dict[str, object] = {"aud": origin, "exp": int(now) + _VALID}
    if contact:
        claims["sub"] = contact
    parts = [{"typ": "JWT", "alg": "ES256"}, claims]
    signed = ".".join(text(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    signature = text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={text(point(key))}"


def text(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(text: str) -> bytes:
    """What base64url means, padded or not. Raises: ValueError."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=salt, info=info).derive(secret)
