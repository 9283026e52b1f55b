# SPDX-License-Identifier: Apache-2.0
"""The table of operations: `@operation("DetectFaces")` offers one, `find` looks it up. Knows none by name.

Operations of other services than Rekognition name theirs: `@operation("ListRoles", service="overt")`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from overt.engine import Engine
from overt.errors import AccessDeniedException
from overt.models.pack import PackError
from overt.types import Call

Operation = Callable[[Call, Engine], Mapping[str, Any]]

CHAPTERS = (
    "images",
    "labels",
    "texts",
    "moderation",
    "equipment",
    "collections",
    "faces",
    "users",
    "videos",
    "streams",
    "tags",
    "identity",
    "roles",
)

OMITTED = "x-overt-omitted"
"""Response header: what was asked for, or belongs to the answer, that no installed model can tell."""

REKOGNITION = "rekognition"

_TABLE: dict[str, dict[str, Operation]] = {}
"""By name of the service, then of the operation."""


def operation(name: str, *, service: str = REKOGNITION) -> Callable[[Operation], Operation]:
    """Offer the decorated function as the operation of that name."""
    table = _TABLE.setdefault(service, {})

    def register(function: Operation) -> Operation:
        if name in table:
            msg = f"{name} is offered twice"
            raise ValueError(msg)

        @functools.wraps(function)
        def answer(call: Call, engine: Engine) -> Mapping[str, Any]:
            try:
                return function(call, engine)
            except PackError as error:
                told = f"{name} needs a model that this server cannot use. Nothing was done."
                raise AccessDeniedException(told, detail=" ".join(str(error).split())) from error

        table[name] = answer
        return answer

    return register


@cache
def offered(service: str = REKOGNITION) -> Mapping[str, Operation]:
    """Every operation of a service that this server offers, by name."""
    for chapter in CHAPTERS:
        importlib.import_module(f"overt.ops.{chapter}")
    return _TABLE[service]


def find(name: str, service: str = REKOGNITION) -> Operation:
    """The function of an operation. Raises: AccessDeniedException, in words, when it is not offered."""
    function = offered(service).get(name)
    if function is None:
        raise AccessDeniedException(
            f"{name} is not offered by this version of overt. Nothing was done.",
            detail="not offered; the operations that are stand in docs/operations.md and `overt doctor`",
        )
    return function
