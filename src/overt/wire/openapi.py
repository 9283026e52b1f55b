# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.1 document of `POST /v1/<Operation>`, generated from the service models, and of listening to events.

Knows no operation.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from overt import __version__
from overt.ops import registry
from overt.wire import events, rest, services
from overt.wire.services import Service

_SCALARS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": {"type": "number"},
    "double": {"type": "number"},
    "boolean": {"type": "boolean"},
    "blob": {"type": "string", "contentEncoding": "base64"},
    "timestamp": {"type": "number", "description": "Seconds since 1970, UTC, with a fraction."},
}
_LIMITS = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
}


@cache
def document() -> dict[str, Any]:
    """The whole document, as JSON values."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for service in services.documented():
        offered = registry.offered(service.name)
        writer = _Writer(service)
        paths |= {
            rest.path(service, name): {"post": writer.operation(operation, offered=name in offered)}
            for name, operation in sorted(service.operations.items())
        }
        schemas |= {writer.name(shape): writer.schema(shape) for _, shape in sorted(service.shapes.items())}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "overt",
            "version": __version__,
            "description": "Rekognition's operations and overt's own over plain HTTP. Requests are signed with AWS "
            "Signature Version 4 (service rekognition; below /v1/overt/ service overt). Operations marked "
            "x-overt-offered: false answer AccessDeniedException.",
        },
        "paths": paths | {events.PATH: {"get": _EVENTS}},
        "components": {
            "schemas": schemas | {"Error": _ERROR},
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature Version 4, for example with curl --aws-sigv4.",
                }
            },
        },
        "security": [{"sigv4": []}],
    }


_ERROR = {
    "type": "object",
    "required": ["__type", "Code", "Message", "Logref"],
    "properties": {name: {"type": "string"} for name in ("__type", "Code", "Message", "Logref")},
}


_ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


_EVENTS = {
    "operationId": events.OPERATION,
    "description": "What the account's streams tell from now on, as server-sent events, without an end.",
    "parameters": [
        {
            "name": "stream",
            "in": "query",
            "description": "Name of a stream processor; without any, all, also those to come.",
            "schema": {"type": "array", "items": {"type": "string"}},
        },
        {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "Id of the last event that the caller has; what is kept of later ones comes first.",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "200": {"description": "Listening.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
        "400": {"description": "Refused.", "content": _ERROR_CONTENT},
        "500": {"description": "InternalServerError.", "content": _ERROR_CONTENT},
    },
}


class _Writer:
    """Writes one service's shapes."""

    def __init__(self, service: Service) -> None:
        self._prefix = "" if service.name == "rekognition" else service.name.capitalize()

    def name(self, shape: Shape) -> str:
        """Of a shape in the document: two services may have shapes of one name."""
        return f"{self._prefix}{shape.name}"

    def operation(self, operation: OperationModel, *, offered: bool) -> dict[str, Any]:
        """One operation."""
        errors = sorted({shape.name for shape in operation.error_shapes})
        return {
            "operationId": operation.name,
            "x-overt-offered": offered,
            "requestBody": {"required": True, "content": self._content(operation.input_shape)},
            "responses": {
                "200": {"description": "Done.", "content": self._content(operation.output_shape)},
                "400": {"description": f"Refused: {', '.join(errors)}.", "content": _ERROR_CONTENT},
                "500": {"description": "InternalServerError.", "content": _ERROR_CONTENT},
            },
        }

    def schema(self, shape: Shape) -> dict[str, Any]:
        """One shape."""
        kind = shape.type_name
        if isinstance(shape, StructureShape):
            schema: dict[str, Any] = {
                "type": "object",
                "properties": {name: self._reference(member) for name, member in shape.members.items()},
            }
            if shape.required_members:
                schema["required"] = list(shape.required_members)
        elif isinstance(shape, ListShape):
            schema = {"type": "array", "items": self._reference(shape.member)}
        elif isinstance(shape, MapShape):
            schema = {"type": "object", "additionalProperties": self._reference(shape.value)}
        else:
            schema = dict(_SCALARS[kind])
        if kind != "blob":  # the model's limits are of bytes, the document's would be of base64 letters
            low, high = _LIMITS.get(kind, ("minimum", "maximum"))
            limits = ((low, "min"), (high, "max"))
            schema |= {key: shape.metadata[name] for key, name in limits if name in shape.metadata}
        if isinstance(shape, StringShape) and shape.enum:
            schema["enum"] = list(shape.enum)
        return schema

    def _content(self, shape: Shape | None) -> dict[str, Any]:
        return {"application/json": {"schema": self._reference(shape) if shape else {"type": "object"}}}

    def _reference(self, shape: Shape) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{self.name(shape)}"}
