"""The text of an expression as Python's syntax tree, and where each node stands in the file."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

from bridge.errors import EntryFault
from bridge.mapping.faults import Faults, did_you_mean
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.functions.foreign import ours
from bridge.mapping.moments import known_zones, zone_named
from bridge.mapping.values import text_of
from bridge.mapping.yaml_text import Scalar

MAX_LENGTH = 4_000
_LOUD = re.compile(r"\b(?!and|or|not)(?i:and|or|not)\b")


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
            why = (
                str(error.msg)
                .removeprefix("f-string: ")
                .split(". Perhaps")[0]
                .split(" (detected")[0]
            )
            self._refuse_at(offset, f"not an expression: {why}", self._remedy(offset, why))
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
        kind, hint = type(node), ""
        match node:
            case ast.Subscript(slice=ast.Slice()):
                kind = ast.Slice
            case ast.Call(func=ast.Attribute() as called):
                hint = ours(ast.unparse(called), FUNCTIONS) or "functions have plain names"
            case ast.Attribute(attr=name):
                hint = f"a name stands alone: {name}"
            case ast.Set():
                hint = "a value is an expression without braces around it"
        self.refuse(node, f"{_WORDS.get(kind, 'this')} is not part of the language", hint)

    def check_zone(self, node: ast.expr, name: Any) -> None:
        """Refuses the fixed name of a time zone that there is not; none is the file's own."""
        if name is None:
            return
        try:
            zone_named(text_of(name))
        except EntryFault as fault:
            self.refuse(node, str(fault), did_you_mean(str(name), known_zones()))

    def _remedy(self, offset: int, why: str) -> str:
        """What to write instead of what Python could not read."""
        around, rest = self.text[max(0, offset - 1) : offset + 2], self.text[offset:]
        if why.startswith("unterminated") and " #" in self._faults.line(self._scalar.place):
            return "in YAML ` #` begins a comment: write the value on the next line, below `>-`"
        if rest.startswith("="):
            return "equal is `==`"
        words = self.text[:offset].rsplit(maxsplit=1)[-1:] + rest.split(maxsplit=1)[:1]
        if around[:2] in ("&&", "||") or rest.startswith("!") or any(map(_LOUD.match, words)):
            return "write `and`, `or`, `not`"
        if "<>" in around:
            return "different is `!=`"
        if rest.startswith("?"):
            return "write `x if condition else y`"
        return "fixed text is written {const: ...}"

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
