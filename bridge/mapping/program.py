"""The compiled part of a mapping file: from the records of a person to what is served.

A pure function of the records and the moment: the same ones give the same answer, and until
`Mapped.until` every moment gives the same answer too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.frames import Frames, located
from bridge.mapping.moments import Clock
from bridge.mapping.prefer import Preference
from bridge.mapping.render import CompiledList, CompiledTarget, finisher, put
from bridge.mapping.rules import Rule, decide
from bridge.mapping.scope import Expression, Frame
from bridge.model import Entry, GroupKey, Kind, Link, Mapped, Resource

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
    single: tuple[CompiledTarget, ...]
    listed: tuple[CompiledList, ...]
    groups: tuple[Group, ...]

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

    def person(self, entries: Sequence[Entry], now: datetime) -> Mapped:
        """What the records of one person make of that person at ``now``.

        ``entries`` is not empty. Records that are equally preferred and differ are faults, and so
        is everything else that cannot be worked out; all of them are told.
        """
        clock = Clock(now)
        frames = [self.frames.frame(entry, clock) for entry in entries]
        chosen, faults = self.preference.choose(entries, frames)
        if faults:
            return self._undecided([frames[index] for index in chosen], faults, clock)
        return self._mapped(frames[chosen[0]], clock)

    def _undecided(self, frames: Sequence[Frame], faults: list[str], clock: Clock) -> Mapped:
        """Nobody knows which record speaks; but all may say that the person is inactive."""
        rules = [decide(self.active, self.otherwise, frame)[0] for frame in frames]
        rule = rules[0]
        if rule and all(each and each.when and each.then is False for each in rules):
            return Mapped(faults=tuple(faults), active=False, reason=rule.reason, rule=rule.text,
                          until=clock.until)  # fmt: skip
        return Mapped(faults=tuple(faults), until=clock.until)

    def _mapped(self, frame: Frame, clock: Clock) -> Mapped:
        skipped, faults = decide(self.skip, None, frame)
        if skipped:
            return Mapped(skipped=skipped.reason, rule=skipped.text, until=clock.until)
        rule, rule_faults = decide(self.active, self.otherwise, frame)
        faults += [*rule_faults, *self.frames.missing(frame)]
        attributes: dict[str, Any] = {}
        links: list[Link] = []
        for each in self.single:
            try:
                value = each.value(frame)
            except EntryFault as fault:
                faults.append(str(fault))
                continue
            if value is not None:
                put(attributes, links, each.target.path, value)
        self._put_lists(frame, attributes, faults)
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

    def _put_lists(self, frame: Frame, attributes: dict[str, Any], faults: list[str]) -> None:
        for item in self.listed:
            element: dict[str, Any] = {}
            for part in item.parts:
                try:
                    value = part.value(frame)
                except EntryFault as fault:
                    faults.append(str(fault))
                    continue
                if value is not None:
                    element[part.target.path[-1]] = value
            if "value" in element or (element and item.attribute == "addresses"):
                attributes.setdefault(item.attribute, []).append({**element, **item.fixed})

    def _groups(self, frame: Frame, faults: list[str]) -> tuple[GroupKey, ...]:
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
