"""YAML text as a tree that knows where everything stands.

Built on libyaml's events alone; no object is ever constructed from the file. A scalar is text
unless it is a plain ``true``, ``false``, ``null`` or a plain number without a leading zero: so
``0123``, ``NO``, ``12:30`` and dates are what the admin typed. Anchors, aliases and tags are
refused, as are duplicate keys, more than 1 MB and deep nesting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from bridge.mapping.faults import Faults, Place
from bridge.mapping.yaml_faults import in_words

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

_FORBIDDEN = yaml.reader.Reader.NON_PRINTABLE

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: ``text`` as YAML reads it, ``value`` with its type."""

    text: str
    value: str | int | float | bool | None
    place: Place
    style: str = ""
    raw: str = field(default="", repr=False)

    def at(self, offset: int) -> Place:
        """Where the character at ``offset`` of ``text`` stands in the file."""
        consumed = _consumed(self.raw, self.text, self.style, offset)
        lines = self.raw[:consumed].split("\n")
        if len(lines) == 1:
            return replace(self.place, column=self.place.column + consumed)
        line = self.place.line + len(lines) - 1
        return replace(self.place, line=line, column=len(lines[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Items:
    """A YAML sequence."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A YAML mapping: ``keys`` and ``values`` by name, in the order of the file."""

    keys: Mapping[str, Scalar]
    values: Mapping[str, Node]
    place: Place


Node = Scalar | Items | Table


def plain(node: Node) -> Any:
    """The node as Python values: typed scalars, lists and dicts."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [plain(item) for item in node.items]
        case Table():
            return {name: plain(value) for name, value in node.values.items()}


def parse(text: str, faults: Faults, preset: str = "") -> Node | None:
    """The tree of ``text``, or None where it has no readable tree; every fault is noted.

    ``preset`` is the name of the preset whose text it is.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        faults.add(Place(1, 1), "the file is larger than 1 MB")
        return None
    text = text.removeprefix("\ufeff")
    if forbidden := _FORBIDDEN.search(text):
        at = forbidden.start()
        place = Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at), preset)
        faults.add(place, "a character YAML forbids")
        return None
    try:
        return _Builder(text, faults, preset).document()
    except yaml.MarkedYAMLError as error:
        line, column, message, hint = in_words(error, text)
        faults.add(Place(line, column, preset), f"not valid YAML: {message}", hint)
    except _Unreadable:
        pass
    return None


class _Unreadable(Exception):
    """A fault, already noted, after which the rest of the file means nothing."""


class _Builder:
    def __init__(self, text: str, faults: Faults, preset: str) -> None:
        self._text = text
        self._faults = faults
        self._preset = preset
        # PyYAML's types leave out what every event from a parser has.
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)

    def document(self) -> Node:
        next(self._events)
        start = next(self._events)
        if isinstance(start, yaml.StreamEndEvent):
            self._stop(Place(1, 1), "the file is empty")
        node = self._node(next(self._events), 1)
        next(self._events)
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            self._stop(self._place(more), "a second document: one file is one source")
        return node

    def _stop(self, place: Place, message: str) -> None:
        self._faults.add(place, message)
        raise _Unreadable

    def _node(self, event: Any, depth: int) -> Node:
        place = self._place(event)
        if depth > MAX_DEPTH:
            self._stop(place, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            self._stop(place, "YAML aliases are not allowed")
        if event.anchor is not None:
            self._stop(place, "YAML anchors are not allowed")
        if event.tag is not None:
            self._stop(place, "YAML tags are not allowed")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(place, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._table(place, depth)
        return self._scalar(event, place)

    def _items(self, place: Place, depth: int) -> Items:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Items(tuple(items), place)

    def _table(self, place: Place, depth: int) -> Table:
        keys: dict[str, Scalar] = {}
        values: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self._faults.add(key.place, "a key is a single word or text")
            elif key.text in keys:
                first = keys[key.text].place.in_words
                self._faults.add(
                    key.place,
                    f"{key.text!r} stands here a second time",
                    f"the first is in {first}",
                )
            else:
                keys[key.text], values[key.text] = key, value
        return Table(keys, values, place)

    def _scalar(self, event: Any, place: Place) -> Scalar:
        style = event.style or ""
        raw = self._text[event.start_mark.index : event.end_mark.index]
        value = event.value if style else _typed(event.value)
        return Scalar(event.value, value, place, style, raw)

    def _place(self, event: Any) -> Place:
        return Place(event.start_mark.line + 1, event.start_mark.column + 1, self._preset)


def _typed(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if match := _NUMBER.fullmatch(text):
        return float(text) if match[1] else int(text)
    return text


def _consumed(raw: str, text: str, style: str, offset: int) -> int:
    """How much of ``raw`` comes before the character at ``offset`` of ``text``.

    Both hold the same characters but for quotes, escapes and the blanks of folded lines.
    """
    at = raw.find("\n") + 1 if style in "|>" and style else len(style)
    for index, character in enumerate(text[: offset + 1]):
        if style == '"':
            while raw.startswith(("\\\n", "\\\r"), at):
                at += 2
        if not character.isspace():
            while at < len(raw) and raw[at].isspace():
                at += 1
        if index == offset:
            break
        if style == '"' and raw[at : at + 1] == "\\":
            at += _ESCAPE_LENGTH.get(raw[at + 1 : at + 2], 2)
        elif style == "'" and character == "'":
            at += 2
        elif not character.isspace() or raw[at : at + 1] == character:
            at += 1
    return min(at, len(raw))
