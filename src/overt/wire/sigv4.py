# SPDX-License-Identifier: Apache-2.0
"""AWS Signature Version 4, verified: who signed this request? Knows no operation and no store.

Source: AWS General Reference, "Create a signed AWS API request". SDKs differ in the headers they sign, so the list is
taken from the request, and only those that carry meaning here must be on it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from overt.errors import (
    IncompleteSignatureException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    UnrecognizedClientException,
)
from overt.stores.base import AccessKey, NotFoundError
from overt.wire.http import Request

ALGORITHM = "AWS4-HMAC-SHA256"
CLOCK_SKEW = dt.timedelta(minutes=15)  # as AWS allows
MEANINGFUL = "x-overt-"
"""What headers that say what a call is for begin with: unsigned, anybody on the way could have written them."""
_TIME = "%Y%m%dT%H%M%SZ"
_PART = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_UNRESERVED = "-._~"
_BLANKS = re.compile(" +")  # no other white space: what was changed into it would pass for what was signed


@dataclass(frozen=True, slots=True)
class Signature:
    """The parts of an Authorization header."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    hexdigest: str


def verify(
    request: Request, service: str, find_key: Callable[[str], AccessKey], now: dt.datetime
) -> tuple[AccessKey, str]:
    """The key that signed the request, and the region it was signed for.

    Args: service: the only signing name that will do. find_key raises NotFoundError for an unknown id. now: aware
        datetime.
    Raises: MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException,
        InvalidSignatureException.
    """
    signature = _read(request, service)
    signed_at = _check_time(request, signature, now)
    try:
        key = find_key(signature.key_id)
    except NotFoundError:
        raise UnrecognizedClientException(detail="there is no access key of that id on this server") from None
    _check_key(key, request, now)
    expected = sign(request, key.secret, signature, signed_at)
    if not hmac.compare_digest(expected.encode(), signature.hexdigest.encode()):
        raise InvalidSignatureException(
            detail="wrong secret key, or the request was changed on its way (some proxies rewrite the Host header)"
        )
    return key, signature.region


def sign(request: Request, secret: str, signature: Signature, signed_at: str) -> str:
    """The hex signature that `secret` gives this request under a signature's scope and signed headers."""
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    digest = hashlib.sha256(_canonical(request, signature.signed_headers).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"{ALGORITHM}\n{signed_at}\n{scope}\n{digest}".encode(), "sha256").hex()


def _read(request: Request, wanted: str) -> Signature:
    header = request.headers.get("authorization", "")
    if not header:
        raise MissingAuthenticationTokenException(
            detail="sign the request: set AWS credentials (`overt keys create`) and use an AWS SDK, or curl --aws-sigv4"
        )
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise IncompleteSignatureException(detail=f"Authorization must begin with {ALGORITHM}")
    parts = dict(_PART.findall(rest))
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if name not in parts]
    if missing:
        raise IncompleteSignatureException(detail=f"Authorization lacks {', '.join(missing)}")
    try:
        key_id, date, region, service, end = parts["Credential"].split("/")
    except ValueError:
        end = ""
    if end != "aws4_request":
        raise IncompleteSignatureException(detail="Credential must be KEY/DATE/REGION/SERVICE/aws4_request")
    signature = Signature(key_id, date, region, service, tuple(parts["SignedHeaders"].split(";")), parts["Signature"])
    if signature.service != wanted:
        raise InvalidSignatureException(detail=f"signed for another service; the signing name is {wanted}")
    _check_signed_headers(request, signature.signed_headers)
    return signature


def _check_signed_headers(request: Request, signed: tuple[str, ...]) -> None:
    if len(set(signed)) != len(signed):
        raise IncompleteSignatureException(detail="SignedHeaders repeats a header")
    absent = [name for name in signed if name not in request.headers]
    if absent:
        raise IncompleteSignatureException(detail=f"signed headers are not in the request: {', '.join(absent)}")
    must = ["host", "x-amz-date"]
    must += [name for name in ("x-amz-target", "x-amz-security-token") if name in request.headers]
    unsigned = [name for name in must if name not in signed]
    if unsigned:
        raise IncompleteSignatureException(detail=f"these headers must be signed: {', '.join(unsigned)}")
    loose = sorted(name for name in request.headers if name.startswith(MEANINGFUL) and name not in signed)
    if loose:
        raise InvalidSignatureException(
            f"The header {loose[0]} is not among SignedHeaders, so that it proves nothing.",
            detail="set it before the request is signed: in boto3, in a handler of before-sign",
        )


def _check_time(request: Request, signature: Signature, now: dt.datetime) -> str:
    text = request.headers["x-amz-date"]
    try:
        signed_at = dt.datetime.strptime(text, _TIME).replace(tzinfo=dt.UTC)
    except ValueError:
        raise IncompleteSignatureException(detail="X-Amz-Date must look like 20260131T235959Z") from None
    if signature.date != text[:8]:
        raise InvalidSignatureException(detail="the date of the credential scope is not that of X-Amz-Date")
    if abs(now - signed_at) > CLOCK_SKEW:
        late = signed_at < now
        word, bound = ("expired", "earlier") if late else ("not yet current", "later")
        limit = now - CLOCK_SKEW if late else now + CLOCK_SKEW
        raise InvalidSignatureException(
            f"Signature {word}: {text} is now {bound} than {limit.strftime(_TIME)} "
            f"({now.strftime(_TIME)} {'-' if late else '+'} 15 min.)",
            detail="check the clocks of both machines; a signature is good for 15 minutes",
        )
    return text


def _check_key(key: AccessKey, request: Request, now: dt.datetime) -> None:
    token = request.headers.get("x-amz-security-token")
    if key.revoked:
        raise UnrecognizedClientException(detail="this access key was revoked")
    if key.expires and key.expires <= now:
        raise UnrecognizedClientException(detail="this temporary access key has expired")
    if (key.token_digest is None) != (token is None):
        wanted = "needs its session token" if token is None else "has no session token"
        raise UnrecognizedClientException(detail=f"this access key {wanted}")
    if token is not None:
        given = hashlib.sha256(token.encode()).hexdigest()
        if not hmac.compare_digest(given, key.token_digest or ""):
            raise UnrecognizedClientException(detail="the session token is not the one of this access key")


def _canonical(request: Request, signed_headers: tuple[str, ...]) -> str:
    headers = "".join(f"{name}:{trimmed(request.headers[name])}\n" for name in signed_headers)
    # The header only repeats the hash; a client that lies in it gets a signature that does not fit the body.
    return "\n".join(
        (
            request.method,
            quote(request.path or "/", safe="/" + _UNRESERVED),
            _canonical_query(request.query),
            headers,
            ";".join(signed_headers),
            request.body_sha256,
        )
    )


def trimmed(value: str) -> str:
    """A header's value as it is signed: without blanks around it, and with single ones within."""
    return _BLANKS.sub(" ", value.strip(" "))


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = (
        (quote(unquote(name), safe=_UNRESERVED), quote(unquote(value), safe=_UNRESERVED)) for name, _, value in pairs
    )
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))
