"""The attributes of a person: every target worked out on a frame and put in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.render import CompiledList, CompiledTarget
from bridge.mapping.scope import Code, Frame
from bridge.mapping.settled import held, held_in_list
from bridge.mapping.values import Reference
from bridge.model import Link, Served

Path = tuple[str, ...]
Section = tuple[str | None, tuple[tuple[Code, str, Path], ...]]


@dataclass(frozen=True, slots=True)
class Attributes:
    """The targets of a file, laid out by the objects that they stand in."""

    single: tuple[CompiledTarget, ...]
    listed: tuple[CompiledList, ...]
    _sections: tuple[Section, ...] = field(init=False, repr=False)
    _others: tuple[CompiledTarget, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sections: dict[str | None, list[tuple[Code, str, Path]]] = {}
        others = []
        for each in self.single:
            path = each.target.path
            if each.stays or len(path) > 2:
                others.append(each)
            else:
                parent = path[0] if len(path) > 1 else None
                sections.setdefault(parent, []).append((each.value, path[-1], path))
        found = tuple((parent, tuple(parts)) for parent, parts in sections.items())
        object.__setattr__(self, "_sections", found)
        object.__setattr__(self, "_others", tuple(others))

    def targets(self) -> Iterator[CompiledTarget]:
        """Every target, parts of lists too."""
        yield from self.single
        for item in self.listed:
            yield from item.parts

    def of(
        self, frame: Frame, served: Served | None, faults: list[str]
    ) -> tuple[dict[str, Any], list[Link]]:
        """The attributes that a frame gives, and the links among them; adds to ``faults``."""
        attributes: dict[str, Any] = {}
        links: list[Link] = []
        for parent, parts in self._sections:
            inner = attributes if parent is None else {}
            for work, name, path in parts:
                try:
                    value = work(frame)
                except EntryFault as fault:
                    faults.append(str(fault))
                    continue
                if value.__class__ is Reference:
                    links.append(_link(path, value))
                elif value is not None:
                    inner[name] = value
            if inner and parent is not None:
                attributes[parent] = inner
        for each in self._others:
            try:
                _put(each, frame, served, attributes, links)
            except EntryFault as fault:
                faults.append(str(fault))
        for item in self.listed:
            element: dict[str, Any] = {}
            for part in item.parts:
                try:
                    value = _part(item, part, frame, served) if part.stays else part.value(frame)
                except EntryFault as fault:
                    faults.append(str(fault))
                    continue
                if value is not None:
                    element[part.name] = value
            if "value" in element or (element and item.attribute == "addresses"):
                element.update(item.fixed)
                attributes.setdefault(item.attribute, []).append(element)
        return attributes, links


def _put(
    each: CompiledTarget, frame: Frame, served: Served | None, attributes: dict[str, Any],
    links: list[Link],
) -> None:  # fmt: skip
    """Put what a target gives now where its path says, or what is served if that stays."""
    path, options = each.target.path, each.target.options
    staying = held(served, path) if each.stays else None
    value = None if staying and options.settles else each.value(frame)
    if value.__class__ is Reference:
        links.append(_link(path, value))
        return
    if value is None and staying:
        links += staying.links
        value = staying.value
    if value is not None:
        for step in path[:-1]:
            attributes = attributes.setdefault(step, {})
        attributes[path[-1]] = value


def _part(item: CompiledList, part: CompiledTarget, frame: Frame, served: Served | None) -> Any:
    """What a part of a list's element gives now, or what is served if that stays."""
    staying = held_in_list(served, item.attribute, item.fixed.get("type"), part.name)
    if staying is not None and part.target.options.settles:
        return staying
    value = part.value(frame)
    return staying if value is None else value


def _link(path: Path, reference: Reference) -> Link:
    return Link(path, reference.by, reference.ref, reference.want)
