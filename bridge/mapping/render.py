"""Targets as JSON values: each worked out, checked, and put in its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.frames import Located, located
from bridge.mapping.moments import Now, Today
from bridge.mapping.scope import Code, Expression, Frame
from bridge.mapping.targets import Target
from bridge.mapping.unique import Unique
from bridge.mapping.values import MAX_TEXT, Finish, Reference, kind, single, text_of

_ALLOWED_CONTROLS = frozenset("\t\n\r")


@dataclass(frozen=True, slots=True)
class CompiledTarget:
    """A target and its code; ``expression`` is None where the value is a constant or ``unique``.

    ``value`` takes a frame and gives the JSON value, a `Reference`, or None; of a unique value it
    gives the first candidate. It raises `EntryFault`, located.
    """

    target: Target
    expression: Expression | None
    value: Code
    unique: Unique | None = None
    name: str = field(init=False)
    stays: bool = field(init=False)
    """Whether what is served may be what goes on being served, whatever the value is now."""

    def __post_init__(self) -> None:
        options = self.target.options
        object.__setattr__(self, "name", self.target.path[-1])
        object.__setattr__(self, "stays", options.settles or options.keeps)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        if self.unique:
            return self.unique.expressions
        return (self.expression,) if self.expression else ()


def compiled(target: Target, expression: Expression | None) -> CompiledTarget:
    """The target with the code that works it out.

    Raises `EntryFault` where its fixed value or its default is not what the target takes.
    """
    finish = finisher(target.type, target.max_length, target.lengths)
    label, required = target.label, target.required
    default = None if target.default is None else finish(target.default)
    const = None if target.const is None else finish(target.const)
    if expression is None:
        return CompiledTarget(target, None, lambda frame: const)
    code = expression.code
    least, most = _unchanged(target)

    def value(frame: Frame) -> Any:
        try:
            value = code(frame)
            if (
                value.__class__ is str
                and least <= len(value) <= most
                and value[0] != " "  # the only blank that is printable
                and value.isprintable()
            ):
                return value
            if value is not None and value.__class__ is not Reference:
                value = finish(value)
        except EntryFault as fault:
            raise located(label, expression, fault) from None
        if value is None:
            if required and default is None:
                raise Located(f"{label} is required")
            return default
        return value

    return CompiledTarget(target, expression, value)


def _unchanged(target: Target) -> tuple[int, int]:
    """The lengths of printable text that is served as it is."""
    if target.type in _FINISHERS:
        return 1, 0
    least, most = target.lengths or (1, MAX_TEXT)
    return max(1, least), min(most, target.max_length or MAX_TEXT)


def compiled_unique(
    target: Target, expressions: tuple[Expression, ...], counter: int
) -> CompiledTarget:
    """The target of which nobody else may have the value; ``counter`` is a place in a frame."""
    finish = finisher(target.type, None, target.lengths)
    unique = Unique(target.label, expressions, counter, finish)

    def value(frame: Frame) -> Any:
        found = next(unique.candidates(frame), None)
        if found is None and target.required:
            raise Located(f"{target.label} is required")
        return found

    return CompiledTarget(target, None, value, unique)


@dataclass(frozen=True, slots=True)
class CompiledList:
    """An element of a list such as ``emails``; absent where its parts are."""

    attribute: str
    fixed: Mapping[str, Any]
    parts: tuple[CompiledTarget, ...]


def finisher(type_: str, max_length: int | None, lengths: tuple[int, int] | None) -> Finish:
    """What makes a value of an expression a JSON value of a SCIM type.

    A text longer than ``max_length`` is cut there. Raises `EntryFault` for a value of another
    type, and for a text outside ``lengths``, the shortest and longest that Okta takes.
    """
    if type_ in _FINISHERS:
        return _FINISHERS[type_]
    if max_length is None and lengths is None:
        return _text
    least, most = lengths or (0, None)

    def finish(value: Any) -> str | None:
        text = _text(value)
        if text is None:
            return None
        if max_length is not None and len(text) > max_length:
            text = cut(text, max_length)
        if len(text) < least:
            raise EntryFault(f"is shorter than {least} characters, which Okta refuses")
        if most is not None and len(text) > most:
            raise EntryFault(
                f"is longer than {most} characters, which Okta refuses (max_length would cut it)"
            )
        return text

    return finish


def refuse_misfit(type_: str, example: Any) -> None:
    """Raises `EntryFault` where what is like ``example`` is never a value of a SCIM type."""
    if not (isinstance(example, str) and type_ in ("date", "dateTime")):
        finisher(type_, None, None)(example)


def _text(value: Any) -> str | None:
    text = value if value.__class__ is str else text_of(value)
    if not text.isprintable():
        _refuse_controls(text)
    return text if text and not text.isspace() else None


def cut(text: str, length: int) -> str:
    """The first ``length`` characters, less one that its accents would be cut from."""
    while length > 0 and _continues(text, length):
        length -= 1
    return text[:length].rstrip()


def _continues(text: str, at: int) -> bool:
    joiner = "\N{ZERO WIDTH JOINER}"
    return unicodedata.category(text[at])[0] == "M" or joiner in text[at - 1 : at + 1]


def _refuse_controls(text: str) -> None:
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs" or (category == "Cc" and character not in _ALLOWED_CONTROLS):
            raise EntryFault("holds a control character")


def _boolean(value: Any) -> bool:
    value = single(value)
    if isinstance(value, bool):
        return value
    raise EntryFault(f"is {kind(value)} where true or false is expected: use bool")


def _integer(value: Any) -> int:
    value = single(value)
    if isinstance(value, int) and not isinstance(value, bool):
        _refuse_too_large(value)
        return value
    raise EntryFault(f"is {kind(value)} where a whole number is expected: use int")


def _decimal(value: Any) -> int | float:
    value = single(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        _refuse_too_large(value)
        return value
    raise EntryFault(f"is {kind(value)} where a number is expected: use num")


def _refuse_too_large(number: int | float) -> None:
    # JSON has nothing for a float that is no number, and a store's whole numbers have 64 bits.
    if not abs(number) < 2**63:
        raise EntryFault("is a number too large to serve")


def _date_time(value: Any) -> str:
    value = single(value)
    if isinstance(value, str):
        value = _parsed(_moment, value)
    if isinstance(value, datetime):
        return text_of(value)
    if isinstance(value, Now):
        raise EntryFault("is now, which changes every moment")
    raise EntryFault(f"is {kind(value)} where a moment is expected: use datetime")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)


def _date(value: Any) -> str:
    value = single(value)
    if isinstance(value, str):
        value = _parsed(date.fromisoformat, value)
    if isinstance(value, Today) or (isinstance(value, date) and not isinstance(value, datetime)):
        return text_of(value)
    raise EntryFault(f"is {kind(value)} where a date is expected: use date")


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise EntryFault("is not of the form 2026-07-04 or 2026-07-04T12:00:00Z") from None


_FINISHERS: Mapping[str, Finish] = {
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "dateTime": _date_time,
    "date": _date,
}
