"""Running a file's own ``tests:``."""

from __future__ import annotations

import hashlib
import json
import re
from collections import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from bridge import dn
from bridge.errors import EntryFault
from bridge.mapping.examples import Example
from bridge.mapping.mapping import Mapping
from bridge.mapping.targets import Targets
from bridge.model import ENTERPRISE_URN, Entry, Link, Mapped

_OUTCOMES = ("active", "reason", "skipped", "key", "groups", "externalId")
_LISTED = re.compile(r"(\w+)\[(.*)\]\.(\w+)")


@dataclass(frozen=True, slots=True)
class TestResult:
    """How one test of a file went; each problem is a sentence."""

    __test__: ClassVar[bool] = False

    name: str
    passed: bool
    problems: tuple[str, ...]
    line: int


def run_tests(mapping: Mapping) -> list[TestResult]:
    """Run the tests of the file, in its order."""
    results = []
    for example in mapping.tests:
        problems = tuple(_problems(mapping, example))
        results.append(TestResult(example.name, not problems, problems, example.place.line))
    return results


def expectations(targets: Targets) -> frozenset[str]:
    """The paths that ``expect`` may name in a file with these targets."""
    single = (*targets.single, *targets.custom)
    listed = [
        f"{item.attribute}[{item.fixed.get('type', '')}].{part}"
        for item in targets.listed
        for part in (*(target.path[-1] for target in item.parts), *item.fixed)
    ]
    return frozenset({*_OUTCOMES, *(t.label.removeprefix("user.") for t in single), *listed})


def _problems(mapping: Mapping, example: Example) -> Iterator[str]:
    entries = [_entry(record, number) for number, record in enumerate(example.records)]
    mapped = mapping.person(entries, example.now)
    key, faults = _key(mapping, entries, mapped)
    if example.expect_error:
        if not any(example.expect_error in fault for fault in faults):
            found = "; ".join(faults) or "no error"
            yield f"expected the error {example.expect_error!r}, got {found}"
        return
    if faults:
        yield from faults
        return
    if mapped.skipped and "skipped" not in example.expect:
        yield f"the person is skipped: {mapped.skipped}"
        return
    urn = next(iter(mapping.schemas), "")
    for path, expected in example.expect.items():
        value = key if path == "key" else _value(mapped, path, urn, example)
        if value != expected or isinstance(value, bool) != isinstance(expected, bool):
            yield f"{path}: expected {_said(expected)}, got {_said(value)}"


def _entry(record: abc.Mapping[str, Any], number: int) -> Entry:
    text = json.dumps(record, sort_keys=True)
    attributes = {name: value for name, value in record.items() if value is not None}
    return Entry(f"record {number + 1}", attributes, hashlib.sha256(text.encode()).digest()[:16])


def _key(mapping: Mapping, entries: list[Entry], mapped: Mapped) -> tuple[str, list[str]]:
    """The key, or nothing of somebody who is skipped; and all the faults."""
    if mapped.skipped:
        return "", []
    faults = list(mapped.faults)
    keys = set()
    for entry in entries:
        try:
            keys.add(mapping.key_of(entry))
        except EntryFault as fault:
            faults.append(str(fault))
    if len(keys) > 1:
        faults.append("the records have different keys: they are not one person")
    return next(iter(keys), ""), list(dict.fromkeys(faults))


def _value(mapped: Mapped, path: str, urn: str, example: Example) -> Any:
    if path == "groups":
        return [group.key for group in mapped.groups]
    if path in ("active", "reason", "skipped"):
        return None if (outcome := getattr(mapped, path)) == "" else outcome
    if mapped.resource is None:
        return None
    attributes = mapped.resource.attributes
    if match := _LISTED.fullmatch(path):
        elements = attributes.get(match[1], ())
        found = (each.get(match[3]) for each in elements if each.get("type", "") == match[2])
        return next(found, None)
    section, _, rest = path.partition(".")
    urns = {"enterprise": ENTERPRISE_URN, "custom": urn}
    steps = (urns[section], *rest.split(".")) if section in urns else tuple(path.split("."))
    for link in mapped.resource.links:
        if link.path == steps:
            return _answer(link, example)
    value: Any = attributes
    for step in steps:
        value = value.get(step) if isinstance(value, abc.Mapping) else None
    return value


def _answer(link: Link, example: Example) -> Any:
    """What the person in the example's directory answers whom the link names."""
    for person in example.directory:
        if _known_as(str(person.get(link.by, "")), link.by) == _known_as(link.ref, link.by):
            return person.get(link.want)
    return None


def _known_as(name: str, by: str) -> str:
    """A name in the form in which two of them are compared."""
    if by == "dn":
        try:
            return dn.normal(name)
        except ValueError:
            return name
    return name.casefold() if by == "userName" else name


def _said(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
