"""The JSON of documents in SQL: what SQLite and PostgreSQL each call it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import orjson


class Sql(NamedTuple):
    """A piece of SQL with ``?`` for each of its values, in their order."""

    text: str
    values: tuple[Any, ...] = ()


class Json(Protocol):
    """The functions of one database; each path is a list of names from the JSON given."""

    def document(self, table: str) -> str:
        """A row's document as JSON."""
        ...

    def text(self, json: str, path: Sequence[str]) -> Sql:
        """The text at a path, NULL where there is none."""
        ...

    def number(self, json: str, path: Sequence[str]) -> Sql:
        """The number at a path, NULL where there is none."""
        ...

    def boolean(self, json: str, path: Sequence[str]) -> Sql:
        """The boolean at a path, NULL where there is none."""
        ...

    def bindable(self, value: bool | int | float) -> bool | int | float:
        """A value in the form in which it can be bound, and compared with what is found."""
        ...

    def exists(self, json: str, path: Sequence[str]) -> Sql:
        """Whether anything stands at a path."""
        ...

    def elements(self, json: str, path: Sequence[str]) -> Sql:
        """The list at a path as a table ``e``, its elements in the column ``value``."""
        ...

    def folded(self, text: str) -> str:
        """A text in the form in which `tables.fold` compares it."""
        ...

    def ordered(self, text: str) -> str:
        """A text that is to be compared by code point."""
        ...

    def starts(self, text: Sql, start: Sql) -> Sql:
        """Whether a text starts with another one."""
        ...

    def ends(self, text: Sql, end: Sql) -> Sql:
        """Whether a text ends with another one, which is not empty."""
        ...

    def holds(self, text: Sql, part: Sql) -> Sql:
        """Whether a text holds another one."""
        ...


class SqliteJson:
    """SQLite's functions, with ``fold`` as `Readers` gives it to its connections."""

    def document(self, table: str) -> str:
        return f"CAST({table}.document AS TEXT)"

    def text(self, json: str, path: Sequence[str]) -> Sql:
        if not path:
            return Sql(json)
        return Sql(f"json_extract({json}, ?)", (_path(path),))

    number = text
    boolean = text

    def bindable(self, value: bool | int | float) -> bool | int | float:
        return value if abs(value) < 2**63 else float(value)

    def exists(self, json: str, path: Sequence[str]) -> Sql:
        if not path:
            return Sql(f"{json} IS NOT NULL")
        return Sql(f"json_type({json}, ?) IS NOT NULL", (_path(path),))

    def elements(self, json: str, path: Sequence[str]) -> Sql:
        return Sql(f"json_each({json}, ?) AS e", (_path(path),))

    def folded(self, text: str) -> str:
        return f"fold({text})"

    def ordered(self, text: str) -> str:
        return text

    def starts(self, text: Sql, start: Sql) -> Sql:
        a, b = text.text, start.text
        values = text.values + start.values + start.values
        return Sql(f"substr({a}, 1, length({b})) = {b}", values)

    def ends(self, text: Sql, end: Sql) -> Sql:
        a, b = text.text, end.text
        return Sql(f"substr({a}, -length({b})) = {b}", text.values + end.values + end.values)

    def holds(self, text: Sql, part: Sql) -> Sql:
        return Sql(f"instr({text.text}, {part.text}) > 0", text.values + part.values)


class PostgresJson:
    """PostgreSQL's functions.

    It knows no case folding before version 18. Capitals, then small letters again, come to the
    same but for the final sigma; ``collation`` is one that knows the letters of all languages.
    """

    def __init__(self, collation: str) -> None:
        self._collation = f' COLLATE "{collation}"' if collation else ""

    def document(self, table: str) -> str:
        return f"convert_from({table}.document, 'UTF8')::jsonb"

    def text(self, json: str, path: Sequence[str]) -> Sql:
        return Sql(f"({json} #>> ?::text[])", (list(path),))

    def number(self, json: str, path: Sequence[str]) -> Sql:
        names = list(path)
        return Sql(
            f"(CASE jsonb_typeof({json} #> ?::text[]) WHEN 'number'"
            f" THEN ({json} #>> ?::text[])::numeric END)",
            (names, names),
        )

    def boolean(self, json: str, path: Sequence[str]) -> Sql:
        return Sql(f"(({json} #>> ?::text[]) = 'true')", (list(path),))

    def bindable(self, value: bool | int | float) -> bool | int | float:
        return value

    def exists(self, json: str, path: Sequence[str]) -> Sql:
        return Sql(f"({json} #> ?::text[]) IS NOT NULL", (list(path),))

    def elements(self, json: str, path: Sequence[str]) -> Sql:
        return Sql(f"jsonb_array_elements({json} #> ?::text[]) AS e(value)", (list(path),))

    def folded(self, text: str) -> str:
        small = f"lower(upper(lower({text}{self._collation})))"
        return f"(replace({small}, 'ς', 'σ') COLLATE \"C\")"

    def ordered(self, text: str) -> str:
        return f'{text} COLLATE "C"'

    def starts(self, text: Sql, start: Sql) -> Sql:
        return Sql(f"starts_with({text.text}, {start.text})", text.values + start.values)

    def ends(self, text: Sql, end: Sql) -> Sql:
        a, b = text.text, end.text
        return Sql(f"right({a}, length({b})) = {b}", text.values + end.values + end.values)

    def holds(self, text: Sql, part: Sql) -> Sql:
        return Sql(f"strpos({text.text}, {part.text}) > 0", text.values + part.values)


def _path(path: Sequence[str]) -> str:
    """A JSON path of SQLite; names are quoted, as URNs have dots in them."""
    return "$" + "".join(f".{orjson.dumps(name).decode()}" for name in path)
