# SPDX-License-Identifier: Apache-2.0
"""Values made from botocore's shapes, with no help of the code under test: good ones, spoilt ones, and a strict judge.

Nothing here knows an operation; a new version of the model brings its own tests.
"""

from __future__ import annotations

import base64
import dataclasses
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import Shape, StructureShape

UUID = "11111111-2222-4333-8444-555555555555"
PROJECT = "arn:aws:rekognition:us-east-1:000000000001:project/p"
SPECIMENS = (  # a string takes the first that fits its pattern and its length
    "specimen-1",
    "specimen1",
    UUID,
    "1",
    "1.0.0",
    "arn:aws:iam::000000000001:role/r",
    "arn:aws:sns:us-east-1:000000000001:t",
    "arn:aws:kinesis:us-east-1:000000000001:stream/s",
    "arn:aws:kinesisvideo:us-east-1:000000000001:stream/s/1",
    f"{PROJECT}/1700000000000",
    f"{PROJECT}/dataset/train/1700000000000",
    f"{PROJECT}/version/v/1700000000000",
    "arn:aws:rekognition:us-east-1:000000000001:collection/c",
)
MISFITS = ("\u2603", "\n", "!")  # a pattern that allows them all allows anything

# Exactly one member must be given, which the model cannot say. The first is.
ONE_OF = {"Image": ("Bytes", "S3Object"), "SearchUsersRequest": ("UserId", "FaceId")}
ONLY_FROM_THE_SERVER = frozenset({"NextToken"})

VALIDATION, SERIALIZATION, ACCEPTED, EITHER = "ValidationException", "SerializationException", "accepted", "either"


@dataclass(frozen=True)
class Spoilt:
    """An input with one flaw. want: the code it deserves, ACCEPTED or EITHER. at: the member its message must name."""

    what: str
    value: Any
    want: str
    at: str = ""


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches a pattern of the model, which is Java's."""
    python = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\d").replace(r"\p{Z}", " ")
    return re.fullmatch(python, text) is not None


def good(shape: Shape, known: Mapping[str, Any], *, full: bool) -> Any:
    """A valid value: every member, or only those that are required.

    Args: known: values by name of shape, for what must exist.
    """
    if shape.name in known:
        return known[shape.name]
    if shape.type_name == "structure":
        names = _chosen(shape, full=full)
        return {name: good(shape.members[name], known, full=full) for name in shape.members if name in names}
    if shape.type_name == "list":
        return [good(shape.member, known, full=full)] * max(1, shape.metadata.get("min", 0))
    if shape.type_name == "map":
        return {good(shape.key, known, full=full): good(shape.value, known, full=full)}
    if shape.type_name in ("integer", "long", "float", "double"):
        return max(1, shape.metadata.get("min", 0))
    return {"string": _text, "boolean": lambda _: True}[shape.type_name](shape)


def _chosen(shape: StructureShape, *, full: bool) -> set[str]:
    first, *others = ONE_OF.get(shape.name, (None,))
    wanted = set(shape.members) if full else {*shape.required_members, first}
    return wanted - set(others) - ONLY_FROM_THE_SERVER


def _text(shape: Shape) -> str:
    if shape.enum:
        return shape.enum[0]
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    for text in SPECIMENS:
        if low <= len(text) <= high and fits(shape.metadata.get("pattern", ".*"), text):
            return text
    raise AssertionError(f"SPECIMENS has none for {shape.name} {shape.metadata}")


def spoilt(shape: Shape, value: Any, at: str = "") -> Iterator[Spoilt]:
    """The input with each flaw its shape allows, one at a time; value is a good one."""
    yield from _FLAWS[shape.type_name](shape, value, at)
    yield Spoilt(f"{at or 'input'}: wrong type", _WRONG_TYPE.get(shape.type_name, 7), SERIALIZATION, at)


def _structure(shape: StructureShape, value: dict[str, Any], at: str) -> Iterator[Spoilt]:
    yield Spoilt(f"{at or 'input'}: unknown member", {**value, "NoSuchMember": [{"x": None}]}, ACCEPTED)
    for name, part in value.items():
        below = _path(at, name)
        want = VALIDATION if name in shape.required_members else ACCEPTED
        yield Spoilt(f"{below}: null", {**value, name: None}, want, below)
        if want == VALIDATION:
            yield Spoilt(f"{below}: left out", _without(value, name), want, below)
        for flaw in spoilt(shape.members[name], part, below):
            yield dataclasses.replace(flaw, value={**value, name: flaw.value})


def _list(shape: Shape, value: list[Any], at: str) -> Iterator[Spoilt]:
    yield from _sizes(shape, at, lambda length: (value * (length + 1))[:length])
    yield Spoilt(f"{at}: null item", [None], EITHER)
    for flaw in spoilt(shape.member, value[0], f"{at}.1.member"):
        yield dataclasses.replace(flaw, value=[flaw.value, *value[1:]])


def _map(shape: Shape, value: dict[str, Any], at: str) -> Iterator[Spoilt]:
    ((key, item),) = value.items()
    yield from _sizes(shape, at, lambda length: {f"{key}{number}": item for number in range(length)})
    yield Spoilt(f"{at}: null value", {key: None}, EITHER)
    for flaw in spoilt(shape.key, key, at):
        if isinstance(flaw.value, str):  # JSON has no keys of another type
            yield dataclasses.replace(flaw, value={flaw.value: item}, what=f"{flaw.what} (key)")
    for flaw in spoilt(shape.value, item, f"{at}.value"):
        yield dataclasses.replace(flaw, value={key: flaw.value}, what=f"{flaw.what} (value)")


