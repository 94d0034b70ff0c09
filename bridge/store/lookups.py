"""What lists are looked up by: where an index finds an attribute that equals a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.filter import All, Attribute, Compare, Element, Filter, Op
from bridge.model import ENTERPRISE_URN, Kind

Place = tuple[tuple[str, ...], str]
"""The head and the sub-attribute of an attribute."""


@dataclass(frozen=True, slots=True)
class Column:
    """An indexed column that holds an attribute's value, as `fold` makes it where ``folded``."""

    name: str
    folded: bool = False
    by_code_point: bool = True


COLUMNS: Mapping[tuple[Kind, Place], Column] = {
    (Kind.USER, (("id",), "")): Column("id", by_code_point=False),
    (Kind.USER, (("userName",), "")): Column("name_fold", folded=True),
    (Kind.USER, (("externalId",), "")): Column("external_id"),
    (Kind.GROUP, (("id",), "")): Column("id", by_code_point=False),
    (Kind.GROUP, (("displayName",), "")): Column("name_fold", folded=True),
}
# The positions of the rows in which an attribute, or one value of a list, equals another.
LOOKUPS: Mapping[tuple[Kind, Place], str] = {
    (Kind.USER, (("emails",), "value")): (
        "SELECT position FROM users WHERE email_fold = ?"
        " UNION ALL SELECT user_position FROM lookup WHERE name = 'email' AND value = ?"
    ),
    (Kind.USER, ((ENTERPRISE_URN, "employeeNumber"), "")): (
        "SELECT user_position FROM lookup WHERE name = 'employeeNumber' AND value = ?"
    ),
    (Kind.GROUP, (("members",), "value")): (
        "SELECT m.group_position FROM users AS u"
        " JOIN membership AS m ON m.user_position = u.position WHERE u.id = ?"
    ),
}


def place_of(attribute: Attribute) -> Place:
    """Where the value of an attribute stands."""
    return attribute.head, attribute.sub


def is_lookup(kind: Kind, filter: Filter) -> bool:
    """Whether an index finds what a filter means, so that it costs next to nothing."""
    match filter:
        case Compare(attribute, Op.EQ, _):
            place = (kind, place_of(attribute))
            return place in COLUMNS or place in LOOKUPS
        case Element(attribute, term):
            return any(True for _ in implied(kind, attribute, term))
        case All(terms):
            return any(is_lookup(kind, term) for term in terms)
    return False


def is_narrow(kind: Kind, filter: Filter) -> bool:
    """Whether an index finds what a filter means, a range of values included."""
    match filter:
        case Compare(attribute, op, _) if op is not Op.NE:
            ranged = place_of(attribute) == (("meta",), "lastModified")
            return ranged or (kind, place_of(attribute)) in COLUMNS or is_lookup(kind, filter)
    return is_lookup(kind, filter)


def implied(kind: Kind, many: Attribute, term: Filter) -> Iterator[Compare]:
    """What an index can find of that which a value of a list is to meet."""
    match term:
        case All(terms):
            for each in terms:
                yield from implied(kind, many, each)
        case Compare(attribute, Op.EQ, value) if (kind, (many.head, attribute.sub)) in LOOKUPS:
            whole = Attribute(many.head, attribute.sub, True, attribute.type, attribute.exact)
            yield Compare(whole, Op.EQ, value)
