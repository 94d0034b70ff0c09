"""A ``filter`` as the text of a request, read into a `Filter`.

The grammar is RFC 7644 section 3.4.2.2, read by scim2-models. An attribute that does not exist
and a value of another type are refused: what is not understood must never answer with everybody.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import Comparison, FilterVisitor, LogicalExpr, LogicalOperator, ValuePath
from scim2_models.path import Not as NotNode
from scim2_models.path import Present as PresentNode

from bridge.filter import (
    All,
    Attribute,
    Compare,
    Element,
    Filter,
    Not,
    Op,
    Present,
    Some,
    Type,
    Value,
)
from bridge.model import Kind
from bridge.scim.errors import ScimError
from bridge.scim.schemas import Custom
from bridge.scim.vocabulary import Vocabulary, vocabulary

MAX_LENGTH = 4096
MAX_TERMS = 50
"""The most comparisons in one filter."""

_TOO_LARGE = 1e300
_EQUALITY = frozenset((Op.EQ, Op.NE))
_ORDER = _EQUALITY | {Op.GT, Op.GE, Op.LT, Op.LE}
_OPS: dict[Type, frozenset[Op]] = {
    "boolean": _EQUALITY,
    "binary": _EQUALITY,
    "decimal": _ORDER,
    "integer": _ORDER,
    "dateTime": _ORDER,
}
"""What a type can be compared by, where that is not everything."""
# RFC 7643 section 2.3.5; a zone is not insisted on, and its "+" may arrive as a blank.
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(?:([Zz])|([+ -]\d\d:\d\d))?", re.ASCII
)


def parse(kind: Kind, text: str, custom: Custom, anywhere: bool = False) -> Filter:
    """The filter that ``text`` writes, for resources of that kind.

    ``custom`` are the attributes of the extension schemas of the store by URN; with ``anywhere``
    attributes of the other kind may be named, which nobody has here. Raises `ScimError`
    400 ``invalidFilter``, which names the attribute but no value.
    """
    if len(text) > MAX_LENGTH:
        raise _refused(f"The filter is longer than {MAX_LENGTH} characters.")
    try:
        node = ScimFilter(text).ast
    except InvalidFilterException:
        raise _refused("The filter is not one that RFC 7644 section 3.4.2.2 describes.") from None
    reading = _Reading(vocabulary(kind, custom, anywhere))
    read = reading.visit(node)
    if reading.terms > MAX_TERMS:
        raise _refused(f"The filter has more than {MAX_TERMS} comparisons.")
    return read


class _Reading(FilterVisitor[Filter]):
    """Turns nodes of scim2-models into ours, within the brackets of ``outer`` if any."""

    def __init__(self, known: Vocabulary, outer: Attribute | None = None) -> None:
        self._known = known
        self._outer = outer
        self.terms = 0

    def visit_comparison(self, node: Comparison) -> Filter:
        self.terms += 1
        attribute, op = self._found(node), Op(node.op.value)
        if node.value is None and op in _EQUALITY:
            # Null and unassigned are the same (RFC 7643 section 2.5).
            present = Present(attribute)
            return Not(present) if op is Op.EQ else present
        if attribute.type == "complex":
            # "emails co" means the values, as RFC 7644 section 3.4.2.2 itself writes.
            attribute = self._value_of(node)
        if op not in _OPS.get(attribute.type, Op):
            raise _refused(f"{node.attr_path} cannot be compared by {op}.")
        return Compare(attribute, op, _value(node, attribute))

    def visit_present(self, node: PresentNode) -> Filter:
        self.terms += 1
        return Present(self._found(node))

    def visit_not(self, node: NotNode) -> Filter:
        return Not(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> Filter:
        terms = tuple(self.visit(term) for term in node.terms)
        return All(terms) if node.op is LogicalOperator.and_ else Some(terms)

    def visit_value_path(self, node: ValuePath) -> Filter:
        attribute = self._known.find(node.attr_path)
        if not attribute.many:
            raise _refused(f"{node.attr_path} has one value: there is nothing to choose from.")
        inner = _Reading(self._known, attribute)
        term = inner.visit(node.val_filter)
        self.terms += inner.terms
        return Element(attribute, term)

    def _found(self, node: Comparison | PresentNode) -> Attribute:
        if self._outer is not None:
            return self._known.within(self._outer, node.attr_path)
        return self._known.find(node.attr_path)

    def _value_of(self, node: Comparison) -> Attribute:
        path = node.attr_path
        if path.sub_attr is None and self._outer is None:
            try:
                return self._known.find(type(path)(path.attr, "value", path.uri))
            except ScimError:
                pass
        raise _refused(f"{path} has parts: compare one of them.")


def _value(node: Comparison, attribute: Attribute) -> Value:
    """The value compared with, where it is one of the attribute's type."""
    value: Any = node.value
    match attribute.type:
        case "boolean":
            fits = isinstance(value, bool)
        case "decimal" | "integer":
            number = isinstance(value, int | float) and not isinstance(value, bool)
            fits = number and abs(value) < _TOO_LARGE
        case _:
            fits = isinstance(value, str)
    if not fits:
        raise _refused(f"{node.attr_path} is compared with a {attribute.type}.")
    return _moment(node) if attribute.type == "dateTime" else value


def _moment(node: Comparison) -> datetime:
    found = _DATE_TIME.fullmatch(node.value)
    try:
        if found:
            day, time, fraction, _, offset = found.groups(default="")
            zone = offset.replace(" ", "+") or "+00:00"
            return datetime.fromisoformat(f"{day}T{time}{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _refused(f"{node.attr_path} is compared with a moment such as 2026-07-04T12:00:00Z.")


def _refused(detail: str) -> ScimError:
    return ScimError(400, detail, "invalidFilter")
