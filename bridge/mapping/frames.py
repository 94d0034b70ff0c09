"""An entry as a frame: the places that expressions read, filled once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping.moments import Clock, Now, Today
from bridge.mapping.scope import NOW, STEPS, TODAY, Expression, Frame
from bridge.mapping.values import MAX_STEPS, Poison, clean
from bridge.model import Entry


class Located(EntryFault):
    """A fault whose message already says where it comes from."""


@dataclass(frozen=True, slots=True)
class Var:
    """A name worked out once per entry."""

    name: str
    place: int
    expression: Expression


@dataclass(frozen=True, slots=True)
class Frames:
    """Makes frames with the attributes and vars that a set of expressions needs.

    ``attributes`` are pairs of a name as the source spells it and its place; ``spelled`` has
    every name of the source by its folded form.
    """

    size: int
    zone: ZoneInfo
    spelled: Mapping[str, str]
    known: frozenset[str]
    attributes: tuple[tuple[str, int], ...]
    required: tuple[tuple[str, int], ...]
    vars: tuple[Var, ...]

    def only(self, expression: Expression) -> Frames:
        """The frames that one expression needs."""
        vars_ = needed_vars(expression, self.vars)
        places = set(expression.attributes.values())
        for var in vars_:
            places.update(var.expression.attributes.values())
        return Frames(
            self.size, self.zone, self.spelled, self.known,
            tuple(pair for pair in self.attributes if pair[1] in places),
            tuple(pair for pair in self.required if pair[1] in places), vars_,
        )  # fmt: skip

    def frame(self, entry: Entry, clock: Clock | None) -> Frame:
        """The frame of an entry; a var that cannot be worked out stands in it as its fault."""
        frame: Frame = [None] * self.size
        if clock is not None:
            frame[NOW], frame[TODAY] = Now(clock), Today(clock, self.zone)
        frame[STEPS] = MAX_STEPS
        attributes = entry.attributes
        if not self.known.issuperset(attributes):
            spelled = self.spelled
            attributes = {spelled.get(k.casefold(), k): v for k, v in attributes.items()}
        for name, place in self.attributes:
            value = attributes.get(name)
            if value.__class__ is str:
                if value and not value.isspace():
                    frame[place] = value
            elif value is not None:
                frame[place] = clean(value)
        for name, place in self.required:
            if frame[place] is None:
                frame[place] = Poison(Located(f"{name} is required (source.require)"))
        for var in self.vars:
            try:
                value = var.expression.code(frame)
            except Located as fault:
                value = Poison(fault)
            except EntryFault as fault:
                value = Poison(located(f"vars.{var.name}", var.expression, fault))
            frame[var.place] = clean(value) if value.__class__ is str else value
        return frame

    def missing(self, frame: Frame) -> Iterable[str]:
        """The faults of required attributes that the entry does not have."""
        return [
            str(frame[place].fault)
            for _, place in self.required
            if frame[place].__class__ is Poison
        ]


def located(label: str, expression: Expression | None, fault: EntryFault) -> EntryFault:
    """The fault with its place in the file and the attributes that were read, by name."""
    if isinstance(fault, Located):
        return fault
    reads = ", ".join(expression.attributes) if expression else ""
    return Located(f"{label}{f' (of {reads})' if reads else ''} {fault}")


def needed_vars(expression: Expression, vars_: Iterable[Var]) -> tuple[Var, ...]:
    """The vars that an expression reads, also by way of others, in their order."""
    needed = set(expression.vars)
    found: list[Var] = []
    for var in reversed(list(vars_)):
        if var.name in needed:
            needed.update(var.expression.vars)
            found.insert(0, var)
    return tuple(found)
