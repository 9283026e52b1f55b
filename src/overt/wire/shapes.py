# SPDX-License-Identifier: Apache-2.0
"""Values against the shapes of a service model: `parse` what came in, `render` what goes out.

Knows botocore's shape classes, JSON types and the texts of constraint violations; knows no operation.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pybase64
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from overt.errors import SerializationException, ValidationException
from overt.wire.services import pattern

_LONGEST_SHOWN = 64  # characters of a refused value that an error text repeats
_MOST_VIOLATIONS = 100  # an error text names no more, and reading stops there: the body may hold millions
# Where the model gives a pattern and no length; some of its patterns take time that grows with the square of it.
_LONGEST_MATCHED = 4096
_INTEGER_RANGE = {"integer": 2**31, "long": 2**63}


def parse(shape: StructureShape | None, value: Any) -> dict[str, Any]:
    """A decoded JSON body as the parameters of an operation.

    Blobs become bytes (base64 text or bytes are taken), timestamps aware datetimes; null counts as absent and
    members the shape does not have are passed over, as AWS does.

    Raises: SerializationException for a value of the wrong type. ValidationException naming every violated
    constraint (required, length, range, pattern, enum) in AWS's words.
    """
    if shape is None:
        return {}
    reader = _Reader()
    params = reader.read_structure(shape, value, "")
    if reader.violations:
        raise _refusal(reader.violations)
    return params


def render(shape: StructureShape | None, value: Mapping[str, Any]) -> dict[str, Any]:
    """An operation's answer as plain JSON values: bytes as base64 text, datetimes as epoch seconds, no None.

    Raises: TypeError when the answer does not fit the output shape: an unknown or missing member, a wrong type, a
    number that is not finite, a name outside an enum. That is our bug, so it is never shown to a caller.
    """
    if shape is None:
        return {}
    answer: dict[str, Any] = _RENDER["structure"](shape, value, shape.name)
    return answer


class _Reader:
    """Walks one request, collecting constraint violations so that all are reported at once."""

    def __init__(self) -> None:
        self.violations: list[str] = []

    def read(self, shape: Shape, value: Any, path: str) -> Any:
        reader: Callable[[Shape, Any, str], Any] = getattr(self, f"read_{shape.type_name}")
        return reader(shape, value, path)

    def read_structure(self, shape: StructureShape, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, path, "a JSON object")
        prefix = f"{path}." if path else ""
        params = {}
        for name, member in shape.members.items():
            given = value.get(name)
            if given is not None:
                params[name] = self.read(member, given, prefix + _lower_camel(name))
        for name in shape.required_members:
            if name not in params:
                self.refuse("null", prefix + _lower_camel(name), "Member must not be null")
        return params

    def read_list(self, shape: ListShape, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list | tuple):
            raise _wrong_type(value, path, "a JSON array")
        if not self.fits(shape, value, path, lambda: f"{len(value)} items"):
            return []
        return [
            self.read(shape.member, item, f"{path}.{number}.member")
            for number, item in enumerate(value, 1)
            if item is not None
        ]

    def read_map(self, shape: MapShape, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, path, "a JSON object")
        if not self.fits(shape, value, path, lambda: f"{len(value)} entries"):
            return {}
        return {
            self.read(shape.key, key, f"{path}.key"): self.read(shape.value, item, f"{path}.value")
            for key, item in value.items()
            if item is not None
        }

    def read_string(self, shape: StringShape, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a JSON string")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:  # half of a surrogate pair: no such character, and no store could keep it
                raise _wrong_type(value, path, "text in Unicode") from None
        fits = self.fits(shape, value, path, lambda: _shown(value))
        if shape.enum and value not in shape.enum:
            self.refuse(_shown(value), path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        wanted = shape.metadata.get("pattern")
        if wanted and (fits or not value) and not _matches(shape, value):
            self.refuse(_shown(value), path, f"Member must satisfy regular expression pattern: {wanted}")
        return value

    def read_blob(self, shape: Shape, value: Any, path: str) -> bytes:
        if isinstance(value, str):
            try:
                value = pybase64.b64decode(value, validate=True)
            except ValueError:
                raise _wrong_type(value, path, "text in base64") from None
        if not isinstance(value, bytes):
            raise _wrong_type(value, path, "text in base64")
        self.fits(shape, value, path, lambda: f"{len(value)} bytes")
        return value

    def read_boolean(self, _shape: Shape, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(value, path, "true or false")
        return value

    def read_integer(self, shape: Shape, value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(value, path, "a whole number")
        bound = _INTEGER_RANGE[shape.type_name]
        if not -bound <= value < bound:
            raise _wrong_type(value, path, f"a whole number of {bound.bit_length()} bits")
        self.range(shape, value, path)
        return value

    read_long = read_integer

    def read_float(self, shape: Shape, value: Any, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise _wrong_type(value, path, "a finite number")
        self.range(shape, value, path)
        return float(value)

    read_double = read_float

    def read_timestamp(self, shape: Shape, value: Any, path: str) -> dt.datetime:
        seconds = self.read_float(shape, value, path)
        try:
            return dt.datetime.fromtimestamp(seconds, dt.UTC)
        except (OverflowError, ValueError, OSError):
            raise _wrong_type(value, path, "a time in seconds since 1970") from None

    def fits(self, shape: Shape, value: Any, path: str, shown: Callable[[], str]) -> bool:
        """Whether the length is right; what is too long is looked at no further."""
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and len(value) < low:
            self.refuse(shown(), path, f"Member must have length greater than or equal to {low}")
            return False
        if high is not None and len(value) > high:
            self.refuse(shown(), path, f"Member must have length less than or equal to {high}")
            return False
        return True

    def range(self, shape: Shape, value: Any, path: str) -> None:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and value < low:
            self.refuse(value, path, f"Member must have value greater than or equal to {low}")
        if high is not None and value > high:
            self.refuse(value, path, f"Member must have value less than or equal to {high}")

    def refuse(self, shown: Any, path: str, constraint: str) -> None:
        value = shown if shown == "null" else f"'{shown}'"
        self.violations.append(f"Value {value} at '{path}' failed to satisfy constraint: {constraint}")
        if len(self.violations) == _MOST_VIOLATIONS:
            raise _refusal(self.violations)


def _refusal(violations: list[str]) -> ValidationException:
    noun = "error" if len(violations) == 1 else "errors"
    return ValidationException(f"{len(violations)} validation {noun} detected: " + "; ".join(violations))


def _matches(shape: StringShape, value: str) -> bool:
    """Whether a text that is not too long fits its shape's pattern."""
    longest = shape.metadata.get("max", _LONGEST_MATCHED)
    return len(value) <= longest and pattern(shape.metadata["pattern"]).fullmatch(value) is not None


