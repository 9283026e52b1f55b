# SPDX-License-Identifier: Apache-2.0
"""What is asked of the policy: who wants to do what, to whom, when and on what ground. Knows no rule.

Every fact has a form for "not told", and that form never stands for anything better than the worst that could be told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from overt.govern import actions
from overt.types import Intent

SOURCES = ("call", "job", "stream")
PHASES = ("before", "after")
_IN_COLLECTIONS = ("Search", "Live", "Enrol")  # groups of actions that always concern one
_LONGEST = 1024  # characters of anything a caller tells; session tags have 256 at most
_SILENT = Intent()
_NEVER = -(2**53)  # a moment long past: what was not told has not been good since then


@dataclass(frozen=True, slots=True)
class Window:
    """An authorisation for cameras. number, officer: of the order and who gave it. begin, end: with their zone.

    basis: warrant, exigent, missing-person, life-in-danger or deployment.
    """

    number: str
    basis: str
    officer: str
    begin: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera stands. tags: what goes on there now (assembly, religion). is_inside: in the authorised area."""

    camera: str
    is_inside: bool
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of faces about to be enrolled. consent: of a consent record; end: until when they stay."""

    consent: str = ""
    reason: str = ""
    approver: str = ""
    end: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One thing somebody wants to do.

    action: an operation, see `actions.meant`. moment: with its zone. collection: id, "" where none is concerned.
    source: call, job or stream. phase: before the work is done, or after, when the probe's quality is known.
    quality: 0..100 of the probe, None before it was measured. faces: in the collection, None = not counted.
    trained_until: end of the certificate of the person who asks.
    """

    action: str
    role: str
    moment: dt.datetime
    account: str = ""
    collection: str = ""
    intent: Intent = _SILENT
    source: str = "call"
    phase: str = "before"
    quality: int | None = None
    faces: int | None = None
    trained_until: dt.datetime | None = None
    window: Window | None = None
    place: Place | None = None
    entry: Entry | None = None

    def record(self) -> dict[str, Any]:
        """As plain values, to be kept with a call and asked again later; it may hold names."""
        return dict(_plain(asdict(self)))

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Question:
        """From what `record` gave. Raises: KeyError, TypeError, ValueError when it is none."""
        told = dict(record)
        if unknown := told.keys() - {each.name for each in fields(cls)}:
            msg = f"unknown facts: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        told["moment"] = dt.datetime.fromisoformat(told["moment"])
        told["intent"] = Intent(**told.get("intent", {}))
        if told.get("trained_until"):
            told["trained_until"] = dt.datetime.fromisoformat(told["trained_until"])
        if window := told.get("window"):
            moments = {name: dt.datetime.fromisoformat(window[name]) for name in ("begin", "end")}
            told["window"] = Window(**{**window, **moments})
        if place := told.get("place"):
            told["place"] = Place(**{**place, "tags": frozenset(place["tags"])})
        if entry := told.get("entry"):
            end = dt.datetime.fromisoformat(entry["end"]) if entry["end"] else None
            told["entry"] = Entry(**{**entry, "end": end})
        return cls(**told)


def problem(question: Question) -> str:
    """What is wrong with a question, in words; "" = nothing. Whatever type its facts have, this raises nothing."""
    return next(_problems(question), "")


def _problems(question: Question) -> Iterator[str]:
    for noun, value, known in (("action", question.action, actions.GROUPS), ("role", question.role, actions.ROLES)):
        if not _is_one_of(value, known):
            yield f"{repr(value)[:80]} is no {noun} that the policy knows"
    if not _is_one_of(question.source, SOURCES) or not _is_one_of(question.phase, PHASES):
        yield "where the call comes from is not told as the policy needs it"
    for name, kind in (("intent", Intent), ("window", Window | None), ("place", Place | None), ("entry", Entry | None)):
        if not isinstance(getattr(question, name), kind):
            yield f"{name} is not told as the policy needs it"
    yield from _bad_values(question)
    if question.collection == "" and any(actions.is_in(question.action, group) for group in _IN_COLLECTIONS):
        yield "it is not told which collection is concerned"


def _bad_values(question: Question) -> Iterator[str]:
    for name, text in _texts(question):
        if not isinstance(text, str) or len(text) > _LONGEST or not text.isprintable():
            yield f"{name} is no text of at most {_LONGEST} printable characters"
    for name, moment in _moments(question):
        if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
            yield f"{name} is no moment with a zone"
    for name, number, most in (("quality", question.quality, 100), ("faces", question.faces, 2**53)):
        if number is not None and (type(number) is not int or not 0 <= number <= most):
            yield f"{name} is no whole number from 0 to {most}"
    if question.place is not None and type(question.place.is_inside) is not bool:
        yield "place.is_inside is neither true nor false"


def _is_one_of(value: object, known: Container[str]) -> bool:
    return isinstance(value, str) and value in known


