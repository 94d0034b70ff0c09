"""The mapping file as a typed value: every section in its place, nothing compiled yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import EntryFault
from bridge.mapping import schedule
from bridge.mapping.examples import Example, read_examples
from bridge.mapping.faults import Faults, did_you_mean
from bridge.mapping.group_texts import GroupTexts, read_groups
from bridge.mapping.limits import HINT, KINDS, Limits, limit
from bridge.mapping.moments import known_zones, zone_named
from bridge.mapping.reader import Reader
from bridge.mapping.schedule import Schedule
from bridge.mapping.targets import TargetReader, Targets
from bridge.mapping.yaml_text import Node, Scalar, Table

KEYS = (
    "version", "name", "extends", "source", "schedule", "limits", "protect", "timezone",
    "attributes", "lookups", "vars", "key", "external_id", "prefer", "skip", "active", "user",
    "enterprise", "custom", "groups", "tests",
)  # fmt: skip
"""The keys of a file, in the order in which they are usually written."""

NEEDED = ("version", "name", "source", "key", "active", "user")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NAMES = "name is letters, digits, `-`, `_` and `.`"
_PRESET = "write it, or start from a preset with `extends`"
_VAR = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule of ``skip`` or ``active``; ``then`` is None under ``skip``, ``when`` in
    ``otherwise``."""

    when: Scalar | None
    then: bool | None
    reason: str
    label: str


@dataclass(frozen=True, slots=True)
class Document:
    """A mapping file, read; None stands only where something needed has a fault, which is noted,
    and where ``attributes`` or ``external_id`` are not given."""

    name: str
    source: Table | None
    schedule: Schedule
    limits: Limits
    protect: frozenset[str]
    timezone: ZoneInfo
    attributes: tuple[Scalar, ...] | None
    lookups: Mapping[str, Mapping[str, Any]]
    vars: tuple[tuple[Scalar, Scalar], ...]
    key: Scalar | None
    external_id: Scalar | None
    prefer: tuple[Scalar, ...]
    skip: tuple[RuleText, ...]
    active: tuple[RuleText, ...]
    otherwise: RuleText | None
    targets: Targets
    groups: GroupTexts
    examples: tuple[Example, ...]


def read_document(top: Table, faults: Faults) -> Document:
    """The document that a tree is; faults are noted."""
    return _DocumentReader(faults).read(top)