def _lower_camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _wrong_type(value: Any, path: str, wanted: str) -> SerializationException:
    where = f"'{path}'" if path else "the request"
    return SerializationException(f"{where} must be {wanted}, not {type(value).__name__}.")


def _render_structure(shape: StructureShape, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _misfit(path, value)
    members = shape.members
    answer = {}
    for name, item in value.items():
        if name not in members:
            msg = f"{path} has no member {name}"
            raise TypeError(msg)
        if item is not None:
            answer[name] = _render(members[name], item, f"{path}.{name}")
    missing = [name for name in shape.required_members if name not in answer]
    if missing:
        msg = f"{path} lacks {missing}"
        raise TypeError(msg)
    return answer


def _render_list(shape: ListShape, value: Any, path: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _misfit(path, value)
    return [_render(shape.member, item, f"{path}[]") for item in value]


def _render_map(shape: MapShape, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _misfit(path, value)
    return {str(key): _render(shape.value, item, f"{path}{{}}") for key, item in value.items()}


def _render_string(shape: StringShape, value: Any, path: str) -> str:
    if not isinstance(value, str) or (shape.enum and value not in shape.enum):
        raise _misfit(path, value)
    return value


def _render_number(shape: Shape, value: Any, path: str) -> Any:
    whole = shape.type_name in _INTEGER_RANGE
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not math.isfinite(value):
        raise _misfit(path, value)
    return value


def _render_boolean(_shape: Shape, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _misfit(path, value)
    return value


def _render_blob(_shape: Shape, value: Any, path: str) -> str:
    if not isinstance(value, bytes):
        raise _misfit(path, value)
    return pybase64.b64encode(value).decode("ascii")


def _render_timestamp(_shape: Shape, value: Any, path: str) -> float:
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        raise _misfit(path, value)
    return round(value.timestamp(), 3)


def _render(shape: Shape, value: Any, path: str) -> Any:
    return _RENDER[shape.type_name](shape, value, path)


def _misfit(path: str, value: Any) -> TypeError:
    return TypeError(f"{path} cannot be a {type(value).__name__} of this value")


_RENDER: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _render_structure,
    "list": _render_list,
    "map": _render_map,
    "string": _render_string,
    "integer": _render_number,
    "long": _render_number,
    "float": _render_number,
    "double": _render_number,
    "boolean": _render_boolean,
    "blob": _render_blob,
    "timestamp": _render_timestamp,
}
