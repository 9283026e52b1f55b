# SPDX-License-Identifier: Apache-2.0
"""The plain-HTTP door: `POST /v1/<Operation>` with ordinary JSON, for callers without an SDK. Knows no operation.

Operations of our own service are at `/v1/overt/<Operation>`.
"""

from __future__ import annotations

from overt.errors import UnknownOperationException
from overt.wire import services
from overt.wire.awsjson import AwsJson
from overt.wire.http import Request
from overt.wire.services import Service

PREFIX = "/v1/"


class Rest(AwsJson):
    """As the SDKs' door, but the path names the operation. Signed the same way (`curl --aws-sigv4`)."""

    content_type = "application/json"

    def identify(self, request: Request) -> tuple[Service, str]:
        """The service and its operation's name. Raises: UnknownOperationException."""
        for service in services.documented():
            before, name = path(service, ""), request.path.rpartition("/")[2]
            if request.path == before + name and name in service.operations:
                return service, name
        raise UnknownOperationException(detail="the path must be /v1/<Operation>; see /v1/openapi.json")


def path(service: Service, operation: str) -> str:
    """Where an operation is called."""
    return PREFIX + ("" if service.name == "rekognition" else f"{service.name}/") + operation
