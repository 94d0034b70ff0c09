"""How a person came about: each value with the expression and the inputs it was made of.

A value that the file calls sensitive stands nowhere in it, nor do the attributes it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.faults import Place
from bridge.mapping.frames import needed_vars
from bridge.mapping.moments import Clock
from bridge.mapping.program import Program
from bridge.mapping.render import CompiledTarget
from bridge.mapping.scope import Code, Expression, Frame
from bridge.mapping.settled import held
from bridge.mapping.values import Poison, Reference
from bridge.model import Entry, Mapped, Served

SENSITIVE = "(sensitive)"
"""Stands for every value that the file does not let be shown."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One target: ``expression`` and its ``place`` in the file, the ``inputs`` it names and what
    they held, and its ``value`` or the ``problem`` that there was instead."""

    target: str
    expression: str
    place: Place
    inputs: Mapping[str, Any]
    value: Any = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything worked out from the record that spoke, number ``speaker`` from 0; and the
    ``mapped`` result with the rule that decided, its reason and `until`. ``sensitive`` are the
    attributes of a record that nobody is shown."""

    speaker: int
    values: tuple[Explained, ...]
    mapped: Mapped
    sensitive: frozenset[str] = frozenset()


def explain(
    program: Program, entries: Sequence[Entry], now: datetime, served: Served | None = None
) -> Explanation:
    """The explanation of a person's records at ``now``; values may be a person's data."""
    clock = Clock(now)
    frames = [program.frames.frame(entry, clock) for entry in entries]
    chosen, _ = program.preference.choose(entries, frames)
    frame = frames[chosen[0]]
    hidden = _hidden(program)
    workings = [(f"vars.{var.name}", var.expression) for var in program.frames.vars]
    workings.append(("key", program.key))
    workings += [(r.label, r.when) for r in (*program.skip, *program.active) if r.when]
    values = [_working(label, made, frame, hidden) for label, made in workings]
    values += [_target(target, frame, hidden, served) for target in program.attributes.targets()]
    values += [_working(group.label, group.key, frame, hidden) for group in program.groups]
    mapped = program.person(entries, now, served)
    return Explanation(chosen[0], tuple(values), mapped, program.sensitive)


def _hidden(program: Program) -> frozenset[str]:
    """The attributes and vars whose values are not shown."""
    hidden, vars_ = set(program.sensitive), program.frames.vars
    for var in vars_:
        needed = (var, *needed_vars(var.expression, vars_))
        if any(not hidden.isdisjoint(each.expression.attributes) for each in needed):
            hidden.add(var.name)
    return frozenset(hidden)


def _working(label: str, made: Expression, frame: Frame, hidden: frozenset[str]) -> Explained:
    found = _explained(label, (made,), frame, made.code, hidden)
    secret = label.startswith("vars.") and label.removeprefix("vars.") in hidden
    return replace(found, value=SENSITIVE) if secret else found


def _target(
    compiled: CompiledTarget, frame: Frame, hidden: frozenset[str], served: Served | None
) -> Explained:
    target = compiled.target
    if compiled.expressions:
        found = _explained(target.label, compiled.expressions, frame, compiled.value, hidden)
    else:
        const = f"{{const: {target.const}}}"
        found = Explained(target.label, const, target.place, {}, target.const)
    if target.options.settles and (settled := held(served, target.path)):
        found = replace(found, value=settled.value, problem="")
    return replace(found, value=SENSITIVE) if target.options.sensitive else found


def _explained(
    target: str, made_of: Sequence[Expression], frame: Frame, work: Code, hidden: frozenset[str]
) -> Explained:
    names: dict[str, int] = {}
    for expression in made_of:
        names.update({**expression.attributes, **expression.vars})
    inputs = {
        name: SENSITIVE if name in hidden else _shown(frame[place]) for name, place in names.items()
    }
    value, problem = None, ""
    try:
        value = _shown(work(frame))
    except EntryFault as fault:
        problem = str(fault)
    text = ", ".join(expression.text for expression in made_of)
    return Explained(target, text, made_of[0].place, inputs, value, problem)


def _shown(value: Any) -> Any:
    if isinstance(value, Poison):
        return f"({value.fault})"
    if isinstance(value, Reference):
        return f"{value.want} of the person whose {value.by} is {value.ref}"
    return value
