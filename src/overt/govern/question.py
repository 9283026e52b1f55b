# SPDX-License-Identifier: Apache-2.0
"""What is asked of the policy: who wants to do what, to whom, when and on what ground. Knows no rule.

Every fact has a form for "not told", and that form never stands for anything better than the worst that could be told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from overt.govern import actions
from overt.types import Intent

SOURCES = ("call", "job", "stream")
PHASES = ("before", "after")
_LONGEST = 1024  # characters of anything a caller tells; session tags have 256 at most
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
    """What is known of faces about to be enrolled. consent: reference of a consent record; end: until when they stay."""

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
    trained_until: end of the certificate of the person who asks. attributes: of faces that are asked for.
    """

    action: str
    role: str
    moment: dt.datetime
    account: str = ""
    collection: str = ""
    intent: Intent = Intent()
    source: str = "call"
    phase: str = "before"
    quality: int | None = None
    faces: int | None = None
    trained_until: dt.datetime | None = None
    window: Window | None = None
    place: Place | None = None
    entry: Entry | None = None
    attributes: frozenset[str] = field(default_factory=frozenset)

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
        told["attributes"] = frozenset(told.get("attributes", ()))
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
    if question.action not in actions.GROUPS:
        return f"{_shown(question.action)} is no action that the policy knows"
    if question.role not in actions.ROLES:
        return f"{_shown(question.role)} is no role that the policy knows"
    if question.source not in SOURCES or question.phase not in PHASES:
        return "where the call comes from is not told as the policy needs it"
    for name, value in _texts(question):
        if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
            return f"{name} is no text of at most {_LONGEST} printable characters"
    for name, moment in _moments(question):
        if not isinstance(moment, dt.datetime) or moment.utcoffset() is None:
            return f"{name} is no moment with a zone"
    for name, number, most in (("quality", question.quality, 100), ("faces", question.faces, 2**53)):
        if number is not None and (type(number) is not int or not 0 <= number <= most):
            return f"{name} is no whole number from 0 to {most}"
    if question.place is not None and type(question.place.is_inside) is not bool:
        return "place.is_inside is neither true nor false"
    return ""


def context(
    question: Question, *, zone: dt.tzinfo, evidence: frozenset[str] = frozenset(), is_isolated: bool = False
) -> dict[str, Any]:
    """The facts as Cedar's rules read them: every attribute is there, always.

    Args: zone: of the hours that rules speak of. evidence: names of what the operator has shown and is in force.
    is_isolated: whether the collection is a tester's.
    """
    intent, window, place, entry = question.intent, question.window, question.place, question.entry
    local = question.moment.astimezone(zone)
    return {
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
        "attributes": sorted(question.attributes),
        "gallery": {"counted": question.faces is not None, "faces": question.faces or 0},
        "probe": {
            "kind": intent.probe_kind,
            "measured": question.quality is not None,
            "quality": question.quality or 0,
        },
        "training": {"given": question.trained_until is not None, "until": _seconds(question.trained_until)},
        "window": {
            "given": window is not None,
            "number": window.number if window else "",
            "basis": window.basis if window else "",
            "officer": window.officer if window else "",
            "begin": _seconds(window.begin if window else None),
            "end": _seconds(window.end if window else None),
        },
        "place": {
            "given": place is not None,
            "camera": place.camera if place else "",
            "inside": place is not None and place.is_inside,
            "tags": sorted(place.tags) if place else [],
        },
        "entry": {
            "given": entry is not None,
            "consent": entry.consent if entry else "",
            "reason": entry.reason if entry else "",
            "approver": entry.approver if entry else "",
            "bounded": entry is not None and entry.end is not None,
            "until": _seconds(entry.end if entry else None),
        },
    }


# What `context` gives, for Cedar. No attribute is optional: a rule can never stumble over one that is missing.
CONTEXT = """
entity Role;
entity Collection;
type Context = {
  account: String, operator: String, purpose: String, caseNumber: String, legalBasis: String, authorisation: String,
  source: String, now: Long, minute: Long, weekday: Long, isolated: Bool,
  evidence: Set<String>, attributes: Set<String>,
  gallery: { counted: Bool, faces: Long },
  probe: { kind: String, measured: Bool, quality: Long },
  training: { given: Bool, until: Long },
  window: { given: Bool, number: String, basis: String, officer: String, begin: Long, end: Long },
  place: { given: Bool, camera: String, inside: Bool, tags: Set<String> },
  entry: { given: Bool, consent: String, reason: String, approver: String, bounded: Bool, until: Long },
};
"""


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
    return texts + [("attributes", name) for name in question.attributes]


def _moments(question: Question) -> list[tuple[str, Any]]:
    moments: list[tuple[str, Any]] = [("moment", question.moment)]
    if question.trained_until is not None:
        moments.append(("trained_until", question.trained_until))
    if question.window is not None:
        moments += [(f"window.{name}", getattr(question.window, name, None)) for name in ("begin", "end")]
    if question.entry is not None and question.entry.end is not None:
        moments.append(("entry.end", question.entry.end))
    return moments


def _shown(value: object) -> str:
    return repr(value)[:80]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, dt.datetime) else value