class _DocumentReader(Reader):
    def read(self, top: Table) -> Document:
        self.keys(top, KEYS, "in a mapping file")
        self.need(top, NEEDED, "in the file", "" if "extends" in top.keys else _PRESET)
        get = top.values.get
        version = get("version")
        if version and not (isinstance(version, Scalar) and version.value == 1):
            self.faults.add(version.place, "version is 1", "the number, without quotes")
        name = self.text(get("name"), "name")
        if name and not _NAME.fullmatch(name):
            self.faults.add(
                top.values["name"].place, _NAMES, "at most 63, the first a letter or digit"
            )
        rules, otherwise = self._active(get("active"))
        return Document(
            name=name,
            source=self.table(get("source"), "source"),
            schedule=self._schedule(get("schedule")),
            limits=self._limits(get("limits")),
            protect=self._protect(get("protect")),
            timezone=self._timezone(get("timezone")),
            attributes=self._attributes(get("attributes")),
            lookups=self._lookups(get("lookups")),
            vars=self._vars(get("vars")),
            key=self.scalar(get("key"), "key"),
            external_id=self.scalar(get("external_id"), "external_id"),
            prefer=self._prefer(get("prefer")),
            skip=self._skip(get("skip")),
            active=rules,
            otherwise=otherwise,
            targets=TargetReader(self).read(top),
            groups=read_groups(get("groups"), self),
            examples=read_examples(get("tests"), self),
        )

    def _schedule(self, node: Node | None) -> Schedule:
        table = self.table(node, "schedule")
        if table is None:
            return Schedule()
        self.keys(table, ("changes", "full"), "under schedule")
        get = table.values.get
        changes = self.parsed(get("changes"), "schedule.changes", schedule.interval, schedule.HINT)
        full = self.parsed(
            get("full"), "schedule.full", schedule.interval_or_cron, schedule.CRON_HINT
        )
        return Schedule(changes) if full is None else Schedule(changes, full)

    def _limits(self, node: Node | None) -> Limits:
        table = self.table(node, "limits")
        if table is None:
            return Limits()
        self.keys(table, (*KINDS, "first_load"), "under limits")
        given: dict[str, Any] = {}
        for name, value in table.values.items():
            if name in KINDS:
                given[name] = self.parsed(value, f"limits.{name}", limit, HINT)
        if "first_load" in table.values:
            given["first_load"] = self.text(table.values["first_load"], "limits.first_load")
            if given["first_load"] not in ("hold", "publish"):
                place = table.values["first_load"].place
                self.faults.add(place, "limits.first_load is hold or publish")
        return Limits(**{name: value for name, value in given.items() if value is not None})

    def _protect(self, node: Node | None) -> frozenset[str]:
        return frozenset(
            self.text(item, "a person under protect") for item in self.items(node, "protect")
        )

    def _timezone(self, node: Node | None) -> ZoneInfo:
        scalar = self.scalar(node, "timezone")
        try:
            return zone_named(scalar.text if scalar else "UTC")
        except EntryFault as fault:
            if scalar:
                hint = did_you_mean(scalar.text, known_zones())
                self.faults.add(scalar.place, f"timezone {fault}", hint)
            return ZoneInfo("UTC")

    def _attributes(self, node: Node | None) -> tuple[Scalar, ...] | None:
        if node is None:
            return None
        names = [self.scalar(item, "an attribute") for item in self.items(node, "attributes")]
        return tuple(name for name in names if name)

    def _lookups(self, node: Node | None) -> Mapping[str, Mapping[str, Any]]:
        tables: dict[str, Mapping[str, Any]] = {}
        lookups = self.table(node, "lookups")
        for name, value in lookups.values.items() if lookups else ():
            table = self.table(value, f"lookups.{name}")
            rows = table.values.items() if table else ()
            scalars = {key: self.scalar(cell, f"lookups.{name}.{key}") for key, cell in rows}
            tables[name] = {key: cell.value for key, cell in scalars.items() if cell}
        return tables

    def _vars(self, node: Node | None) -> tuple[tuple[Scalar, Scalar], ...]:
        table, found = self.table(node, "vars"), []
        for name, value in table.values.items() if table else ():
            key = table.keys[name] if table else None
            if key and not _VAR.fullmatch(name):
                self.faults.add(key.place, "the name of a var is letters, digits and _")
            expression = self.scalar(value, f"vars.{name}")
            if key and expression:
                found.append((key, expression))
        return tuple(found)

    def _prefer(self, node: Node | None) -> tuple[Scalar, ...]:
        items = self.items(node, "prefer")
        ranks = (self.scalar(item, "an expression of prefer") for item in items)
        return tuple(rank for rank in ranks if rank)

    def _skip(self, node: Node | None) -> tuple[RuleText, ...]:
        rules = []
        for number, item in enumerate(self.items(node, "skip"), start=1):
            if rule := self._rule(item, f"skip[{number}]", ("when", "reason")):
                rules.append(rule)
        return tuple(rules)

    def _active(self, node: Node | None) -> tuple[tuple[RuleText, ...], RuleText | None]:
        table = self.table(node, "active", "with `rules` and `otherwise`")
        if table is None:
            return (), None
        self.keys(table, ("rules", "otherwise"), "under active")
        self.need(table, ("otherwise",), "under active")
        rules = []
        for number, item in enumerate(
            self.items(table.values.get("rules"), "active.rules"), start=1
        ):
            if rule := self._rule(item, f"active.rules[{number}]", ("when", "then", "reason")):
                rules.append(rule)
        node = table.values.get("otherwise")
        otherwise = self._rule(node, "active.otherwise", ("then", "reason")) if node else None
        return tuple(rules), otherwise

    def _rule(self, node: Node, label: str, keys: tuple[str, ...]) -> RuleText | None:
        table = self.table(node, label)
        if table is None:
            return None
        self.keys(table, keys, f"under {label}")
        self.need(table, keys, f"under {label}")
        get = table.values.get
        when = self.scalar(get("when"), f"{label}: when")
        then = self.boolean(get("then"), f"{label}: then")
        reason = self.text(get("reason"), f"{label}: reason")
        lacks_when = "when" in keys and when is None
        lacks_then = "then" in keys and then is None
        if lacks_when or lacks_then or not reason:
            return None
        return RuleText(when, then, reason, label)
