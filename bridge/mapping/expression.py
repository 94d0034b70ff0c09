"""Expressions: Python's expression grammar, compiled once into closures of ours.

Safe because nothing of an admin's text is ever run by Python. The text is parsed by `ast`, and
each node that is known here becomes a closure over values of `values`; every other node is a
fault. So there is no attribute of any object to reach, no name but those the file declares, no
call but of our own functions, no ``**``, no product with text, no format specification. What
can grow is bounded: the text and depth of an expression, the size of every text, list and number.
What can take long is paid for: a record has `MAX_STEPS` for all expressions together, each turn
of a comprehension costs by what stands in it, and a function by the length of what it is given.
Patterns are RE2's, of bounded size, and cost by size and text. What is constant is worked out at
load, within the steps of one record. The worst that is known takes 50 ms and 4 MB.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping import kinds
from bridge.mapping import operators as ops
from bridge.mapping.calls import call_code
from bridge.mapping.faults import Faults, did_you_mean
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.functions.foreign import ours
from bridge.mapping.functions.registry import Function, Weighted
from bridge.mapping.kinds import Node
from bridge.mapping.loops import loop_code
from bridge.mapping.scope import CONSTANTS, NOW, RESERVED, TODAY, Code, Expression, Scope
from bridge.mapping.syntax import Refused, Syntax
from bridge.mapping.values import MAX_NUMBER, MAX_STEPS, truth
from bridge.mapping.yaml_text import Scalar

MAX_NESTING = 40
_NODES_A_STEP = 16


def compile_expression(
    scalar: Scalar, scope: Scope, faults: Faults, *, links: bool = False
) -> Expression | None:
    """The expression in ``scalar``, or None where it has a fault, which is then noted.

    With ``links``, its last step may be `ref`.
    """
    try:
        return _Compiler(scalar, scope, faults, links).expression()
    except Refused:
        return None


class _Compiler:
    def __init__(self, scalar: Scalar, scope: Scope, faults: Faults, links: bool) -> None:
        self._scalar = scalar
        self._syntax = Syntax(scalar, faults)
        self._refuse = self._syntax.refuse
        self._scope = scope
        self._links = links
        self._loops: dict[str, int] = {}
        self._attributes: dict[str, int] = {}
        self._vars: dict[str, int] = {}
        self._tables: set[str] = set()
        self._clock = self._zone = False
        self._calls = self._nodes = 0
        # What is constant is worked out at load, all of it within the steps of one record.
        self._bench: list[Any] = [None, None, MAX_STEPS]

    def expression(self) -> Expression:
        body = self._syntax.parse()
        node = self._visit(body, 1, root=True)
        return Expression(
            self._syntax.text, self._scalar.place, node.code, self._attributes,
            self._vars, frozenset(self._tables), self._clock, self._zone, ast.unparse(body),
            node.example,
        )  # fmt: skip

    # -- nodes -------------------------------------------------------------------------------

    def _visit(self, node: ast.expr, depth: int, *, root: bool = False) -> Node:
        if depth > MAX_NESTING:
            self._refuse(node, f"nested deeper than {MAX_NESTING} levels")
        self._nodes += 1
        down = depth + 1
        match node:
            case ast.Constant(value=value):
                return self._constant(node, value)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.Subscript(value=ast.Name(id="src"), slice=ast.Constant(value=str(name))):
                return self._attribute(node, name)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._pipe(left, right, depth, root)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ops.ARITHMETIC:
                a, b = self._visit(left, down), self._visit(right, down)
                code = ops.arithmetic_code(ops.ARITHMETIC[type(op)], a.code, b.code, b.const)
                return self._folded(node, code, a, b)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._visit(operand, down)
                return self._folded(node, ops.not_code(inner.code), inner, example=True)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return self._constant(node, -number)
            case ast.BoolOp(op=op, values=values):
                parts = [self._visit(value, down) for value in values]
                build = ops.both if isinstance(op, ast.And) else ops.either
                code = build([part.code for part in parts])
                return self._folded(node, code, *parts, example=kinds.common(parts))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._choice(node, test, body, orelse, down)
            case ast.Compare():
                return self._compare(node, down)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(node, name, args, depth, root)
            case ast.JoinedStr(values=values):
                parts = [self._piece(value, down) for value in values]
                code = ops.joined_code([part.code for part in parts])
                return self._folded(node, code, *parts, example="x")
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                parts = [self._visit(element, down) for element in elements]
                return self._folded(node, ops.list_code([part.code for part in parts]), *parts)
            case ast.ListComp(elt=element, generators=generators):
                return self._loop(node, element, generators, down)
        self._syntax.refuse_unknown(node)

    def _folded(self, node: ast.expr, code: Code, *parts: Node, example: Any = None) -> Node:
        """The node itself, worked out at once where all its parts are constant."""
        if not all(part.const for part in parts):
            return Node(code, example=example)
        try:
            value = code(self._bench)
        except EntryFault as fault:
            self._refuse(node, str(fault))
        return Node(lambda f: value, const=True, example=value)

    def _constant(self, node: ast.expr, value: Any) -> Node:
        if not isinstance(value, str | int | float | None):
            self._refuse(node, "a constant is text, a number, true, false or none")
        if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
            self._refuse(node, "a number has at most 18 digits")
        if value == "":
            value = None
        return Node(lambda f: value, const=True, example=value)

    def _name(self, node: ast.expr, name: str) -> Node:
        if name in self._loops:
            return Node(itemgetter(self._loops[name]))
        if name in CONSTANTS:
            return self._constant(node, CONSTANTS[name])
        if name == "tz":
            self._zone = True
            return self._constant(node, self._scope.site.zone.key)
        if name in ("now", "today"):
            self._clock = self._zone = True
            is_now = name == "now"
            return Node(itemgetter(NOW), False, kinds.NOW) if is_now else Node(itemgetter(TODAY))
        if name in self._scope.vars:
            self._vars[name] = self._scope.vars[name]
            code = ops.slot_code(self._scope.vars[name])
            return Node(code, example=self._scope.examples.get(name))
        return self._attribute(node, name)

    def _attribute(self, node: ast.expr, name: str) -> Node:
        place = self._scope.attribute(name)
        if place is None:
            known = [*(self._scope.attributes or {}).values(), *self._scope.vars, *RESERVED]
            hint = did_you_mean(name, known)
            if not hint and name in FUNCTIONS:
                hint = f"{name} is a function: {name}(...)"
            self._refuse(node, f"unknown name {name!r}", hint or "text is written in quotes")
        fold = name.casefold()
        self._attributes[(self._scope.attributes or {}).get(fold, name)] = place
        if fold in self._scope.required:
            return Node(ops.slot_code(place))
        return Node(itemgetter(place))

    def _choice(
        self, node: ast.expr, test: ast.expr, body: ast.expr, orelse: ast.expr, depth: int
    ) -> Node:
        parts = [self._visit(part, depth) for part in (test, body, orelse)]
        asked, yes, no = (part.code for part in parts)
        code: Code = lambda f: yes(f) if truth(asked(f)) else no(f)  # noqa: E731
        return self._folded(node, code, *parts, example=kinds.common(parts[1:]))

    def _piece(self, node: ast.expr, depth: int) -> Node:
        if not isinstance(node, ast.FormattedValue):
            return self._visit(node, depth)
        if node.conversion != -1 or node.format_spec is not None:
            self._refuse(node.value, "a format after ! or : is not part of the language",
                         "use a function, such as format_date")  # fmt: skip
        return self._visit(node.value, depth)

    def _compare(self, node: ast.Compare, depth: int) -> Node:
        sides = [self._visit(side, depth) for side in (node.left, *node.comparators)]
        self._zone = True
        links = [
            self._link(node, op, left, right, element)
            for op, left, right, element in zip(
                node.ops, sides, sides[1:], node.comparators, strict=False
            )
        ]
        code = links[0] if len(links) == 1 else ops.chain_code(links)
        return self._folded(node, code, *sides, example=True)

    def _link(
        self, node: ast.expr, op: ast.cmpop, left: Node, right: Node, element: ast.expr
    ) -> Code:
        zone, fixed = self._scope.site.zone, right.value if right.const else None
        if isinstance(op, ast.Is | ast.IsNot):
            if not right.const or fixed is not None:
                self._refuse(element, "after `is` comes none or not none", "values: use ==")
            absent, code = isinstance(op, ast.Is), left.code
            return lambda f: (code(f) is None) is absent
        if any(side.const and side.value is None for side in (left, right)):
            self._refuse(node, "nothing is ever equal to nothing", "write `is none`, or use empty")
        if isinstance(op, ast.In | ast.NotIn):
            if isinstance(fixed, str):
                self._refuse(element, "after `in` comes a list", "parts of a text: use contains")
            return ops.in_code(left.code, right.code, isinstance(op, ast.In), fixed, zone)
        return ops.compare_code(ops.COMPARISONS[type(op)], left.code, right.code, fixed, zone)

    # -- calls -------------------------------------------------------------------------------

    def _pipe(self, left: ast.expr, right: ast.expr, depth: int, root: bool) -> Node:
        match right:
            case ast.Name(id=name):
                return self._call(right, name, [], depth, root, piped=left)
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(right, name, args, depth, root, piped=left)
        self._refuse(right, "after | comes a function", "brackets around what belongs together")

    def _call(
        self, node: ast.expr, name: str, args: list[ast.expr], depth: int, root: bool,
        piped: ast.expr | None = None,
    ) -> Node:  # fmt: skip
        function = self._function(node, name, root)
        if isinstance(node, ast.Call) and node.keywords:
            self._refuse(node.keywords[0].value, "arguments have no names here")
        if piped is not None:
            args = [*args, piped] if function.piped_last else [piped, *args]
        if not function.least <= len(args) <= function.most:
            self._refuse(node, f"{name} takes {function.takes}, not {len(args)}")
        fixed = {
            index: self._fixed(args[index], function) for index in function.fixed
            if index < len(args)
        }  # fmt: skip
        try:
            call = function.make(self._scope.site, *fixed.values())
        except ValueError as error:
            self._refuse(args[min(fixed, default=0)], str(error))
        call, toll = (call.call, call.toll) if isinstance(call, Weighted) else (call, function.toll)
        if name == "lookup":
            self._tables.add(fixed[1])
        self._zone |= (dated := function.make.__module__.endswith("dates"))
        rest = [i for i in range(len(args)) if i not in fixed]
        parts = [self._visit(args[i], depth + 1) for i in rest]
        if dated and len(args) == function.most > 1 and parts[-1].const:
            self._syntax.check_zone(args[-1], parts[-1].value)
        needed = [at for at, i in enumerate(rest) if i not in function.sees]
        codes, const = [part.code for part in parts], [part.const for part in parts]
        nothing = next((at for at in needed if parts[at].const and parts[at].value is None), None)
        if nothing is not None:
            self._refuse(args[rest[nothing]], f"{name} is given nothing here")
        self._calls += 1
        code = call_code(call, codes, const, needed, toll)
        return self._folded(node, code, *parts, example=kinds.result(function))

    def _function(self, node: ast.expr, name: str, root: bool) -> Function:
        if name not in FUNCTIONS:
            self._refuse(node, f"unknown function {name!r}", ours(name, FUNCTIONS))
        if name == "ref" and not (root and self._links):
            self._refuse(node, "ref is the last step of an attribute's value, and only there")
        return FUNCTIONS[name]

    def _fixed(self, node: ast.expr, function: Function) -> str:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            self._refuse(node, f"{function.name} needs fixed text here, in quotes")
        return node.value

    # -- comprehensions ----------------------------------------------------------------------

    def _loop(
        self, node: ast.expr, element: ast.expr, generators: Iterable[ast.comprehension], depth: int
    ) -> Node:
        outer, levels = dict(self._loops), []
        calls, nodes = self._calls, self._nodes
        for generator in generators:
            source = self._visit(generator.iter, depth).code
            if not isinstance(generator.target, ast.Name) or generator.is_async:
                self._refuse(generator.target, "after `for` comes one plain name")
            name = generator.target.id
            if name in RESERVED:
                self._refuse(generator.target, f"{name!r} has a meaning of its own")
            self._loops[name] = self._scope.place()
            tests = [self._visit(test, depth).code for test in generator.ifs]
            levels.append((source, self._loops[name], tests))
        body = self._visit(element, depth).code
        price = 1 + self._calls - calls + (self._nodes - nodes) // _NODES_A_STEP
        code = loop_code(body, levels, price)
        self._loops = outer
        return Node(code)
