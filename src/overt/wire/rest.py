# SPDX-License-Identifier: Apache-2.0
"""The plain-HTTP door: `POST /v1/<Operation>` with ordinary JSON, for callers without an SDK. Knows no operation."""

from __future__ import annotations

from overt.errors import UnknownOperationException
from overt.wire.awsjson import AwsJson
from overt.wire.http import Request
from overt.wire.services import Service

PREFIX = "/v1/"


class Rest(AwsJson):
    """As the SDKs' door, but the path names the operation. Signed the same way (`curl --aws-sigv4`)."""

    content_type = "application/json"

    def identify(self, request: Request, service: Service) -> str:
        """The operation's name. Raises: UnknownOperationException."""
        name = request.path.removeprefix(PREFIX)
        if name not in service.operations:
            raise UnknownOperationException(detail="the path must be /v1/<Operation>; see /v1/openapi.json")
        return name
