# SPDX-License-Identifier: Apache-2.0
"""`overt policy`: which rules are in force, what they say to a question, and which law packs there are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import typer

from overt import settings
from overt.cli import output
from overt.cli.home import engine
from overt.cli.record import recorded
from overt.govern import actions, lawpack, moratorium, rulebook
from overt.govern.limits import Limits, PolicyError
from overt.govern.moratorium import Moratorium
from overt.govern.policy import Policy
from overt.govern.question import Entry, Place, Question, Window
from overt.govern.rulebook import Rulebook
from overt.types import Intent

app = typer.Typer(help="The policy: who may look for whom, why, and under which law.", no_args_is_help=True)

_DIGITS = 12  # of a digest, for people


@app.command("packs")
def packs(as_json: output.JsonOption = False) -> None:
    """Show the law packs there are. Each is a starting point, and no legal advice."""
    rows = [
        {
            "name": pack.name,
            "title": pack.title,
            "source": pack.source,
            "date": pack.date.isoformat(),
            "digest": pack.digest,
            "unverified": list(pack.unverified),
            "duties": list(pack.duties),
            "legal": pack.legal,
        }
        for pack in map(lawpack.load, lawpack.names())
    ]

    def people() -> None:
        output.table(("pack", "what it is for", "source"), ((row["name"], row["title"], row["source"]) for row in rows))
        output.line(lawpack.load("none").legal)

    output.show({"packs": rows}, people, as_json=as_json)


@app.command("check")
def check(home: output.HomeOption = None, as_json: output.JsonOption = False) -> None:
    """Load and validate all rules of the home folder, and show what they come to for each collection."""
    book = _load(settings.load(home=home).home)
    today = dt.datetime.now(dt.UTC).date()
    shown = book.shown(today)
    limits = {"": _limits(book.pack.limits), **{name: _limits(book.limits(name)) for name in sorted(book.collections)}}
    result = {
        "pack": book.pack.name,
        "packDigest": book.pack.digest,
        "digest": book.digest,
        "rules": [{"name": rule.name, "effect": rule.effect, "file": rule.where} for rule in book.rules.rules],
        "limits": limits,
        "evidence": sorted(shown),
        "missingEvidence": sorted(book.pack.demands.keys() - shown),
        "warnings": list(book.warnings),
    }

    def people() -> None:
        output.line(f"pack {book.pack.name} ({book.pack.digest[:_DIGITS]}): {book.pack.title}")
        output.line(f"{len(book.rules.rules)} rules, all valid; digest of all in force {book.digest[:_DIGITS]}")
        for name in result["missingEvidence"]:
            output.line(f"  evidence missing: {name}; until it is there, what needs it is refused")
        for warning in book.warnings:
            output.line(f"  warning: {warning}")
        headings = ("collection", *next(iter(limits.values())))
        output.table(headings, ((name or "(any other)", *map(_cell, each.values())) for name, each in limits.items()))

    output.show(result, people, as_json=as_json)


@app.command("explain")
def explain(
    action: Annotated[str, typer.Option(help="An operation, like SearchFacesByImage.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(actions.ROLES)}.")] = "operator",
    collection: Annotated[str, typer.Option(help="The collection concerned.")] = "",
    purpose: Annotated[str, typer.Option(help="What for.")] = "",
    case: Annotated[str, typer.Option(help="Number of the case.")] = "",
    operator: Annotated[str, typer.Option(help="Who asks.")] = "",
    legal_basis: Annotated[str, typer.Option(help="On what legal basis.")] = "",
    probe_kind: Annotated[str, typer.Option(help="photo, frame, sketch, composite or edited.")] = "",
    authorisation: Annotated[str, typer.Option(help="Number of an authorisation.")] = "",
    at: Annotated[str | None, typer.Option(help="The moment, with its zone [default: now].")] = None,
    quality: Annotated[int | None, typer.Option(help="Of the probe, 0 to 100, as measured.")] = None,
    faces: Annotated[int | None, typer.Option(help="How many faces the collection has.")] = None,
    trained_until: Annotated[
        str | None, typer.Option(help="End of the certificate of training, with its zone.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="Authorisation of cameras: NUMBER,BASIS,OFFICER,FROM,UNTIL.")
    ] = None,
    place: Annotated[str | None, typer.Option(help="Camera in the authorised area: NAME[,TAG...].")] = None,
    entry: Annotated[
        str | None, typer.Option(help="Of faces to enrol: CONSENT,REASON,APPROVER,UNTIL; parts may be empty.")
    ] = None,
    pack: Annotated[str | None, typer.Option(help="Ask this law pack instead of the one in force.")] = None,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Ask the policy: what it says, which rules say it, why, and what to do."""
    question = Question(
        action=action,
        role=role,
        moment=_moment(at) if at else dt.datetime.now(dt.UTC),
        collection=collection,
        intent=Intent(operator, purpose, case, legal_basis, probe_kind, authorisation),
        phase="before" if quality is None else "after",
        quality=quality,
        faces=faces,
        trained_until=_moment(trained_until) if trained_until else None,
        window=_window(window) if window else None,
        place=_place(place) if place else None,
        entry=_entry(entry) if entry else None,
    )
    with engine(home) as opened:
        book = _load(opened.settings.home, pack)
        ruling = Policy(book, Moratorium(opened.stores)).decide(question)
    asked = book.rules.names_for(action, role, collection)
    duty = ruling.obligations
    result: dict[str, Any] = {
        "allowed": ruling.allowed,
        "reason": ruling.reason,
        "rules": list(ruling.rules),
        "asked": list(asked),
        "pack": ruling.pack,
        "digest": ruling.digest,
    }
    if ruling.allowed:
        result["obligations"] = {
            "floor": duty.floor * 100,
            "maximum": duty.maximum,
            "review": duty.review,
            "mode": duty.mode,
            "notice": duty.notice,
            "drop": sorted(duty.drop),
            "leastQuality": duty.least_quality,
            "end": duty.end.isoformat() if duty.end else None,
        }

    def people() -> None:
        output.line("allowed" if ruling.allowed else "refused")
        if ruling.reason:
            output.line(f"  {ruling.reason}")
        output.line(f"decided by {', '.join(ruling.rules)}; asked were {', '.join(asked)}")
        for name, value in result.get("obligations", {}).items():
            if value not in ("", None, [], 0):
                output.line(f"  {name}: {_cell(value)}")

    output.show(result, people, as_json=as_json)


