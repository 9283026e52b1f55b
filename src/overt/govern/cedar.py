# SPDX-License-Identifier: Apache-2.0
"""Rules in Cedar: read, checked, and asked. Knows no law pack and no limit.

Cedar by itself fails open: a `forbid` that cannot be evaluated is skipped. Here an error of any kind is a refusal, a
context that lacks an attribute or has one too many is an error, and no attribute is optional.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import cedarpy
from cedarpy import Decision, Entities, PolicySet, pst

from overt.govern import actions
from overt.govern.limits import PolicyError
from overt.govern.question import schema
from overt.govern.ruling import Refusal

SCHEMA = schema()
_KNOWN = frozenset({"id", "reason", "next"})  # annotations
_PLACES = 4096  # actions, roles and collections whose rules are kept ready
_ANSWERS = 1024  # answers kept for each selection of rules
_SHOWN = 3  # problems told of one file
_WHOLE = "*"  # a rule reads the context as a whole
ERROR = Refusal(
    "engine-error", "The policy could not be evaluated.", "Tell whoever runs this server: `overt policy check`."
)
NO_PERMIT = Refusal("no-permit", "No rule permits this.", "See `overt policy explain`.")

_schema = cedarpy.Schema.from_str(SCHEMA)
_TOLD = frozenset({"operator", "purpose", "caseNumber", "legalBasis", "authorisation", "probe", "window", "entry"})
# With the schema, so that the groups of actions are in it: without them `action in` never holds, and no forbid either.
_nothing = Entities.from_json_str("[]", _schema)


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy. name: its @id, unique. reads: attributes of the context that it depends on. where: its file."""

    name: str
    effect: str
    reason: str
    step: str
    where: str
    reads: frozenset[str]
    literals: frozenset[str]
    node: pst.Template


def read(text: str, where: str, *, may_permit: bool) -> tuple[Rule, ...]:
    """The rules in a text of Cedar, validated.

    Args: where: what to call the text in errors. may_permit: whether there may be permits in it. Raises: PolicyError.
    """
    try:
        nodes = PolicySet.from_str(text).to_pst()
        checked = cedarpy.validate_policies(text, _schema)
    except (ValueError, TypeError) as error:
        msg = f"{where}: it cannot be read: {error}"
        raise PolicyError(msg) from error
    if not checked.validation_passed:
        problems = [_named(problem, nodes) for problem in checked.errors]
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        msg = (
            f"{where}: it does not fit what the policy knows: {'; '.join(problems[:_SHOWN])}{more}. "
            "See docs/policy.md for what each action has; a rule may have to name its actions"
        )
        raise PolicyError(msg)
    if nodes.templates:
        msg = f"{where}: templates are not used here; name the role or the collection"
        raise PolicyError(msg)
    return tuple(_rule(node, where, may_permit=may_permit) for node in nodes.static_policies.values())


