"""How a person came about: each value with the expression and the inputs it was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.faults import Place
from bridge.mapping.moments import Clock
from bridge.mapping.program import Program
from bridge.mapping.scope import Expression, Frame
from bridge.mapping.values import Poison, Reference
from bridge.model import Entry, Mapped


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
    ``mapped`` result with the rule that decided, its reason and `until`."""

    speaker: int
    values: tuple[Explained, ...]
    mapped: Mapped


def explain(program: Program, entries: Sequence[Entry], now: datetime) -> Explanation:
    """The explanation of a person's records at ``now``; values may be a person's data."""
    clock = Clock(now)
    frames = [program.frames.frame(entry, clock) for entry in entries]
    chosen, _ = program.preference.choose(entries, frames)
    frame = frames[chosen[0]]
    values = [_explained(f"vars.{var.name}", var.expression, frame) for var in program.frames.vars]
    values.append(_explained("key", program.key, frame))
    rules = [*program.skip, *program.active]
    values += [_explained(rule.label, rule.when, frame) for rule in rules if rule.when]
    listed = [part for item in program.listed for part in item.parts]
    for compiled in (*program.single, *listed):
        target = compiled.target
        if compiled.expression:
            values.append(_explained(target.label, compiled.expression, frame, compiled.value))
        else:
            const = f"{{const: {target.const}}}"
            values.append(Explained(target.label, const, target.place, {}, target.const))
    values += [_explained(group.label, group.key, frame) for group in program.groups]
    return Explanation(chosen[0], tuple(values), program.person(entries, now))


def _explained(
    target: str, expression: Expression, frame: Frame, work: Callable[[Frame], Any] | None = None
) -> Explained:
    names = {**expression.attributes, **expression.vars}
    held = {name: _shown(frame[place]) for name, place in names.items()}
    value, problem = None, ""
    try:
        value = _shown((work or expression.code)(frame))
    except EntryFault as fault:
        problem = str(fault)
    return Explained(target, expression.text, expression.place, held, value, problem)


def _shown(value: Any) -> Any:
    if isinstance(value, Poison):
        return f"({value.fault})"
    if isinstance(value, Reference):
        return f"{value.want} of the person whose {value.by} is {value.ref}"
    return value