@app.command("choose")
def choose(
    pack: Annotated[str, typer.Argument(metavar="PACK", help="See `overt policy packs`.")],
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Put a law pack in force. While a moratorium on everything stands, only the pack `moratorium` can be chosen."""
    with engine(home) as opened, recorded(opened, "ChoosePolicy", pack):
        halt = moratorium.on_everything(opened.stores)
        if halt is not None and pack != "moratorium":
            raise output.CommandError(
                f"moratorium {halt.number} stands since {halt.begun.isoformat(timespec='seconds')}; two people have to "
                "lift it first, see `overt moratorium status`"
            )
        if pack == "moratorium" and halt is None:
            raise output.CommandError(
                "begin the moratorium first, so that it takes two people to end it: "
                "overt moratorium on --by NAME --why REASON"
            )
        try:
            rulebook.choose(opened.settings.home, pack)
        except PolicyError as error:
            raise output.CommandError(str(error)) from error
        chosen = _load(opened.settings.home)
    duties = list(chosen.pack.duties)

    def people() -> None:
        output.line(f"chose {pack}: {chosen.pack.title}")
        for duty in duties:
            output.line(f"  yours to do: {duty}")
        output.line(chosen.pack.legal)

    output.show({"pack": pack, "digest": chosen.digest, "duties": duties}, people, as_json=as_json)


def _load(folder: Path, pack: str | None = None) -> Rulebook:
    try:
        return rulebook.load(folder, pack)
    except PolicyError as error:
        raise output.CommandError(str(error)) from error


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "floor": round(limits.floor * 100, 6),
        "maximum": limits.maximum,
        "review": limits.review,
        "mode": limits.mode,
        "purposes": None if limits.purposes is None else sorted(limits.purposes),
        "probeKinds": None if limits.probe_kinds is None else sorted(limits.probe_kinds),
        "leastQuality": limits.least_quality,
        "drop": sorted(limits.drop),
        "notice": limits.notice,
    }


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "any" if value is None else str(value)


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise output.CommandError(f"{text!r} is no moment with a zone; write it like 2027-01-31T18:00+01:00")
    return moment


def _window(text: str) -> Window:
    number, basis, officer, begin, end = _parts(text, 5, "NUMBER,BASIS,OFFICER,FROM,UNTIL")
    return Window(number, basis, officer, _moment(begin), _moment(end))


def _place(text: str) -> Place:
    name, *tags = text.split(",")
    return Place(name, is_inside=True, tags=frozenset(tags))


def _entry(text: str) -> Entry:
    consent, reason, approver, end = _parts(text, 4, "CONSENT,REASON,APPROVER,UNTIL")
    return Entry(consent, reason, approver, _moment(end) if end else None)


def _parts(text: str, count: int, form: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != count:
        raise output.CommandError(f"{text!r} is not of the form {form}")
    return parts
