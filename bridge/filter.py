"""A filter whose attributes are known: what a list is searched by (RFC 7644 section 3.4.2.2).

A comparison with what is missing is false, except ``ne``, which is true; `Not` turns either
round. An attribute with several values meets a comparison where any of them does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

Type = Literal[
    "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"
]
"""The types of attributes (RFC 7643 section 2.3)."""

Value = str | bool | int | float | datetime


class Op(StrEnum):
    """The operators that compare."""

    EQ = "eq"
    NE = "ne"
    CO = "co"
    SW = "sw"
    EW = "ew"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A value in a resource: under ``head``, and there under ``sub`` unless that is empty.

    ``head`` is a name, after its extension's URN where it has one; it is empty within an
    `Element`. ``many`` says that a list of values stands there. Text is compared as it stands
    where ``exact``, and without regard to case otherwise.
    """

    head: tuple[str, ...]
    sub: str = ""
    many: bool = False
    type: Type = "string"
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """The attribute compared with a value of its own type, a dateTime with an aware moment."""

    attribute: Attribute
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class Present:
    """The attribute has a value."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the terms."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the terms."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not the term."""

    term: Filter


@dataclass(frozen=True, slots=True)
class Element:
    """One and the same value of a list meets the term: ``emails[type eq "work" and ...]``."""

    attribute: Attribute
    term: Filter


Filter = Compare | Present | All | Some | Not | Element
