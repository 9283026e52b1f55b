# SPDX-License-Identifier: Apache-2.0
"""The limits of a law pack or a collection: floors, maxima, purposes, roles, hours. Knows TOML tables, no Cedar.

A collection's limits are the pack's made stricter; one that would be looser is refused, by name.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from overt.govern import actions
from overt.govern.question import Question
from overt.govern.ruling import MODES, REVIEWS, Obligations, Refusal

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 60
_HOURS = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))? (\d\d):(\d\d)-(\d\d):(\d\d)")
_PERCENT = 100
PROBE_KINDS = frozenset({"photo", "frame", "sketch", "composite", "edited"})
# What `drop` may name: the members of a FaceDetail beyond where the face is and how good the picture is.
ATTRIBUTES = frozenset(
    {
        "AgeRange",
        "Beard",
        "Emotions",
        "EyeDirection",
        "Eyeglasses",
        "EyesOpen",
        "Gender",
        "MouthOpen",
        "Mustache",
        "Smile",
        "Sunglasses",
    }
)


class PolicyError(Exception):
    """A policy cannot be used; the text says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far calls may go. None = no limit of that kind.

    floor: similarity 0..1; by_size: further floors, (faces, floor), for collections of at least so many faces.
    minutes: of the week, from Monday 00:00 in `zone`, in which people may be looked for. least_quality: 0..100.
    is_isolated: the collection is a tester's. The others as in `Obligations`.
    """

    floor: float = 0.0
    by_size: tuple[tuple[int, float], ...] = ()
    maximum: int | None = None
    mode: str = "clamp"
    review: str = "off"
    notice: str = ""
    drop: frozenset[str] = frozenset()
    purposes: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    probe_kinds: frozenset[str] | None = None
    least_quality: int = 0
    minutes: frozenset[int] | None = None
    zone: str = "UTC"
    is_isolated: bool = False

    def floor_at(self, faces: int | None) -> float:
        """The floor for a collection of so many faces; None = not counted, which is as bad as the largest."""
        return max([self.floor, *(floor for size, floor in self.by_size if faces is None or faces >= size)])

    def obligations(self, question: Question) -> Obligations:
        """What follows for a call that is allowed."""
        return Obligations(
            floor=self.floor_at(question.faces),
            maximum=self.maximum,
            review=self.review,
            mode=self.mode,
            notice=self.notice,
            drop=self.drop,
            least_quality=self.least_quality,
            end=question.window.end if question.window and actions.is_in(question.action, "Live") else None,
        )

    def refusals(self, question: Question) -> tuple[Refusal, ...]:
        """Every limit that the question goes beyond. Only what identifies people has limits."""
        if not actions.is_in(question.action, "Identify"):
            return ()
        found = [
            _unless(self.roles, question.role, "limit-role", "role", "Ask with one of these roles"),
            _unless(self.purposes, question.intent.purpose, "limit-purpose", "purpose", "Give one of these purposes"),
        ]
        local = question.moment.astimezone(zone(self.zone))
        if self.minutes is not None and _minute(local) not in self.minutes:
            found.append(
                Refusal("limit-hours", "It is outside the hours of this collection.", "Ask within the hours allowed.")
            )
        if actions.is_in(question.action, "Seek"):
            found.append(
                _unless(
                    self.probe_kinds,
                    question.intent.probe_kind,
                    "limit-probe-kind",
                    "kind of probe",
                    "Declare with the tag probeKind one of these",
                )
            )
            found.append(self._quality(question))
        return tuple(each for each in found if each is not None)

    def _quality(self, question: Question) -> Refusal | None:
        if self.least_quality == 0 or (question.phase == "before" and question.quality is None):
            return None
        if question.quality is None or question.quality < self.least_quality:
            return Refusal(
                "limit-quality",
                f"The probe's quality is below {self.least_quality}, or was not measured.",
                "Use a sharper, better lit picture of the face.",
            )
        return None


def read(table: Mapping[str, Any], where: str, *, for_collection: bool = False) -> dict[str, Any]:
    """The fields of Limits that a TOML table sets, checked. Floors are 0..100 there, hours texts of days and times.

    Args: where: for the error. Raises: PolicyError.
    """
    known = {"hours", *(each.name for each in fields(Limits))} - {"minutes", "is_isolated"}
    known |= {"isolated"} if for_collection else set()
    if unknown := table.keys() - known:
        msg = f"{where}: no such limit: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        raise PolicyError(msg)
    return dict(_field(name, value, where) for name, value in table.items())


def tighten(base: Limits, changes: Mapping[str, Any], where: str) -> Limits:
    """The limits of a collection: those of the pack with changes, none of which may allow more.

    Raises: PolicyError naming the limit that would.
    """
    for name, value in changes.items():
        if name in _LOOSER and _LOOSER[name](getattr(base, name), value):
            shown = {"minutes": "hours", "is_isolated": "isolated"}.get(name, name)
            msg = (
                f"{where}: {shown} would allow more than the law pack does; a collection's limits can only be stricter"
            )
            raise PolicyError(msg)
    if base.minutes is not None and changes.get("zone", base.zone) != base.zone:
        msg = f"{where}: zone would move the hours of the law pack; leave it out"
        raise PolicyError(msg)
    tightened = replace(base, **changes)
    if "by_size" in changes:
        tightened = replace(tightened, by_size=tuple(sorted((*base.by_size, *changes["by_size"]))))
    return tightened


def zone(name: str) -> dt.tzinfo:
    """A time zone. Raises: PolicyError for an unknown one."""
    try:
        return dt.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"there is no time zone {name!r} on this machine; write one like Europe/London, or UTC"
        raise PolicyError(msg) from None


# Whether a limit, second, would allow more than another, first. Those that are not here open nothing.
_LOOSER: Mapping[str, Callable[[Any, Any], bool]] = {
    "floor": lambda old, new: new < old,
    "least_quality": lambda old, new: new < old,
    "maximum": lambda old, new: old is not None and new > old,
    "mode": lambda old, new: MODES.index(new) < MODES.index(old),
    "review": lambda old, new: REVIEWS.index(new) < REVIEWS.index(old),
    "notice": lambda old, new: old not in new,
    "drop": lambda old, new: not new >= old,
    **dict.fromkeys(
        ("purposes", "roles", "probe_kinds", "minutes"), lambda old, new: old is not None and not new <= old
    ),
}


def _field(name: str, value: Any, where: str) -> tuple[str, Any]:
    if not _CHECKS[name](value):
        msg = f"{where}: {name} cannot be {value!r}"
        raise PolicyError(msg)
    if unknown := set(value) - _CHOICES[name] if name in _CHOICES else set():
        msg = f"{where}: {name}: no such thing as {', '.join(sorted(unknown))}; there are "
        raise PolicyError(msg + ", ".join(sorted(_CHOICES[name])))
    if name == "zone":
        zone(value)
    if name == "hours":
        return "minutes", frozenset(minute for text in value for minute in _span(text, where))
    if name == "by_size":
        return name, tuple(sorted((step["faces"], step["floor"] / _PERCENT) for step in value))
    if name == "floor":
        return name, value / _PERCENT
    if name == "isolated":
        return "is_isolated", value
    return name, frozenset(value) if isinstance(value, list) else value


def _is_number(value: Any) -> bool:
    return type(value) in {int, float}


def _is_percent(value: Any) -> bool:
    return _is_number(value) and bool(0 <= value <= _PERCENT)


def _is_header(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and value.isascii()  # notices travel in one


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) and text for text in value)


def _is_step(step: Any) -> bool:
    if not isinstance(step, dict) or step.keys() != {"faces", "floor"}:
        return False
    faces, floor = step["faces"], step["floor"]
    return type(faces) is int and faces >= 0 and _is_percent(floor)


def _is_steps(value: Any) -> bool:
    return isinstance(value, list) and all(_is_step(step) for step in value)


_CHOICES = {"roles": frozenset(actions.ROLES), "probe_kinds": PROBE_KINDS, "drop": ATTRIBUTES}
_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "floor": _is_percent,
    "by_size": _is_steps,
    "maximum": lambda value: type(value) is int and value >= 1,
    "least_quality": lambda value: type(value) is int and _is_percent(value),
    "mode": lambda value: value in MODES,
    "review": lambda value: value in REVIEWS,
    "notice": _is_header,
    "zone": lambda value: isinstance(value, str),
    "isolated": lambda value: type(value) is bool,
    **dict.fromkeys(("hours", "purposes", "roles", "probe_kinds", "drop"), _is_texts),
}


def _span(text: Any, where: str) -> list[int]:
    """The minutes of the week in a text like "Mon-Fri 08:00-18:00"; an end before its beginning is the next day's."""
    match = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        msg = f'{where}: hours cannot be {text!r}; write them like "Mon-Fri 08:00-18:00"'
        raise PolicyError(msg)
    first, last, *clock = match.groups()
    begin, end = (int(hour) * 60 + int(minute) for hour, minute in (clock[:2], clock[2:]))
    if begin >= _DAY or end > _DAY:
        msg = f"{where}: {text!r} is no time of day; days have 24 hours"
        raise PolicyError(msg)
    length = end - begin if end > begin else end - begin + _DAY
    start, stop = _DAYS.index(first), _DAYS.index(last or first)
    days = range(start, stop + 1) if stop >= start else range(start, stop + 8)
    return [(day * _DAY + begin + minute) % (7 * _DAY) for day in days for minute in range(length)]


def _minute(local: dt.datetime) -> int:
    return local.weekday() * _DAY + local.hour * 60 + local.minute


def _unless(allowed: frozenset[str] | None, value: str, rule: str, noun: str, step: str) -> Refusal | None:
    if allowed is None or value in allowed:
        return None
    told = f"The {noun} {value} is not allowed here." if value else f"No {noun} is told."
    return Refusal(rule, told, f"{step}: {', '.join(sorted(allowed))}." if allowed else "None is allowed here.")
