# SPDX-License-Identifier: Apache-2.0
"""Sealed push messages, against the example that the standard itself gives."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from overt.streams.sinks import sealing, webpush


def key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(sealing.data(text), "big"), ec.SECP256R1())


def test_the_standards_example_comes_out() -> None:
    """Source: RFC 8291, section 5 and appendix A."""
    sealed = sealing.seal(
        b"When I grow up, I want to be a watermelon",
        sealing.data("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        sealing.data("BTBZMqHH6r4Tts7J_aSIgg"),
        key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        sealing.data("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert sealing.text(sealed) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_each_message_is_sealed_with_a_key_of_its_own() -> None:
    receiver = sealing.point(ec.generate_private_key(ec.SECP256R1()))
    assert sealing.seal(b"1", receiver, b"a" * 16)[:86] != sealing.seal(b"1", receiver, b"a" * 16)[:86]


def test_a_receiver_that_is_no_point_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        sealing.seal(b"1", b"\x04" + b"1" * 64, b"a" * 16)


def test_the_servers_key_is_always_the_same_for_one_secret() -> None:
    one, two = webpush.application_server_key(b"p" * 32), webpush.application_server_key(b"q" * 32)
    assert one == webpush.application_server_key(b"p" * 32) != two
    assert len(sealing.data(one)) == 65


def test_base64url_goes_there_and_back_padded_or_not() -> None:
    for data in (b"", b"\xff", b"\xfb\xef", b"123"):
        assert sealing.data(sealing.text(data)) == sealing.data(sealing.text(data) + "==") == data
    for broken in ("a", "a b", "é", "a*"):
        with pytest.raises(ValueError, match=r"."):
            sealing.data(broken)