class Rules:
    """Rules to be asked, from any thread.

    Only those whose scope fits the action, role and collection are evaluated: elsewhere a rule costs nothing.
    Raises: PolicyError when two have one name.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in self.rules}
        if len(self.by_name) != len(self.rules):
            names = [rule.name for rule in self.rules]
            twice = sorted({name for name in names if names.count(name) > 1})
            msg = f"several rules are called {', '.join(twice)}; give each an @id of its own"
            raise PolicyError(msg)
        uids = [uid for rule in self.rules for uid in pst.entity_uids(rule.node)]
        self._roles = frozenset(uid.id for uid in uids if uid.type.basename == "Role")
        self._collections = frozenset(uid.id for uid in uids if uid.type.basename == "Collection")
        self._lock = Lock()
        self._slices: WeakValueDictionary[tuple[str, ...], _Slice] = WeakValueDictionary()
        self._places: OrderedDict[tuple[str, str, str], _Slice] = OrderedDict()

    def ask(
        self, action: str, role: str, collection: str, context: Mapping[str, Any], *, is_sound: bool = False
    ) -> tuple[Refusal, ...]:
        """Why not: one reason for each rule that forbids; none means that it is allowed. Raises nothing.

        Args: context: as `question.context` gives it; whatever else it is, the answer is a refusal. is_sound: that
        function made it from a question without problems; then an answer is kept by the facts that the rules read,
        and not worked out again.
        """
        try:
            chosen = self._slice(action, role, collection)
            if not is_sound:
                return self._evaluate(chosen, action, role, collection, context)
            read = context if chosen.reads is None else [context[name] for name in chosen.reads]
            key = (action, role, collection, json.dumps(read))
            answer = chosen.answers.get(key)
            if answer is None:
                answer = self._evaluate(chosen, action, role, collection, context)
                with self._lock:
                    chosen.answers[key] = answer
                    if len(chosen.answers) > _ANSWERS:
                        chosen.answers.popitem(last=False)
        except Exception:  # noqa: BLE001 - whatever it is, nobody gets past it
            return (ERROR,)
        return answer

    def names_for(self, action: str, role: str, collection: str) -> tuple[str, ...]:
        """The rules that are evaluated for these three."""
        return self._slice(action, role, collection).names

    def _evaluate(
        self, chosen: _Slice, action: str, role: str, collection: str, context: Mapping[str, Any]
    ) -> tuple[Refusal, ...]:
        request = {
            "principal": {"type": "Role", "id": role},
            "action": {"type": "Action", "id": action},
            "resource": {"type": "Collection", "id": collection},
            "context": json.dumps(context),
        }
        result = cedarpy.is_authorized(request, chosen.policies, _nothing, _schema)
        if result.diagnostics.errors or result.decision == Decision.NoDecision:
            return (ERROR,)
        if result.decision == Decision.Allow:
            return ()
        deciding = [self.by_name[name] for name in sorted(chosen.ids[each] for each in result.diagnostics.reasons)]
        return tuple(Refusal(rule.name, rule.reason, rule.step) for rule in deciding) or (NO_PERMIT,)

    def _slice(self, action: str, role: str, collection: str) -> _Slice:
        # All roles and collections that no rule names are alike.
        place = (action, role if role in self._roles else "", collection if collection in self._collections else "")
        with self._lock:
            if place in self._places:
                return self._places[place]
        groups = frozenset((action, *actions.GROUPS.get(action, ())))
        rules = tuple(rule for rule in self.rules if _fits(rule.node, groups, role, collection))
        names = tuple(rule.name for rule in rules)
        with self._lock:
            made = self._slices.get(names)
            if made is None:
                made = self._slices[names] = _Slice.of(rules)
            self._places[place] = made
            if len(self._places) > _PLACES:
                self._places.popitem(last=False)
        return made


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class _Slice:
    """Some of the rules, parsed. ids: names by Cedar's own ids. reads: the attributes that they read, None = all."""

    policies: PolicySet
    names: tuple[str, ...]
    ids: Mapping[str, str]
    reads: tuple[str, ...] | None
    answers: OrderedDict[tuple[str, str, str, str], tuple[Refusal, ...]] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, rules: tuple[Rule, ...]) -> _Slice:
        nodes = {f"policy{number}": replace(rule.node, id=f"policy{number}") for number, rule in enumerate(rules)}
        reads = frozenset(name for rule in rules for name in rule.reads)
        return cls(
            PolicySet.from_pst(pst.PolicySet(templates={}, static_policies=nodes, template_links=())),
            tuple(rule.name for rule in rules),
            {id_: rule.name for id_, rule in zip(nodes, rules, strict=True)},
            None if _WHOLE in reads else tuple(sorted(reads)),
        )


