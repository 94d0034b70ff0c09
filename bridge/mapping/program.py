"""The compiled part of a mapping file: from the records of a person to what is served.

A pure function of the records, the moment, and what is served already of values that stay: the
same ones give the same answer, and until `Mapped.until` every moment gives the same answer too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.errors import EntryFault
from bridge.mapping.attributes import Attributes
from bridge.mapping.frames import Frames, located, needed_vars
from bridge.mapping.moments import Clock
from bridge.mapping.prefer import Preference
from bridge.mapping.render import finisher
from bridge.mapping.rules import Rule, decide
from bridge.mapping.scope import Expression, Frame
from bridge.model import Entry, GroupKey, Kind, Mapped, Resource, Served

_text = finisher("string", None, None)


@dataclass(frozen=True, slots=True)
class Group:
    """A group worked out from people."""

    label: str
    key: Expression
    display_name: Expression


@dataclass(frozen=True, slots=True)
class Program:
    """Everything of a file that is worked out per record."""

    frames: Frames
    key: Expression
    key_frames: Frames
    preference: Preference
    skip: tuple[Rule, ...]
    active: tuple[Rule, ...]
    otherwise: Rule
    attributes: Attributes
    groups: tuple[Group, ...]

    @property
    def expressions(self) -> Iterator[Expression]:
        """All that the file says, in no order that matters."""
        yield from (var.expression for var in self.frames.vars)
        yield from (self.key, *self.preference.ranks)
        yield from (rule.when for rule in (*self.skip, *self.active) if rule.when)
        for target in self.attributes.targets():
            yield from target.expressions
        for group in self.groups:
            yield from (group.key, group.display_name)

    @property
    def sensitive(self) -> frozenset[str]:
        """The attributes that sensitive values are made of, as the source spells them."""
        found: set[str] = set()
        for target in self.attributes.targets():
            if target.target.options.sensitive:
                for expression in target.expressions:
                    vars_ = needed_vars(expression, self.frames.vars)
                    for each in (expression, *(var.expression for var in vars_)):
                        found.update(each.attributes)
        return frozenset(found)

    def key_of(self, entry: Entry) -> str:
        """The key of the person whom a record is about. Raises `EntryFault`."""
        frame = self.key_frames.frame(entry, None)
        try:
            key = _optional_text(self.key, frame)
            if key is None:
                raise EntryFault("is absent")
        except EntryFault as fault:
            raise located("key", self.key, fault) from None
        return key

    def candidates(
        self, entries: Sequence[Entry], now: datetime, path: tuple[str, ...]
    ) -> Iterator[str]:
        """The values to try for the unique one at ``path``, of a person who could be mapped.

        Raises `EntryFault` where one of them cannot be worked out.
        """
        clock = Clock(now)
        frames = [self.frames.frame(entry, clock) for entry in entries]
        frame = frames[self.preference.choose(entries, frames)[0][0]]
        unique = next(each.unique for each in self.attributes.single if each.target.path == path)
        return unique.candidates(frame) if unique else iter(())

    def person(
        self, entries: Sequence[Entry], now: datetime, served: Served | None = None
    ) -> Mapped:
        """What the records of one person make of that person at ``now``.

        Who is ``served`` already keeps the values that were settled then. ``entries`` is not
        empty. Records that are equally preferred and differ are faults, and so is everything else
        that cannot be worked out; all of them are told.
        """
        clock = Clock(now)
        frames = [self.frames.frame(entry, clock) for entry in entries]
        speaks = 0
        if len(frames) > 1:
            chosen, faults = self.preference.choose(entries, frames)
            if faults:
                return self._undecided([frames[index] for index in chosen], faults, clock)
            speaks = chosen[0]
        mapped = self._mapped(frames[speaks], clock, served)
        entry, resource = entries[speaks], mapped.resource
        if not entry.names or resource is None:
            return mapped
        links = tuple(map(entry.named, resource.links))
        return replace(mapped, resource=replace(resource, links=links))

    def _undecided(self, frames: Sequence[Frame], faults: list[str], clock: Clock) -> Mapped:
        """Nobody knows which record speaks; but all may say that the person is inactive."""
        rules = [decide(self.active, self.otherwise, frame)[0] for frame in frames]
        rule = rules[0]
        if rule and all(each and each.when and each.then is False for each in rules):
            return Mapped(faults=tuple(faults), active=False, reason=rule.reason, rule=rule.text,
                          until=clock.until)  # fmt: skip
        return Mapped(faults=tuple(faults), until=clock.until)

    def _mapped(self, frame: Frame, clock: Clock, served: Served | None) -> Mapped:
        skipped, faults = decide(self.skip, None, frame)
        if skipped:
            return Mapped(skipped=skipped.reason, rule=skipped.text, until=clock.until)
        rule, rule_faults = decide(self.active, self.otherwise, frame)
        faults += [*rule_faults, *self.frames.missing(frame)]
        attributes, links = self.attributes.of(frame, served, faults)
        groups = self._groups(frame, faults)
        if faults and rule and rule.when is None and not rule.then:
            # That nothing else matched says little of a record that is not whole.
            rule = None
        active, reason, text = (rule.then, rule.reason, rule.text) if rule else (None, "", "")
        if faults:
            return Mapped(faults=tuple(dict.fromkeys(faults)), active=active, reason=reason,
                          rule=text, until=clock.until)  # fmt: skip
        attributes["active"] = active
        return Mapped(
            resource=Resource(Kind.USER, attributes, tuple(links)), active=active, reason=reason,
            rule=text, groups=groups, until=clock.until,
        )  # fmt: skip

    def _groups(self, frame: Frame, faults: list[str]) -> tuple[GroupKey, ...]:
        if not self.groups:
            return ()
        found = {}
        for group in self.groups:
            expression = group.key
            try:
                key = _optional_text(expression, frame)
                if key is None:
                    continue
                expression = group.display_name
                name = _optional_text(expression, frame)
                if name is None:
                    raise EntryFault("is absent though the group has a key")
                found[key] = GroupKey(key, name)
            except EntryFault as fault:
                faults.append(str(located(group.label, expression, fault)))
        return tuple(found.values())


def _optional_text(expression: Expression, frame: Frame) -> str | None:
    value = expression.code(frame)
    return None if value is None else _text(value)
