# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.1 document of `POST /v1/<Operation>`, generated from the service model, and of listening to events.

Knows no operation.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from overt import __version__
from overt.ops import registry
from overt.wire import events
from overt.wire.rest import PREFIX
from overt.wire.services import rekognition

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
    service = rekognition()
    offered = registry.offered()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "overt",
            "version": __version__,
            "description": "Rekognition's operations over plain HTTP. Requests are signed with AWS Signature Version 4 "
            "(service rekognition). Operations marked x-overt-offered: false answer AccessDeniedException.",
        },
        "paths": {
            f"{PREFIX}{name}": {"post": _operation(operation, offered=name in offered)}
            for name, operation in sorted(service.operations.items())
        }
        | {events.PATH: {"get": _EVENTS}},
        "components": {
            "schemas": {name: _schema(shape) for name, shape in sorted(service.shapes.items())} | {"Error": _ERROR},
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


def _operation(operation: OperationModel, *, offered: bool) -> dict[str, Any]:
    errors = sorted({shape.name for shape in operation.error_shapes})
    return {
        "operationId": operation.name,
        "x-overt-offered": offered,
        "requestBody": {"required": True, "content": _content(operation.input_shape)},
        "responses": {
            "200": {"description": "Done.", "content": _content(operation.output_shape)},
            "400": {"description": f"Refused: {', '.join(errors)}.", "content": _ERROR_CONTENT},
            "500": {"description": "InternalServerError.", "content": _ERROR_CONTENT},
        },
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


def _content(shape: Shape | None) -> dict[str, Any]:
    return {"application/json": {"schema": _reference(shape) if shape else {"type": "object"}}}


def _reference(shape: Shape) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{shape.name}"}


def _schema(shape: Shape) -> dict[str, Any]:
    kind = shape.type_name
    if isinstance(shape, StructureShape):
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: _reference(member) for name, member in shape.members.items()},
        }
        if shape.required_members:
            schema["required"] = list(shape.required_members)
    elif isinstance(shape, ListShape):
        schema = {"type": "array", "items": _reference(shape.member)}
    elif isinstance(shape, MapShape):
        schema = {"type": "object", "additionalProperties": _reference(shape.value)}
    else:
        schema = dict(_SCALARS[kind])
    if kind != "blob":  # the model's limits are of bytes, the document's would be of base64 letters
        low, high = _LIMITS.get(kind, ("minimum", "maximum"))
        schema |= {key: shape.metadata[name] for key, name in ((low, "min"), (high, "max")) if name in shape.metadata}
    if isinstance(shape, StringShape) and shape.enum:
        schema["enum"] = list(shape.enum)
    return schema
