"""Reading a tree node by node, each of which is what it should be or a fault."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from bridge.mapping.faults import Faults, did_you_mean
from bridge.mapping.yaml_text import Items, Node, Scalar, Table

T = TypeVar("T")


class Reader:
    """Turns nodes into values; a node that is something else is noted and answers nothing."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def table(self, node: Node | None, what: str, hint: str = "") -> Table | None:
        if node is None or isinstance(node, Table):
            return node
        self.faults.add(node.place, f"{what} is a table of keys and values", hint)
        return None

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        if node is None:
            return ()
        if isinstance(node, Items):
            return node.items
        self.faults.add(node.place, f"{what} is a list", "each element begins with `- `")
        return ()

    def scalar(self, node: Node | None, what: str) -> Scalar | None:
        """A value that is not empty."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.faults.add(node.place, f"{what} is one value, not a list or table")
        elif not node.text.strip():
            self.faults.add(node.place, f"{what} is empty")
        else:
            return node
        return None

    def text(self, node: Node | None, what: str) -> str:
        scalar = self.scalar(node, what)
        return scalar.text if scalar else ""

    def boolean(self, node: Node | None, what: str) -> bool | None:
        if node is None:
            return None
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        self.faults.add(node.place, f"{what} is true or false")
        return None

    def parsed(
        self, node: Node | None, what: str, parse: Callable[[str], T], hint: str = ""
    ) -> T | None:
        """What ``parse`` makes of the text; its ``ValueError`` is the fault."""
        scalar = self.scalar(node, what)
        if scalar is None:
            return None
        try:
            return parse(scalar.text)
        except ValueError as error:
            self.faults.add(scalar.place, f"{what}: {error}", hint)
            return None

    def keys(self, table: Table, known: Collection[str], where: str) -> None:
        """Every key is known, or a fault."""
        for name, key in table.keys.items():
            if name not in known:
                self.faults.add(
                    key.place, f"unknown key {name!r} {where}", did_you_mean(name, known)
                )

    def need(self, table: Table, names: Collection[str], where: str, hint: str = "") -> None:
        """Every one of the keys is there, or a fault at the table."""
        for name in names:
            if name not in table.keys:
                self.faults.add(table.place, f"{name} is missing {where}", hint)
