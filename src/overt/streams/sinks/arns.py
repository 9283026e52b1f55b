# SPDX-License-Identifier: Apache-2.0
"""Targets that are a scheme and an ARN."""

from __future__ import annotations

import re

from overt.streams.sinks.base import TargetError

_ARN = re.compile(r"arn:[\w-]+:(?P<service>[\w-]+):(?P<region>[\w-]+):\d{12}:(?P<name>[\w.:/-]+)")


def named(url: str, service: str) -> tuple[str, str, str]:
    """The ARN, its region, and what it names. Raises: TargetError when it is no ARN of that service."""
    arn = url.partition(":")[2]
    found = _ARN.fullmatch(arn)
    if found is None or found["service"] != service:
        msg = f"{service}: needs an ARN behind it, like arn:aws:{service}:us-east-1:123456789012:..."
        raise TargetError(msg)
    return arn, found["region"], found["name"]
