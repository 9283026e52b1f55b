# SPDX-License-Identifier: Apache-2.0
"""Law packs: rules and limits as data, one folder each, with the law they come from. Knows no call and no home folder.

Every pack stands on `base.cedar`: what each role may do, and the one permit that all forbids are exceptions from.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from overt.govern import cedar, limits
from overt.govern.cedar import Rule
from overt.govern.limits import Limits, PolicyError

FOLDER = files("overt.govern") / "packs"
_KEYS = {"name", "title", "source", "date", "legal", "unverified", "limits", "evidence", "duties"}
_NEEDED = {"name", "title", "source", "date", "legal"}


@dataclass(frozen=True, slots=True)
class Pack:
    """A law pack. source: the law or practice; date: of the pack's writing; legal: what it is not.

    unverified: what was written from summaries and is to be checked. demands: what an operator has to show, by name,
    with the least figure where one is asked for. duties: what the software cannot do for the operator.
    """

    name: str
    title: str
    source: str
    date: dt.date
    legal: str
    unverified: tuple[str, ...]
    limits: Limits
    demands: Mapping[str, float | None]
    duties: tuple[str, ...]
    rules: tuple[Rule, ...]
    digest: str


def names() -> tuple[str, ...]:
    """The packs there are."""
    return tuple(sorted(folder.name for folder in FOLDER.iterdir() if folder.joinpath("pack.toml").is_file()))


@cache
def load(name: str) -> Pack:
    """A pack. Raises: PolicyError when there is none of that name."""
    if name not in names():
        msg = f"there is no law pack {name}; there are {', '.join(names())}"
        raise PolicyError(msg)
    texts = {
        "schema": cedar.SCHEMA,
        "base.cedar": FOLDER.joinpath("base.cedar").read_text("utf-8"),
        "policy.cedar": FOLDER.joinpath(name, "policy.cedar").read_text("utf-8"),
        "pack.toml": FOLDER.joinpath(name, "pack.toml").read_text("utf-8"),
    }
    rules = (
        *cedar.read(texts["base.cedar"], "base.cedar", may_permit=True),
        *cedar.read(texts["policy.cedar"], f"{name}/policy.cedar", may_permit=False),
    )
    return read(texts["pack.toml"], rules, digest(texts), f"{name}/pack.toml")


def read(text: str, rules: tuple[Rule, ...], mark: str, where: str) -> Pack:
    """A pack from its TOML. Args: mark: its digest. where: for errors. Raises: PolicyError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{where}: it is no TOML: {error}"
        raise PolicyError(msg) from error
    if table.keys() - _KEYS or _NEEDED - table.keys():
        msg = f"{where}: a pack has {', '.join(sorted(_NEEDED))}, and may have {', '.join(sorted(_KEYS - _NEEDED))}"
        raise PolicyError(msg)
    return Pack(
        name=table["name"],
        title=table["title"],
        source=table["source"],
        date=table["date"],
        legal=table["legal"],
        unverified=tuple(table.get("unverified", ())),
        limits=Limits(**limits.read(table.get("limits", {}), where)),
        demands=dict(_demand(name, demand, where) for name, demand in table.get("evidence", {}).items()),
        duties=tuple(table.get("duties", ())),
        rules=rules,
        digest=mark,
    )


def digest(texts: Mapping[str, str]) -> str:
    """Sha256, hex, of named texts; the same however their lines end."""
    canonical = {name: text.replace("\r\n", "\n") for name, text in texts.items()}
    return hashlib.sha256(json.dumps(canonical, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _demand(name: str, demand: Any, where: str) -> tuple[str, float | None]:
    if not isinstance(demand, dict) or demand.keys() - {"what", "least"} or "what" not in demand:
        msg = f"{where}: evidence {name} needs `what`, and may have `least`"
        raise PolicyError(msg)
    return name, demand.get("least")
