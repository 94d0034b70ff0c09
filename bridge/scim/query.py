"""A request's query string as a `Query`."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from bridge.model import Kind, Query
from bridge.scim import filters
from bridge.scim.errors import ScimError
from bridge.scim.schemas import MAX_RESULTS

_DEFAULT_COUNT = 100
_MAX_PARAMETERS = 100
_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)


def parameters(query_string: bytes) -> dict[str, str]:
    """The parameters by name in lower case, the last one of a name.

    Names ignore case, so that a filter that is spelt oddly is not overlooked. Raises `ScimError`
    400 ``invalidSyntax`` for what is not text.
    """
    try:
        pairs = parse_qsl(
            query_string.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        detail = f"the query is not percent-encoded UTF-8 of at most {_MAX_PARAMETERS} parameters"
        raise ScimError(400, detail, "invalidSyntax") from None
    return {name.lower(): value for name, value in pairs}


def parse(kind: Kind, query_string: bytes) -> Query:
    """What a list request asks for (RFC 7644 section 3.4.2); unknown parameters are ignored."""
    given = parameters(query_string)
    text = given.get("filter")
    return Query(
        kind,
        start=max(1, _integer(given, "startIndex", 1)),
        count=min(max(0, _integer(given, "count", _DEFAULT_COUNT)), MAX_RESULTS),
        match=None if text is None else filters.parse(kind, text),
    )


def _integer(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name.lower())
    if text is None:
        return default
    text = text.strip()  # a "+" before the number arrives as a blank
    if not _NUMBER.fullmatch(text):
        raise ScimError(400, f"{name} is not a whole number", "invalidValue")
    if len(text) > 18:  # past every position, and past what a database takes
        return -(10**18) if text.startswith("-") else 10**18
    return int(text)