def warnings(rule: Rule) -> Iterator[str]:
    """What a rule does that its writer may not have meant: a caller who does not tell a fact gets past it."""
    if rule.effect != "forbid":
        return
    for clause in rule.node.clauses:
        if isinstance(clause, pst.When):
            for name in sorted(set(_equals(clause.expr))):
                yield (
                    f"{rule.where}: rule {rule.name} forbids certain values of {name}; who does not tell it is not "
                    f"caught. Forbid unless it is one of those allowed"
                )


def _equals(value: object) -> Iterator[str]:
    """Texts told by callers that an expression compares with something that is not empty."""
    if isinstance(value, pst.BinaryOp) and value.op == "eq":
        for one, other in ((value.left, value.right), (value.right, value.left)):
            if isinstance(other, pst.StringLit) and other.value:
                yield from set(_reads(one)) & _TOLD
    elif not isinstance(value, pst.UnaryOp):  # of a `not`, the contrary holds
        for part in _parts(value):
            yield from _equals(part)


def _fits(node: pst.Template, groups: frozenset[str], role: str, collection: str) -> bool:
    """Whether a rule's scope may hold; when in doubt it may."""
    scope = node.action
    if isinstance(scope, pst.ActionEq) and scope.entity.id not in groups:
        return False
    if isinstance(scope, pst.ActionIn) and groups.isdisjoint(uid.id for uid in scope.entities):
        return False
    return _holds(node.principal, role) and _holds(node.resource, collection)


def _holds(scope: object, id_: str) -> bool:
    # Roles and collections have no parents, so `in` is the same as `==`.
    if isinstance(scope, pst.ScopeEq | pst.ScopeIn | pst.ScopeIsIn) and isinstance(scope.entity, pst.EntityUid):
        return scope.entity.id == id_
    return True


def _rule(node: pst.Template, where: str, *, may_permit: bool) -> Rule:
    name = str(node.annotations.get("id", ""))
    if not name or not all(part.isalnum() and part.isascii() for part in name.split("-")):
        msg = f'{where}: a rule has no name; write @id("short-name") above each, of letters, digits and dashes'
        raise PolicyError(msg)
    if unknown := set(node.annotations) - _KNOWN:
        msg = f"{where}: rule {name}: no such annotation: {', '.join(sorted(unknown))}; there are id, reason and next"
        raise PolicyError(msg)
    if node.effect == "permit" and not may_permit:
        msg = f"{where}: rule {name} is a permit, which cannot allow what the law pack forbids; write forbids only"
        raise PolicyError(msg)
    reason, step = str(node.annotations.get("reason", "")), str(node.annotations.get("next", ""))
    if node.effect == "forbid" and not reason:
        msg = f'{where}: rule {name} tells nobody why it forbids; write @reason("...") above it'
        raise PolicyError(msg)
    reads, literals = frozenset(_reads(node.clauses)), frozenset(_literals(node.clauses))
    return Rule(name, node.effect, reason, step, where, reads, literals, node)


def _reads(value: object) -> Iterator[str]:
    """The attributes of the context that an expression reads; `_WHOLE` where it reads it as such."""
    if (
        isinstance(value, pst.GetAttr | pst.HasAttr)
        and isinstance(value.base, pst.Var)
        and value.base.name == "context"
    ):
        yield value.attr if isinstance(value, pst.GetAttr) else _WHOLE
    elif isinstance(value, pst.Var) and value.name == "context":
        yield _WHOLE
    else:
        for part in _parts(value):
            yield from _reads(part)


def _literals(value: object) -> Iterator[str]:
    if isinstance(value, pst.StringLit):
        yield value.value
    for part in _parts(value):
        yield from _literals(part)


def _parts(value: object) -> Iterator[object]:
    if is_dataclass(value):
        yield from (getattr(value, each.name) for each in fields(value))
    elif isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, tuple | list | frozenset | set):
        yield from value


def _named(problem: cedarpy.ValidationError, nodes: pst.PolicySet) -> str:
    node = nodes.static_policies.get(problem.policy_id)
    name = node.annotations.get("id", "") if node else ""
    return f"rule {name}: {problem.error}" if name else problem.error
