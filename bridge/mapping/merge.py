"""A file on top of the preset that it extends, as one tree.

Tables merge key by key, at any depth. Everything else that stands in the file, a value with its
options included, takes the preset's place as a whole: but in a list, the plain word ``preset``
stands for the preset's own elements. A plain ``null`` takes away what the preset gives.
"""

from __future__ import annotations

from bridge.mapping.faults import Faults, did_you_mean
from bridge.mapping.yaml_text import Items, Node, Scalar, Table

_VALUE = frozenset(("expr", "const", "unique"))
"""The keys by which a table is a value with its options."""


def merged(file: Table, preset: Table, faults: Faults) -> Table:
    """The tree of both; what the file takes away though the preset has no such thing is a fault."""
    keys: dict[str, Scalar] = {}
    values: dict[str, Node] = {}
    for name in _order(file, preset):
        if name not in file.keys:
            keys[name], values[name] = preset.keys[name], preset.values[name]
        elif not _is_plain(file.values[name], "null"):
            keys[name] = file.keys[name]
            values[name] = _on_top(file.values[name], preset.values.get(name), faults)
        elif name not in preset.keys:
            hint = did_you_mean(name, preset.keys) or "take this line out"
            faults.add(file.keys[name].place, f"the preset gives no {name!r} to take away", hint)
    return Table(keys, values, file.place)


def _order(file: Table, preset: Table) -> list[str]:
    """The preset's order; a key of the file's own stands before the one that follows it there.

    So a var that the file adds may be used by a preset's var that it replaces below.
    """
    order = list(preset.keys)
    at = len(order)
    for name in reversed(list(file.keys)):
        if name in preset.keys:
            at = order.index(name)
        else:
            order.insert(at, name)
    return order


def _on_top(node: Node, below: Node | None, faults: Faults) -> Node:
    if isinstance(node, Table) and isinstance(below, Table) and _VALUE.isdisjoint(node.keys):
        return merged(node, below, faults)
    if not isinstance(node, Items):
        return node
    items: list[Node] = []
    for item in node.items:
        if not _is_plain(item, "preset"):
            items.append(item)
        elif isinstance(below, Items):
            items.extend(below.items)
        else:
            faults.add(item.place, "the preset gives no list here", "in quotes it is a word")
    return Items(tuple(items), node.place)


def _is_plain(node: Node, word: str) -> bool:
    return isinstance(node, Scalar) and not node.style and node.text == word
