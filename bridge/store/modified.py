"""When a row was last modified, as a condition: told by the number of its publication."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.filter import Op
from bridge.store.conditions import FALSE, TRUE, joined, negated
from bridge.store.json_sql import Sql
from bridge.store.tables import Instant

OVERLAP = timedelta(minutes=2)
"""What was modified so long before a moment counts as modified after it.

A publication is stamped before it can be seen. Whoever asked in between must not miss it when
asking for what was modified since then.
"""

_MILLISECOND = 1000
"""In microseconds, as instants are stored; what is served shows no less."""
_NEVER = 2**31 - 1
"""The number of a publication that there will never be."""


def modified(table: str, op: Op, value: datetime) -> Sql:
    """Compare when a row was last modified, by the number of the publication.

    What is served is cut to milliseconds, so that is what is compared.
    """
    moment = (value - Instant.of(0)) // timedelta(microseconds=1)
    this = moment // _MILLISECOND * _MILLISECOND
    after = this + _MILLISECOND
    at_least = this if moment == this else after
    overlap = OVERLAP // timedelta(microseconds=1)
    match op:
        case Op.GT:
            return _since(table, ">=", after - overlap)
        case Op.GE:
            return _since(table, ">=", at_least - overlap)
        case Op.LT:
            return _since(table, "<", at_least)
        case Op.LE:
            return _since(table, "<", after)
    if moment != this:
        return FALSE if op is Op.EQ else TRUE
    equal = joined(" AND ", (_since(table, ">=", this), _since(table, "<", after)))
    return equal if op is Op.EQ else negated(equal)


def _since(table: str, symbol: str, moment: int) -> Sql:
    """Compare a row's publication with the first one at a moment or after it."""
    first = "SELECT number FROM publication WHERE at >= ? ORDER BY at, number LIMIT 1"
    text = f"{table}.publication {symbol} coalesce(({first}), {_NEVER})"
    return Sql(text, (moment,))
