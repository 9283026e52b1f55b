# SPDX-License-Identifier: Apache-2.0
"""All rules in force in one home folder: a law pack, the operator's own rules, and stricter limits of collections.

`overt.policy.toml` names the pack, limits and evidence; `policies/*.cedar` holds further rules. Knows no call.
"""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from overt.govern import cedar, lawpack, limits
from overt.govern.cedar import Rules
from overt.govern.lawpack import Pack
from overt.govern.limits import Limits, PolicyError

FILE = "overt.policy.toml"
FOLDER = "policies"
DEFAULT = "none"  # face search and enrolment are off until somebody chooses


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an operator has to show for something. reference: where it lies. until: the last day it counts, None = all.

    figure: what was measured, where the pack asks for one.
    """

    reference: str
    until: dt.date | None = None
    figure: float | None = None


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What is in force. digest: sha256, hex, of all of it. files: of the operator's own rules."""

    pack: Pack
    rules: Rules
    evidence: Mapping[str, Evidence]
    collections: Mapping[str, Limits]
    digest: str
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def limits(self, collection: str) -> Limits:
        """Those of a collection; the pack's where it has none of its own."""
        return self.collections.get(collection, self.pack.limits)

    def shown(self, day: dt.date) -> frozenset[str]:
        """Names of the evidence that counts on a day."""
        return frozenset(name for name, evidence in self.evidence.items() if self._counts(name, evidence, day))

    def _counts(self, name: str, evidence: Evidence, day: dt.date) -> bool:
        least = self.pack.demands.get(name)
        enough = least is None or (evidence.figure is not None and evidence.figure >= least)
        return enough and (evidence.until is None or day <= evidence.until)


def load(home: Path, pack: str | None = None) -> Rulebook:
    """The rulebook of a home folder. Args: pack: instead of the one chosen there. Raises: PolicyError."""
    file, folder = home / FILE, home / FOLDER
    text = _text(file) if file.is_file() else ""
    own = {path.name: _text(path) for path in sorted(folder.glob("*.cedar"))} if folder.is_dir() else {}
    return read(text, own, pack)


def read(text: str, own: Mapping[str, str], pack: str | None = None) -> Rulebook:
    """A rulebook from its texts. Args: text: of overt.policy.toml. own: rules by file name. Raises: PolicyError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{FILE}: it is no TOML: {error}"
        raise PolicyError(msg) from error
    if unknown := table.keys() - {"pack", "limits", "evidence", "collections"}:
        msg = f"{FILE}: no such key: {', '.join(sorted(unknown))}; there are pack, limits, evidence and collections"
        raise PolicyError(msg)
    chosen = lawpack.load(pack or str(table.get("pack", DEFAULT)))
    rules = [*chosen.rules]
    for name, policies in own.items():
        rules += cedar.read(policies, name, may_permit=False)
    general = limits.tighten(chosen.limits, limits.read(_table(table, "limits"), f"{FILE}: limits"), f"{FILE}: limits")
    chosen = replace(chosen, limits=general)
    return Rulebook(
        pack=chosen,
        rules=Rules(rules),
        evidence={name: _evidence(name, value) for name, value in _table(table, "evidence").items()},
        collections={name: _limits(general, name, value) for name, value in _table(table, "collections").items()},
        digest=lawpack.digest({"pack": chosen.digest, FILE: text, **{f"{FOLDER}/{name}": own[name] for name in own}}),
        files=tuple(own),
        warnings=tuple(warning for rule in rules for warning in cedar.warnings(rule)),
    )


def choose(home: Path, pack: str) -> None:
    """Name the pack in the home folder's file, which is made if need be. Raises: PolicyError."""
    load(home, pack)
    file = home / FILE
    table = tomllib.loads(_text(file)) if file.is_file() else {}
    draft = file.with_name(f".{FILE}.{os.getpid()}")
    draft.write_text(tomli_w.dumps({**table, "pack": pack}), "utf-8")
    draft.replace(file)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path.name}: it cannot be read: {error}"
        raise PolicyError(msg) from error


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = table.get(name, {})
    if not isinstance(value, dict):
        msg = f"{FILE}: {name} is a table; write [{name}]"
        raise PolicyError(msg)
    return value


def _limits(general: Limits, name: str, value: Any) -> Limits:
    where = f"{FILE}: collections.{name}"
    if not isinstance(value, dict):
        msg = f"{where} is a table; write [collections.{name}]"
        raise PolicyError(msg)
    return limits.tighten(general, limits.read(value, where, for_collection=True), where)


def _evidence(name: str, value: Any) -> Evidence:
    msg = f"{FILE}: evidence.{name} needs `reference`, and may have `until` (a date) and `figure` (a number)"
    if not isinstance(value, dict) or value.keys() - {"reference", "until", "figure"} or not value.get("reference"):
        raise PolicyError(msg)
    until, figure = value.get("until"), value.get("figure")
    if until is not None and (isinstance(until, dt.datetime) or not isinstance(until, dt.date)):
        raise PolicyError(msg)
    if figure is not None and type(figure) not in {int, float}:
        raise PolicyError(msg)
    return Evidence(str(value["reference"]), until, figure)
