# SPDX-License-Identifier: Apache-2.0
"""Nouns as JSON and back, by their declared fields. Knows none by name.

A frozen set is written sorted and an array as lists, so equal nouns have equal texts.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

Noun = TypeVar("Noun")


def write(noun: object) -> str:
    """The noun's JSON: dataclasses, tuples, frozen sets, float32 arrays, moments, and what JSON itself knows."""
    return json.dumps(_plain(noun), separators=(",", ":"))


def read(kind: type[Noun], text: str) -> Noun:
    """The noun of that kind that `write` wrote."""
    noun: Noun = _made(kind, json.loads(text))
    return noun


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value.tolist() if isinstance(value, np.ndarray) else value


def _made(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    made = value
    if value is None or kind is Any:
        pass
    elif origin in (types.UnionType, typing.Union):
        made = _made(next(each for each in arguments if each is not type(None)), value)
    elif origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        made = tuple(_made(each, item) for each, item in zip(kinds, value, strict=True))
    elif origin is frozenset:
        made = frozenset(value)
    elif origin is np.ndarray:
        made = np.array(value, np.float32)
    elif is_dataclass(noun := origin or kind):
        made = _noun(noun, dict(zip(getattr(noun, "__parameters__", ()), arguments, strict=False)), value)
    elif kind is float:
        made = float(value)
    elif kind is dt.datetime:
        made = dt.datetime.fromisoformat(value)
    return made


def _noun(noun: Any, given: dict[Any, Any], value: dict[str, Any]) -> Any:
    """Args: given: what type variables of the noun stand for."""
    hints = _hints(noun)
    return noun(**{name: _made(given.get(hints[name], hints[name]), item) for name, item in value.items()})


@functools.cache
def _hints(noun: Any) -> dict[str, Any]:
    return typing.get_type_hints(noun)