def _string(shape: Shape, value: str, at: str) -> Iterator[Spoilt]:
    yield from _sizes(shape, at, lambda length: (value * (length + 1))[:length])
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    if shape.enum:
        for other in ("NO_SUCH_NAME", value.swapcase()):
            yield Spoilt(f"{at}: not of the enum", other, VALIDATION, at)
    pattern = shape.metadata.get("pattern")
    for text in (*(misfit * max(1, low) for misfit in MISFITS), value[: high - 1 if high < math.inf else None] + "\n"):
        if pattern and not fits(pattern, text):
            yield Spoilt(f"{at}: pattern", text, VALIDATION, at)


def _number(shape: Shape, value: float, at: str) -> Iterator[Spoilt]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None:
        yield Spoilt(f"{at}: below the least", low - 1, VALIDATION, at)
    if high is not None:
        yield Spoilt(f"{at}: above the most", high + 1, VALIDATION, at)
    yield Spoilt(f"{at}: true for a number", value=True, want=SERIALIZATION, at=at)
    yield Spoilt(f"{at}: a number of 400 digits", 10**400, SERIALIZATION, at)
    if shape.type_name in ("integer", "long"):
        bits = {"integer": 31, "long": 63}[shape.type_name]
        yield Spoilt(f"{at}: a fraction", value + 0.5, SERIALIZATION, at)
        yield Spoilt(f"{at}: {bits + 1} bits", 2**bits, SERIALIZATION, at)
    else:
        yield Spoilt(f"{at}: not a number", math.nan, SERIALIZATION)
        yield Spoilt(f"{at}: without end", -math.inf, SERIALIZATION)


def _boolean(_shape: Shape, _value: Any, at: str) -> Iterator[Spoilt]:
    yield Spoilt(f"{at}: 1 for true", 1, SERIALIZATION, at)


def _blob(shape: Shape, _value: str, at: str) -> Iterator[Spoilt]:
    yield from _sizes(shape, at, lambda length: base64.b64encode(bytes(length)).decode())
    for text in ("***", "QUJD RA=", "QQ"):
        yield Spoilt(f"{at}: no base64", text, SERIALIZATION, at)


def _sizes(shape: Shape, at: str, of_length: Any) -> Iterator[Spoilt]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if low > 0:
        yield Spoilt(f"{at}: too short", of_length(low - 1), VALIDATION, at)
    if high is not None:
        yield Spoilt(f"{at}: too long", of_length(high + 1), VALIDATION, at)


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: part for key, part in value.items() if key != name}


def _path(at: str, name: str) -> str:
    lower = name[0].lower() + name[1:]
    return f"{at}.{lower}" if at else lower


_WRONG_TYPE: dict[str, Any] = {"structure": [], "list": {}, "map": [], "integer": "7", "long": "7", "float": "7"}
_WRONG_TYPE |= {"double": "7", "boolean": "true"}
_FLAWS = {"structure": _structure, "list": _list, "map": _map, "string": _string, "boolean": _boolean, "blob": _blob}
_FLAWS |= dict.fromkeys(("integer", "long", "float", "double"), _number)


def misfits(shape: Shape | None, value: Any, at: str = "answer") -> Iterator[str]:
    """Everything in which a JSON answer does not fit its output shape, in words."""
    kind = shape.type_name if shape else "structure"
    if not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{at} is no {kind}: {value!r:.40}"
        return
    if kind == "structure":
        members = shape.members if shape else {}
        yield from (f"{at}.{name} is not in the model" for name in value if name not in members)
        yield from (
            f"{at}.{name} is missing" for name in (shape.required_members if shape else ()) if name not in value
        )
        for name in value.keys() & members.keys():
            yield from misfits(members[name], value[name], f"{at}.{name}")
    elif kind == "list":
        for number, item in enumerate(value):
            yield from misfits(shape.member, item, f"{at}[{number}]")
    elif kind == "map":
        for key, item in value.items():
            yield from misfits(shape.key, key, f"{at} key")
            yield from misfits(shape.value, item, f"{at}[{key}]")
    yield from _limits(shape, kind, value, at)


def _limits(shape: Shape | None, kind: str, value: Any, at: str) -> Iterator[str]:
    limits = shape.metadata if shape else {}
    if kind == "string":
        if shape.enum and value not in shape.enum:
            yield f"{at} is not of the enum: {value}"
        if "pattern" in limits and not fits(limits["pattern"], value):
            yield f"{at} does not fit {limits['pattern']}: {value:.40}"
    low, high = limits.get("min", -math.inf), limits.get("max", math.inf)
    if kind in ("list", "map"):
        low = 0  # the model uses shapes of inputs, "at least one", for outputs too, and AWS answers []
    size = len(value) if kind in ("string", "blob", "list", "map") else value
    if kind not in ("structure", "boolean") and not low <= size <= high:
        yield f"{at} is out of its limits: {size}"


_PYTHON: dict[str, Any] = {"structure": dict, "list": list, "map": dict, "string": str, "blob": str, "boolean": bool}
_PYTHON |= {"integer": int, "long": int, "float": (int, float), "double": (int, float), "timestamp": (int, float)}
