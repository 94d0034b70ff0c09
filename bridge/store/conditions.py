"""Conditions of a WHERE, put together: each true, false or NULL, and NULL means false."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.filter import Op
from bridge.store.json_sql import Sql

FALSE = Sql("FALSE")
TRUE = Sql("TRUE")
_SYMBOLS = {Op.EQ: "=", Op.NE: "<>", Op.GT: ">", Op.GE: ">=", Op.LT: "<", Op.LE: "<="}


def operated(found: Sql, op: Op, wanted: Sql) -> Sql:
    """Two values compared; what is not there is unequal to anything."""
    text = f"{found.text} {_SYMBOLS[op]} {wanted.text}"
    return Sql(f"coalesce({text}, TRUE)" if op is Op.NE else text, found.values + wanted.values)


def negated(condition: Sql) -> Sql:
    """True where a condition is false or NULL."""
    return Sql(f"NOT coalesce({condition.text}, FALSE)", condition.values)


def joined(word: str, conditions: Iterable[Sql]) -> Sql:
    """Conditions with a word between, which is ``" AND "`` or ``" OR "``."""
    every = tuple(conditions)
    text = word.join(condition.text for condition in every)
    values = tuple(value for condition in every for value in condition.values)
    return every[0] if len(every) == 1 else Sql(f"({text})", values)
