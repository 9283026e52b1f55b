# SPDX-License-Identifier: Apache-2.0
"""Addresses as people see them: where it goes, and no secret."""

from __future__ import annotations

import pytest

from overt.outlets.base import SendError, shown


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://example.org/services/hunter2?key=hunter2#hunter2", "https://example.org"),
        ("http://user:hunter2@[::1]:8080/x", "http://[::1]:8080"),
        ("https://example.org:port/hunter2", "https://"),
        ("mqtts://camera:hunter2@broker:8883/overt/alerts", "mqtts://broker:8883/overt/alerts"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("file:///var/log/alerts.jsonl", "file:///var/log/alerts.jsonl"),
        ("kinesis:arn:aws:kinesis:us-east-1:1:stream/x", "kinesis:arn:aws:kinesis:us-east-1:1:stream/x"),
        ("webpush:hunter2", "webpush:"),
        ("events:", "events:"),
        ("pigeon://loft/hunter2?x", "pigeon://loft"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, words: str) -> None:
    assert shown(url) == words


def test_an_error_can_be_for_good() -> None:
    assert SendError("no", is_permanent=True).is_permanent
    assert not SendError("no").is_permanent
