"""The text of an expression as Python's syntax tree, and where each node stands in the file."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from typing import NoReturn

from bridge.mapping.faults import Faults
from bridge.mapping.yaml_text import Scalar

MAX_LENGTH = 4_000


class Refused(Exception):
    """A fault of the expression, already noted."""


class Syntax:
    """One expression's text, parsed on demand; refuses nodes at their place in the file."""

    def __init__(self, scalar: Scalar, faults: Faults) -> None:
        line = scalar.text.replace("\n", " ").replace("\r", " ")
        self.text = line.strip()
        self._indent = len(line) - len(line.lstrip())
        self._scalar = scalar
        self._faults = faults

    def parse(self) -> ast.expr:
        """The tree. Raises `Refused` where the text is not one expression."""
        if not self.text:
            self._refuse_at(0, "an expression is missing")
        if len(self.text) > MAX_LENGTH:
            self._refuse_at(0, f"an expression has at most {MAX_LENGTH:,} characters")
        try:
            body = _parse(self.text)
            if "#" in self.text:
                # A comment would hide the rest of the expression: then the bracket stays open.
                _parse(f"({self.text})")
        except SyntaxError as error:
            offset = min(max(0, (error.offset or 1) - 1), len(self.text) - 1)
            why = str(error.msg).removeprefix("f-string: ").split(". Perhaps")[0]
            self._refuse_at(offset, f"not an expression: {why}",
                            "fixed text is written {const: ...}")  # fmt: skip
        except (ValueError, RecursionError, MemoryError):
            self._refuse_at(0, "not an expression: nested too deeply, or not text")
        return body

    def refuse(self, node: ast.expr, message: str, hint: str = "") -> NoReturn:
        """Notes a fault where ``node`` begins. Raises `Refused`."""
        # ast counts bytes of UTF-8.
        before = self.text.encode("utf-8", "replace")[: node.col_offset]
        self._refuse_at(len(before.decode(errors="ignore")), message, hint)

    def refuse_unknown(self, node: ast.expr) -> NoReturn:
        """As `refuse`, for a node that the language does not have."""
        kind = ast.Slice if isinstance(getattr(node, "slice", None), ast.Slice) else type(node)
        self.refuse(node, f"{_WORDS.get(kind, 'this')} is not part of the language")

    def _refuse_at(self, offset: int, message: str, hint: str = "") -> NoReturn:
        self._faults.add(self._scalar.at(offset + self._indent), message, hint)
        raise Refused


def _parse(text: str) -> ast.expr:
    with warnings.catch_warnings():
        # '\\d' in a pattern is what the admin means; Python keeps the backslash and warns.
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


_WORDS: Mapping[type, str] = {
    ast.Attribute: "a dot",
    ast.Subscript: "an index (use item, or src['name'] for an attribute)",
    ast.Call: "calling this",
    ast.Lambda: "lambda",
    ast.Dict: "a table (use lookups)",
    ast.Set: "a set",
    ast.GeneratorExp: "a loop without square brackets",
    ast.DictComp: "a table of a loop",
    ast.SetComp: "a set of a loop",
    ast.BinOp: "this operator",
    ast.UnaryOp: "this operator",
    ast.NamedExpr: ":=",
    ast.Starred: "a star",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.Slice: "a slice (use left or mid)",
}