def context(
    question: Question, *, zone: dt.tzinfo, evidence: frozenset[str] = frozenset(), is_isolated: bool = False
) -> dict[str, Any]:
    """The facts as Cedar's rules read them: every attribute that the action has is there, always.

    Args: zone: of the hours that rules speak of. evidence: names of what the operator has shown and is in force.
    is_isolated: whether the collection is a tester's.
    """
    intent = question.intent
    local = question.moment.astimezone(zone)
    facts = {
        "account": question.account,
        "operator": intent.operator,
        "purpose": intent.purpose,
        "caseNumber": intent.case,
        "legalBasis": intent.legal_basis,
        "authorisation": intent.authorisation,
        "source": question.source,
        "now": _seconds(question.moment),
        "minute": local.hour * 60 + local.minute,
        "weekday": local.isoweekday(),
        "isolated": is_isolated,
        "evidence": sorted(evidence),
        "training": {"given": question.trained_until is not None, "until": _seconds(question.trained_until)},
    }
    if actions.is_in(question.action, "Identify"):
        facts["gallery"] = {"counted": question.faces is not None, "faces": question.faces or 0}
    if actions.is_in(question.action, "Seek"):
        facts["probe"] = {
            "kind": intent.probe_kind,
            "measured": question.quality is not None,
            "quality": question.quality or 0,
        }
    if actions.is_in(question.action, "Live"):
        facts |= {"window": _window(question.window), "place": _place(question.place)}
    if actions.is_in(question.action, "Enrol"):
        facts["entry"] = _entry(question.entry)
    return facts


_COMMON = """
  account: String, operator: String, purpose: String, caseNumber: String, legalBasis: String, authorisation: String,
  source: String, now: Long, minute: Long, weekday: Long, isolated: Bool, evidence: Set<String>,
  training: { given: Bool, until: Long },
"""
_GALLERY = "  gallery: { counted: Bool, faces: Long },\n"
_PROBE = "  probe: { kind: String, measured: Bool, quality: Long },\n"
_LIVE = """  window: { given: Bool, number: String, basis: String, officer: String, begin: Long, end: Long },
  place: { given: Bool, camera: String, inside: Bool, tags: Set<String> },
"""
_ENTRY = "  entry: { given: Bool, consent: String, reason: String, approver: String, bounded: Bool, until: Long },\n"


def schema() -> str:
    """What rules may be about, in Cedar's schema language: what `context` gives, and all actions.

    No attribute is optional, so no rule can stumble over one that is missing. Actions have those only that they need:
    checking a request against the schema takes most of the time of a decision.
    """
    types = {
        "Any": _COMMON,
        "Seeking": _COMMON + _GALLERY + _PROBE,
        "Watching": _COMMON + _GALLERY + _PROBE + _LIVE,
        "Enrolling": _COMMON + _GALLERY + _ENTRY,
    }
    lines = ["entity Role;", "entity Collection;", *(f"type {name} = {{{body}}};" for name, body in types.items())]
    lines += [actions.group_declarations()]
    for name, groups in actions.GROUPS.items():
        kind = {"Live": "Watching", "Enrol": "Enrolling"}.get(groups[0], "Seeking" if "Seek" in groups else "Any")
        applies = f"appliesTo {{ principal: [Role], resource: [Collection], context: {kind} }};"
        lines.append(f'action "{name}" in ["{groups[0]}"] {applies}')
    return "\n".join(lines)


def _window(window: Window | None) -> dict[str, Any]:
    return {
        "given": window is not None,
        "number": window.number if window else "",
        "basis": window.basis if window else "",
        "officer": window.officer if window else "",
        "begin": _seconds(window.begin if window else None),
        "end": _seconds(window.end if window else None),
    }


def _place(place: Place | None) -> dict[str, Any]:
    return {
        "given": place is not None,
        "camera": place.camera if place else "",
        "inside": place is not None and place.is_inside,
        "tags": sorted(place.tags) if place else [],
    }


def _entry(entry: Entry | None) -> dict[str, Any]:
    return {
        "given": entry is not None,
        "consent": entry.consent if entry else "",
        "reason": entry.reason if entry else "",
        "approver": entry.approver if entry else "",
        "bounded": entry is not None and entry.end is not None,
        "until": _seconds(entry.end if entry else None),
    }


def _seconds(moment: dt.datetime | None) -> int:
    return _NEVER if moment is None else int(moment.timestamp())


def _texts(question: Question) -> list[tuple[str, Any]]:
    texts: list[tuple[str, Any]] = [("account", question.account), ("collection", question.collection)]
    texts += [(each.name, getattr(question.intent, each.name, None)) for each in fields(Intent)]
    if question.window is not None:
        texts += [(f"window.{name}", getattr(question.window, name, None)) for name in ("number", "basis", "officer")]
    if question.place is not None:
        texts.append(("place.camera", getattr(question.place, "camera", None)))
        texts += [("place.tags", tag) for tag in getattr(question.place, "tags", (None,))]
    if question.entry is not None:
        texts += [(f"entry.{name}", getattr(question.entry, name, None)) for name in ("consent", "reason", "approver")]
    return texts


def _moments(question: Question) -> list[tuple[str, Any]]:
    moments: list[tuple[str, Any]] = [("moment", question.moment)]
    if question.trained_until is not None:
        moments.append(("trained_until", question.trained_until))
    if question.window is not None:
        moments += [(f"window.{name}", getattr(question.window, name, None)) for name in ("begin", "end")]
    if question.entry is not None and question.entry.end is not None:
        moments.append(("entry.end", question.entry.end))
    return moments


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, dt.datetime) else value
