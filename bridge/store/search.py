"""A filter as the condition of a WHERE, its values bound.

What is looked up often has a column or rows of its own with an index; everything else is read
from the documents. A condition is true, false or NULL, and NULL means false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

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
from bridge.store.conditions import FALSE, TRUE, joined, negated, operated
from bridge.store.json_sql import Json, Sql
from bridge.store.lookups import COLUMNS, LOOKUPS, Column, implied, is_narrow, place_of
from bridge.store.modified import modified
from bridge.store.tables import fold

_TABLES = {Kind.USER: "users", Kind.GROUP: "groups"}
_ACTIVE = (Kind.USER, (("active",), ""))
_MEMBERS = (Kind.GROUP, ("members",))
_MEMBER_ROWS = Sql(
    "FROM membership AS m JOIN users AS u ON u.position = m.user_position"
    " WHERE m.group_position = groups.position"
)
_MEMBER_PARTS = {"value": Sql("u.id"), "type": Sql("CAST('User' AS TEXT)")}


class Search:
    """Makes conditions on the rows of one kind."""

    def __init__(self, kind: Kind, json: Json) -> None:
        self._kind = kind
        self._json = json
        self._table = _TABLES[kind]
        self._document = json.document(self._table)

    def condition(self, filter: Filter, within: Attribute | None = None) -> Sql:
        """What a row must meet, or one element of the list ``within`` it."""
        match filter:
            case All(terms):
                return joined(" AND ", self._every(terms, within))
            case Some(terms):
                return joined(" OR ", (self.condition(term, within) for term in terms))
            case Not(term):
                return negated(self.condition(term, within))
            case Element(attribute, term):
                met = self._any(attribute, self.condition(term, attribute))
                indexed = (self.condition(each) for each in implied(self._kind, attribute, term))
                return joined(" AND ", (*indexed, met))
            case Present(attribute):
                return self._present(attribute, within)
            case Compare(attribute, op, value) if within:
                found = self._part(within, attribute.sub, attribute.type)
                return self._compared(found, attribute, op, value)
            case Compare():
                return self._compare(filter)

    def _every(self, terms: Sequence[Filter], within: Attribute | None) -> Iterator[Sql]:
        narrow = any(is_narrow(self._kind, term) for term in terms)
        for term in terms:
            condition = self.condition(term, within)
            if narrow and isinstance(term, Compare) and self._is_active(term.attribute):
                # Turned round twice, so that its index is left alone: SQLite keeps no statistics
                # and would search for what nearly everybody is.
                condition = negated(negated(condition))
            yield condition

    def _is_active(self, attribute: Attribute) -> bool:
        return (self._kind, place_of(attribute)) == _ACTIVE

    # -- where values are ----------------------------------------------------------------------

    def _present(self, attribute: Attribute, within: Attribute | None) -> Sql:
        if within:
            return self._is_part(within, attribute.sub)
        if attribute.head == ("meta",):
            return TRUE
        if column := COLUMNS.get((self._kind, place_of(attribute))):
            return Sql(f"{self._table}.{column.name} IS NOT NULL")
        if attribute.many and attribute.sub:
            return self._any(attribute, self._is_part(attribute, attribute.sub))
        if (self._kind, attribute.head) == _MEMBERS:
            return self._any(attribute, TRUE)
        return self._json.exists(self._document, _path(attribute))

    def _compare(self, filter: Compare) -> Sql:
        attribute, op, value = filter.attribute, filter.op, filter.value
        place = (self._kind, place_of(attribute))
        if attribute.head == ("meta",):
            return self._meta(attribute, op, value)
        if column := COLUMNS.get(place):
            return self._in_column(column, op, str(value))
        if op is Op.EQ and place in LOOKUPS:
            return self._looked_up(LOOKUPS[place], attribute, str(value))
        if self._is_active(attribute):
            return self._compared(Sql("users.active"), attribute, op, value)
        if attribute.many:
            found = self._part(attribute, attribute.sub, attribute.type)
            met = self._any(attribute, self._compared(found, attribute, op, value))
            nothing = (negated(self._any(attribute, TRUE)),) if op is Op.NE else ()
            return joined(" OR ", (met, *nothing))
        found = self._value(self._document, _path(attribute), attribute.type)
        return self._compared(found, attribute, op, value)

    def _looked_up(self, lookup: str, attribute: Attribute, value: str) -> Sql:
        if not _storable(value):
            return FALSE
        wanted = value if attribute.exact else fold(value)
        return Sql(f"{self._table}.position IN ({lookup})", (wanted,) * lookup.count("?"))

    def _any(self, many: Attribute, condition: Sql) -> Sql:
        """Whether a value of a list meets a condition."""
        if (self._kind, many.head) == _MEMBERS:
            rows = _MEMBER_ROWS
        else:
            elements = self._json.elements(self._document, many.head)
            rows = Sql(f"FROM {elements.text} WHERE TRUE", elements.values)
        text = f"EXISTS (SELECT 1 {rows.text} AND {condition.text})"
        return Sql(text, rows.values + condition.values)

    def _part(self, many: Attribute, sub: str, type: Type) -> Sql:
        """A sub-attribute of the value of a list that is looked at."""
        if (self._kind, many.head) == _MEMBERS:
            return _MEMBER_PARTS[sub]
        return self._value("e.value", [sub] if sub else [], type)

    def _is_part(self, many: Attribute, sub: str) -> Sql:
        if (self._kind, many.head) == _MEMBERS:
            return TRUE
        return self._json.exists("e.value", [sub] if sub else [])

    def _value(self, json: str, path: list[str], type: Type) -> Sql:
        match type:
            case "boolean":
                return self._json.boolean(json, path)
            case "integer" | "decimal":
                return self._json.number(json, path)
        return self._json.text(json, path)

    # -- what is compared ----------------------------------------------------------------------

    def _compared(self, found: Sql, attribute: Attribute, op: Op, value: Value) -> Sql:
        if isinstance(value, datetime):
            return self._moments(found, op, value)
        if not isinstance(value, str):
            return operated(found, op, Sql("?", (self._json.bindable(value),)))
        wanted = Sql("?", (value,))
        if not _storable(value):
            return TRUE if op is Op.NE else FALSE
        if not attribute.exact:
            found, wanted = (
                Sql(self._json.folded(each.text), each.values) for each in (found, wanted)
            )
        return self._texts(found, op, wanted, empty=not value)

    def _texts(
        self, found: Sql, op: Op, wanted: Sql, *, empty: bool, by_code_point: bool = False
    ) -> Sql:
        match op:
            case Op.CO | Op.SW | Op.EW if empty:
                return Sql(f"{found.text} IS NOT NULL", found.values)
            case Op.CO:
                return self._json.holds(found, wanted)
            case Op.SW:
                return self._json.starts(found, wanted)
            case Op.EW:
                return self._json.ends(found, wanted)
            case Op.GT | Op.GE | Op.LT | Op.LE if not by_code_point:
                found = Sql(self._json.ordered(found.text), found.values)
        return operated(found, op, wanted)

    def _in_column(self, column: Column, op: Op, value: str) -> Sql:
        if not _storable(value):
            return TRUE if op is Op.NE else FALSE
        found = Sql(f"{self._table}.{column.name}")
        wanted = fold(value) if column.folded else value
        if op is Op.SW and wanted and column.by_code_point:
            # A range, which an index finds.
            least = operated(found, Op.GE, Sql("?", (wanted,)))
            below = (operated(found, Op.LT, Sql("?", (end,))) for end in _after(wanted))
            return joined(" AND ", (least, *below))
        return self._texts(
            found, op, Sql("?", (wanted,)), empty=not wanted, by_code_point=column.by_code_point
        )

    def _moments(self, found: Sql, op: Op, value: datetime) -> Sql:
        """Compare moments, which documents hold in UTC to the second, all of one form."""
        second = value.replace(microsecond=0)
        if value != second:
            match op:
                case Op.EQ:
                    return FALSE
                case Op.NE:
                    return TRUE
                case Op.GE:
                    op = Op.GT
                case Op.LT:
                    op = Op.LE
        text = second.isoformat().replace("+00:00", "Z")
        return self._texts(found, op, Sql("?", (text,)), empty=False)

    # -- meta ----------------------------------------------------------------------------------

    def _meta(self, attribute: Attribute, op: Op, value: Value) -> Sql:
        match attribute.sub:
            case "resourceType":
                found = Sql(f"CAST('{self._kind}' AS TEXT)")
            case "version":
                found = Sql(f"""('W/"' || {self._table}.publication || '"')""")
            case _:
                assert isinstance(value, datetime)
                return modified(self._table, op, value)
        return self._compared(found, attribute, op, value)


def _path(attribute: Attribute) -> list[str]:
    return [*attribute.head, attribute.sub] if attribute.sub else [*attribute.head]


def _after(start: str) -> list[str]:
    """The first text by code point that is after all that starts so; empty where there is none."""
    kept = start.rstrip("\U0010ffff")
    if not kept:
        return []
    following = ord(kept[-1]) + 1
    return [kept[:-1] + chr(0xE000 if following == 0xD800 else following)]


def _storable(value: str) -> bool:
    """Whether any stored text can hold it: lone surrogates and NUL are in none."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
