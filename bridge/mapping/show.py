"""The whole effective file as text, each line with where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bridge.mapping.document import KEYS
from bridge.mapping.effective import own_text, read_effective
from bridge.mapping.faults import Faults, Place
from bridge.mapping.limits import DEFAULTS
from bridge.mapping.merge import merged
from bridge.mapping.schedule import DEFAULT_FULL
from bridge.mapping.yaml_text import Items, Node, Scalar, Table, parse

DEFAULT = "default"
"""The preset of a line that stands nowhere, since it is what holds where nothing is said."""

_INDENT = "  "
# What YAML takes for an end of line, or does not take at all, inside a text in quotes.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_DEFAULT_LIMITS = "".join(f"  {name}: {limit}\n" for name, limit in DEFAULTS.items())
_DEFAULTS = f"""\
schedule:
  full: {DEFAULT_FULL}
timezone: UTC
limits:
{_DEFAULT_LIMITS}  first_load: hold
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the effective file, and the place of what it says."""

    text: str
    place: Place


def shown(text: str, file: str) -> tuple[Line, ...]:
    """The effective file: what it extends and what holds by default written out, comments left out.

    The lines are a mapping file that extends nothing and means the same. There are none where the
    file has no readable tree.
    """
    faults = Faults(file, own_text(text))
    effective = read_effective(text, faults)
    if effective is None:
        return ()
    tree = effective[0]
    defaults = parse(_DEFAULTS, faults, DEFAULT)
    assert isinstance(defaults, Table)
    tree = merged(tree, defaults, faults)
    order = sorted(tree.keys, key=lambda name: KEYS.index(name) if name in KEYS else len(KEYS))
    keys = {name: tree.keys[name] for name in order if name != "extends"}
    return tuple(_table(replace(tree, keys=keys), ""))


def _table(table: Table, indent: str) -> Iterator[Line]:
    for name, key in table.keys.items():
        yield from _entry(f"{indent}{_scalar(key)}:", table.values[name], indent, key.place)


def _entry(head: str, node: Node, indent: str, place: Place) -> Iterator[Line]:
    """A key or dash, with what follows it: behind it, or on lines of its own."""
    match node:
        case Scalar():
            yield Line(f"{head} {_scalar(node)}".rstrip(), place)
        case Table(keys=keys) if keys:
            yield Line(head, place)
            yield from _table(node, indent + _INDENT)
        case Items(items=items) if items:
            yield Line(head, place)
            for item in items:
                yield from _item(item, indent + _INDENT)
        case _:
            yield Line(f"{head} {'{}' if isinstance(node, Table) else '[]'}", place)


def _item(item: Node, indent: str) -> Iterator[Line]:
    if not isinstance(item, Table) or not item.keys:
        yield from _entry(f"{indent}-", item, indent, item.place)
        return
    first, *rest = _table(item, indent + _INDENT)
    yield replace(first, text=f"{indent}- {first.text.lstrip()}")
    yield from rest


def _scalar(scalar: Scalar) -> str:
    if scalar.style in ("'", '"') and "\n" not in scalar.raw:
        return scalar.raw
    if not scalar.style:
        return scalar.text
    text = json.dumps(scalar.text, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
